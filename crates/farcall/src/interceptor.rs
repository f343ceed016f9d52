//! Code around calls: one shape for both sides and for all four kinds of call.
//!
//! An interceptor takes the [`Call`] before it goes on, and the [`Reply`], which is how the whole call ended, when it
//! comes back. Messages flow beside it and are not its business.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use farcall_core::{Metadata, Result};

use crate::call::Call;

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What came beside the messages of a call that ended well.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    metadata: Metadata,
    trailers: Metadata,
}

impl Reply {
    pub(crate) fn new(metadata: Metadata, trailers: Metadata) -> Self {
        Self { metadata, trailers }
    }

    /// The metadata that came before the first message.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, to be changed: on a server, before it is sent. On a streaming call it has been sent already when the
    /// first message was, and changing it then changes nothing.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The metadata that came after the last message.
    pub fn trailers(&self) -> &Metadata {
        &self.trailers
    }

    /// The same, to be changed.
    pub fn trailers_mut(&mut self) -> &mut Metadata {
        &mut self.trailers
    }

    pub(crate) fn into_parts(self) -> (Metadata, Metadata) {
        (self.metadata, self.trailers)
    }
}

/// Code that runs around calls.
///
/// Any `async fn(Call, Next) -> Result<Reply>` is one.
pub trait Interceptor: Send + Sync + 'static {
    /// Handles one call: usually by changing it and handing it on with [`Next::run`].
    fn intercept(&self, call: Call, next: Next) -> BoxFuture<Result<Reply>>;
}

impl<F, Fut> Interceptor for F
where
    F: Fn(Call, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply>> + Send + 'static,
{
    fn intercept(&self, call: Call, next: Next) -> BoxFuture<Result<Reply>> {
        Box::pin(self(call, next))
    }
}

/// An interceptor that carries a state: `fn(Arc<T>, Call, Next)`.
pub(crate) struct WithState<T, F, Fut> {
    state: Arc<T>,
    function: F,
    future: PhantomData<fn() -> Fut>,
}

impl<T, F, Fut> WithState<T, F, Fut> {
    pub(crate) fn new(state: T, function: F) -> Self {
        Self { state: Arc::new(state), function, future: PhantomData }
    }
}

impl<T, F, Fut> Interceptor for WithState<T, F, Fut>
where
    T: Send + Sync + 'static,
    F: Fn(Arc<T>, Call, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply>> + Send + 'static,
{
    fn intercept(&self, call: Call, next: Next) -> BoxFuture<Result<Reply>> {
        Box::pin((self.function)(Arc::clone(&self.state), call, next))
    }
}

/// The interceptors of a server or a channel, outermost first.
pub(crate) type Chain = Arc<[Arc<dyn Interceptor>]>;

/// The rest of a call's way: the interceptors further in and, at the end, the call itself.
pub struct Next {
    chain: Chain,
    position: usize,
    end: Box<dyn FnOnce(Call) -> BoxFuture<Result<Reply>> + Send>,
}

impl Next {
    pub(crate) fn new(
        chain: Chain,
        end: impl FnOnce(Call) -> BoxFuture<Result<Reply>> + Send + 'static,
    ) -> Self {
        Self { chain, position: 0, end: Box::new(end) }
    }

    /// Hands the call on and waits for its end.
    pub async fn run(mut self, call: Call) -> Result<Reply> {
        let Some(interceptor) = self.chain.get(self.position).cloned() else {
            return (self.end)(call).await;
        };
        self.position += 1;
        interceptor.intercept(call, self).await
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next")
            .field("interceptors_left", &(self.chain.len() - self.position))
            .finish_non_exhaustive()
    }
}
