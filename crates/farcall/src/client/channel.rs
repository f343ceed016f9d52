//! The client's lasting route to a service: connections come and go, the channel stays.
//!
//! Calls are handed to the connection with room; when none has, another is opened, up to a limit; beyond it, and while a
//! connection is being made, calls wait here in their order. A call that the peer provably did not process comes back here
//! and is sent again.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use farcall_core::{Codec, Limits, Protocol, Result, Status};
use farcall_socket::tls::ClientTls;
use farcall_socket::{Endpoint, Options};

use crate::call::Call;
use crate::client::backoff;
use crate::client::connect::{self, Target};
use crate::interceptor::{Chain, Interceptor, Next, Reply, WithState};
use crate::link::Link;
use crate::mailbox::{Mailbox, Note};

/// How a channel behaves; the defaults suit most.
#[derive(Debug, Clone)]
pub struct ChannelConfig {
    /// Time for one attempt to connect, until calls can be sent: with HTTP/2, until the peer's first SETTINGS. Default
    /// 10 s.
    pub connect_timeout: Duration,
    /// Connections open at once to one endpoint, when calls outnumber the streams of one. Default 8.
    pub max_connections: usize,
    /// Bounds on messages.
    pub limits: Limits,
    /// Options of the sockets.
    pub options: Options,
    /// Speaks HTTP/1.1 rather than HTTP/2, one call at a time on each connection. Other gRPC servers take HTTP/2 only.
    pub http1: bool,
    /// How TLS is spoken at `https`, `tls` and `wss` endpoints; by default with the roots of this machine.
    pub tls: Option<ClientTls>,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            max_connections: 8,
            limits: Limits::default(),
            options: Options::default(),
            http1: false,
            tls: None,
        }
    }
}

/// The client's lasting route to the services of one endpoint. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Channel {
    pub(crate) routes: Arc<Routes>,
    pub(crate) chain: Chain,
    pub(crate) manner: Manner,
}

/// In which words calls are made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    pub(crate) protocol: Protocol,
    pub(crate) codec: Codec,
    /// Calls without side effects go by GET, where the protocol has it.
    pub(crate) get: bool,
}

impl Channel {
    /// Connects to `endpoint`, for example `tcp://localhost:8080` or `unix:///run/greet.sock`, and returns when the
    /// server has answered.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the endpoint is not one, `UNAVAILABLE` naming the endpoint and the cause when nobody answers.
    pub async fn connect(endpoint: impl AsRef<str>) -> Result<Self> {
        let channel = Self::lazy(endpoint)?;
        channel.ready().await?;
        Ok(channel)
    }

    /// A channel that connects with its first call.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the endpoint is not one.
    pub fn lazy(endpoint: impl AsRef<str>) -> Result<Self> {
        Self::with_config(endpoint, ChannelConfig::default())
    }

    /// A channel that behaves as `config` says and connects with its first call.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the endpoint is not one.
    pub fn with_config(endpoint: impl AsRef<str>, config: ChannelConfig) -> Result<Self> {
        let endpoint: Endpoint = endpoint.as_ref().parse().map_err(Status::invalid_argument)?;
        Ok(Self::to(Target::Remote(endpoint), config))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.routes.config.limits
    }

    pub(crate) fn to(target: Target, config: ChannelConfig) -> Self {
        Self {
            routes: Arc::new(Routes::new(target, config)),
            chain: Chain::from([]),
            manner: Manner::default(),
        }
    }

    /// Waits until a connection is open.
    ///
    /// # Errors
    /// `UNAVAILABLE` naming the endpoint and the cause when nobody answers.
    pub async fn ready(&self) -> Result<()> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.routes.when_ready(sender);
        receiver.await.unwrap_or_else(|_| Err(Status::unavailable("the channel was dropped")))
    }

    /// Adds an interceptor that carries a state, `fn(Arc<T>, Call, Next)`, to a copy of the channel.
    #[must_use]
    pub fn intercept_with<T, F, Fut>(&self, state: T, function: F) -> Self
    where
        T: Send + Sync + 'static,
        F: Fn(Arc<T>, Call, Next) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.intercept(WithState::new(state, function))
    }

    /// A copy of the channel, on the same connections, with one more interceptor, which runs inside those that it has.
    #[must_use]
    pub fn intercept(&self, interceptor: impl Interceptor) -> Self {
        let mut chain: Vec<Arc<dyn Interceptor>> = self.chain.to_vec();
        chain.push(Arc::new(interceptor));
        Self { chain: chain.into(), ..self.clone() }
    }

    /// A copy of the channel, on the same connections, whose calls are made in `protocol`. Default: gRPC.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.manner.protocol = protocol;
        self
    }

    /// A copy of the channel, on the same connections, whose messages are encoded by `codec`. Default: protobuf.
    #[must_use]
    pub fn codec(mut self, codec: Codec) -> Self {
        self.manner.codec = codec;
        self
    }

    /// A copy of the channel, on the same connections, which calls unary methods without side effects by GET, so that
    /// caches on the way can answer. Only Connect has this.
    #[must_use]
    pub fn get(mut self) -> Self {
        self.manner.get = true;
        self
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("target", &self.routes.target.to_string())
            .finish_non_exhaustive()
    }
}

/// The connections of a channel and the calls that wait for one.
pub(crate) struct Routes {
    pub(crate) target: Target,
    pub(crate) config: ChannelConfig,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ready: Vec<Route>,
    connecting: bool,
    /// Calls without a connection, in the order they came.
    waiting: VecDeque<Arc<Link>>,
    watchers: Vec<tokio::sync::oneshot::Sender<Result<()>>>,
    /// Attempts failed in a row, the last one's error, and when the next may be made.
    failures: u32,
    failure: Option<(Status, Instant)>,
}

