//! A call that has been put together and not been sent: [`Pending`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall_core::{Deadline, Encoding, Metadata, MetadataError, Method, Result};

use crate::call::Call;
use crate::client::channel::Channel;
use crate::interceptor::{BoxFuture, Reply};

/// Names that a handler passes on with the calls it makes: W3C trace context and baggage.
const PASSED_ON: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// A call as a value: awaiting it sends it.
///
/// Until then it can be given a time limit and metadata. Dropping it while it is under way cancels the call, and the
/// server's handler with it.
#[must_use = "a call is sent when it is awaited"]
pub struct Pending<T> {
    stage: Stage<T>,
}

enum Stage<T> {
    Prepared(Box<Prepared>, Launch<T>),
    Running(BoxFuture<Result<(T, Reply)>>),
    /// Only while one becomes the other.
    Launching,
}

/// Sends a call and waits for what the caller is to get.
pub(crate) type Launch<T> = fn(Prepared) -> BoxFuture<Result<(T, Reply)>>;

/// Everything about a call that is known before it is sent.
pub(crate) struct Prepared {
    pub(crate) channel: Channel,
    pub(crate) method: &'static Method,
    /// The one request, in its envelope; none when requests are streamed.
    pub(crate) request: Option<Result<Bytes>>,
    pub(crate) metadata: Metadata,
    pub(crate) refused: Option<MetadataError>,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) wait_for_ready: bool,
    pub(crate) encoding: Encoding,
}

impl<T> Pending<T> {
    pub(crate) fn new(
        channel: &Channel,
        method: &'static Method,
        request: Option<Result<Bytes>>,
        launch: Launch<T>,
    ) -> Self {
        let prepared = Prepared {
            channel: channel.clone(),
            method,
            request,
            metadata: Metadata::new(),
            refused: None,
            deadline: None,
            timeout: None,
            wait_for_ready: false,
            encoding: Encoding::Identity,
        };
        Self { stage: Stage::Prepared(Box::new(prepared), launch) }
    }

    /// A call that is under way.
    pub(crate) fn running(future: BoxFuture<Result<(T, Reply)>>) -> Self {
        Self { stage: Stage::Running(future) }
    }

    /// Gives the call a time limit, counted from the moment it is sent. The server learns it, and both sides end the call
    /// with `DEADLINE_EXCEEDED` when it has passed.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.change(|prepared| {
            prepared.timeout = Some(prepared.timeout.map_or(timeout, |before| before.min(timeout)));
        })
    }

    /// Adds metadata. A name or value that cannot be sent fails the call with `INVALID_ARGUMENT` when it is awaited.
    pub fn metadata(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.change(|prepared| {
            let added = prepared.metadata.append(name, value);
            prepared.refused = prepared.refused.take().or(added.err());
        })
    }

    /// Adds metadata whose value is bytes; the name ends in `-bin`.
    pub fn metadata_bin(self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.change(|prepared| {
            let added = prepared.metadata.append_bin(name, value);
            prepared.refused = prepared.refused.take().or(added.err());
        })
    }

    /// Makes this call a part of the one that is being handled: its deadline and its trace context are passed on. That
    /// it is cancelled with it needs no word: the handler's future is dropped, and this call, which it awaits, as well.
    pub fn within(self, call: &Call) -> Self {
        self.change(|prepared| {
            prepared.deadline = Deadline::earliest(prepared.deadline, call.deadline());
            for name in PASSED_ON {
                for value in call.metadata().get_all(name) {
                    let added = prepared.metadata.append(name, value);
                    prepared.refused = prepared.refused.take().or(added.err());
                }
            }
        })
    }

    /// Lets the call wait until the server can be reached, rather than fail when it cannot. Give it a time limit too.
    pub fn wait_for_ready(self) -> Self {
        self.change(|prepared| prepared.wait_for_ready = true)
    }

    /// Compresses the requests.
    pub fn compress(self, encoding: Encoding) -> Self {
        self.change(|prepared| prepared.encoding = encoding)
    }

    /// Awaits what came beside the reply as well. Of a call whose replies are a stream nothing has come yet when it is on
    /// its way: ask [`Inbound::metadata`](crate::Inbound::metadata) and [`Inbound::trailers`](crate::Inbound::trailers).
    pub fn with_metadata(self) -> WithMetadata<T> {
        WithMetadata(self)
    }

    fn change(mut self, change: impl FnOnce(&mut Prepared)) -> Self {
        if let Stage::Prepared(prepared, _) = &mut self.stage {
            change(prepared);
        }
        self
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Poll<Result<(T, Reply)>> {
        if let Stage::Prepared(..) = self.stage
            && let Stage::Prepared(mut prepared, launch) =
                std::mem::replace(&mut self.stage, Stage::Launching)
        {
            prepared.start_clock(Instant::now());
            self.stage = Stage::Running(launch(*prepared));
        }
        match &mut self.stage {
            Stage::Running(future) => future.as_mut().poll(cx),
            Stage::Prepared(..) | Stage::Launching => Poll::Pending,
        }
    }
}

impl Prepared {
    /// The call is sent now: its timeout becomes a deadline.
    fn start_clock(&mut self, now: Instant) {
        let own = self.timeout.map(|timeout| Deadline::after(now, timeout));
        self.deadline = Deadline::earliest(self.deadline, own);
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(self.poll_both(cx));
        Poll::Ready(result.map(|(reply, _)| reply))
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Prepared(prepared, _) => prepared.method.path,
            Stage::Running(_) | Stage::Launching => "under way",
        };
        f.debug_tuple("Pending").field(&stage).finish()
    }
}

/// A call whose reply is awaited together with what came beside it.
#[derive(Debug)]
#[must_use = "a call is sent when it is awaited"]
pub struct WithMetadata<T>(Pending<T>);

impl<T> Future for WithMetadata<T> {
    type Output = Result<(T, Reply)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_both(cx)
    }
}