/// One open connection.
struct Route {
    mailbox: Arc<Mailbox>,
    /// Calls handed to it and not yet ended.
    calls: usize,
    /// Calls it can have at once.
    capacity: usize,
}

impl Routes {
    fn new(target: Target, config: ChannelConfig) -> Self {
        Self { target, config, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the call to a connection with room, or lets it wait for one.
    pub(crate) fn dispatch(self: &Arc<Self>, link: Arc<Link>) {
        let mut state = self.lock();
        let Some(link) = state.hand_over(link) else { return };
        if let Some(status) = state.refusal(&link) {
            drop(state);
            link.fail(status);
            return;
        }
        state.waiting.push_back(link);
        self.connect_if_needed(&mut state);
    }

    fn when_ready(self: &Arc<Self>, watcher: tokio::sync::oneshot::Sender<Result<()>>) {
        let mut state = self.lock();
        if !state.ready.is_empty() {
            let _ = watcher.send(Ok(()));
            return;
        }
        state.watchers.push(watcher);
        self.connect_if_needed(&mut state);
    }

    fn connect_if_needed(self: &Arc<Self>, state: &mut State) {
        if state.connecting || state.ready.len() >= self.config.max_connections {
            return;
        }
        state.connecting = true;
        let rest = state
            .failure
            .as_ref()
            .map(|(_, until)| until.saturating_duration_since(Instant::now()));
        tokio::spawn(connect::run(Arc::clone(self), rest.unwrap_or_default()));
    }

    /// A connection is open: calls that wait are handed to it.
    pub(crate) fn connected(self: &Arc<Self>, mailbox: &Arc<Mailbox>, capacity: usize) {
        let mut state = self.lock();
        state.connecting = false;
        state.failures = 0;
        state.failure = None;
        state.ready.push(Route { mailbox: Arc::clone(mailbox), calls: 0, capacity });
        for watcher in state.watchers.drain(..) {
            let _ = watcher.send(Ok(()));
        }
        self.settle(&mut state);
    }

    /// Nobody answered. Calls that do not insist on waiting fail; returns whether there is reason to try again and, if
    /// so, after how long.
    pub(crate) fn failed(&self, status: &Status) -> Option<Duration> {
        let mut state = self.lock();
        state.failures += 1;
        let wait = backoff::wait(state.failures, backoff::lot());
        state.failure = Some((status.clone(), Instant::now() + wait));
        for watcher in state.watchers.drain(..) {
            let _ = watcher.send(Err(status.clone()));
        }
        let (patient, failed): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(|link| link.waits_for_ready());
        state.waiting = patient;
        state.connecting = !state.waiting.is_empty();
        let again = state.connecting.then_some(wait);
        drop(state);
        for link in failed {
            link.fail(status.clone());
        }
        again
    }

    /// The connection takes `capacity` calls at once from now on.
    pub(crate) fn resized(self: &Arc<Self>, mailbox: &Arc<Mailbox>, capacity: usize) {
        let mut state = self.lock();
        if let Some(route) = state.route(mailbox) {
            route.capacity = capacity;
        }
        self.settle(&mut state);
    }

    /// A call on the connection has ended.
    pub(crate) fn ended(self: &Arc<Self>, mailbox: &Arc<Mailbox>) {
        let mut state = self.lock();
        if let Some(route) = state.route(mailbox) {
            route.calls = route.calls.saturating_sub(1);
        }
        if !state.waiting.is_empty() {
            self.settle(&mut state);
        }
    }

    /// The connection takes no more calls.
    pub(crate) fn retired(self: &Arc<Self>, mailbox: &Arc<Mailbox>) {
        let mut state = self.lock();
        state.ready.retain(|route| !Arc::ptr_eq(&route.mailbox, mailbox));
        self.settle(&mut state);
    }

    /// Hands waiting calls to whatever has room, and connects if some are left.
    fn settle(self: &Arc<Self>, state: &mut State) {
        while let Some(link) = state.waiting.pop_front() {
            if let Some(link) = state.hand_over(link) {
                state.waiting.push_front(link);
                self.connect_if_needed(state);
                return;
            }
        }
    }
}

impl State {
    fn route(&mut self, mailbox: &Arc<Mailbox>) -> Option<&mut Route> {
        self.ready.iter_mut().find(|route| Arc::ptr_eq(&route.mailbox, mailbox))
    }

    /// Gives the call to the first connection with room; gives it back when none has.
    fn hand_over(&mut self, link: Arc<Link>) -> Option<Arc<Link>> {
        let mut note = Note::Start(link);
        for route in &mut self.ready {
            if route.calls >= route.capacity {
                continue;
            }
            match route.mailbox.push(note) {
                Ok(()) => {
                    route.calls += 1;
                    return None;
                }
                Err(back) => note = back,
            }
        }
        match note {
            Note::Start(link) => Some(link),
            _ => None,
        }
    }

    /// Why the call should not even wait: the last attempt to connect has just failed, and nothing is under way.
    fn refusal(&self, link: &Link) -> Option<Status> {
        let (status, until) = self.failure.as_ref()?;
        let resting = !self.connecting && self.ready.is_empty() && Instant::now() < *until;
        (resting && !link.waits_for_ready()).then(|| status.clone())
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        for route in self.lock().ready.drain(..) {
            let _ = route.mailbox.push(Note::Shutdown);
        }
    }
}
