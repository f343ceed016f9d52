//! The server: services, the endpoints they are reached at, and the connections that come.

mod age;
mod connection;
mod connections;
mod handler;
mod hosts;
mod ledger;
mod opening;
mod routes;

use std::error::Error;
use std::fmt;
use std::future::{self, Future};
use std::sync::Arc;
use std::time::Duration;

use farcall_core::cors::Cors;
use farcall_core::{Limits, Result, Status};
use farcall_socket::tls::ServerTls;
use farcall_socket::{Endpoint, Listener, Options};
use tokio::task::JoinSet;

use crate::budget::Budget;
use crate::call::Call;
use crate::client::{Channel, ChannelConfig, Target};
use crate::http::{App, Body, HttpService, Index};
use crate::interceptor::{Chain, Interceptor, Next, Reply, WithState};
use crate::server::age::Aging;
pub(crate) use crate::server::age::SPREAD as AGE_SPREAD;
pub(crate) use crate::server::connection::ServerConnection;
pub(crate) use crate::server::connections::Connections;
pub(crate) use crate::server::hosts::Guard;
use crate::server::hosts::Hosts;
pub(crate) use crate::server::ledger::BOUND as UNFINISHED_MESSAGES;
use crate::server::opening::Gate;
pub(crate) use crate::server::opening::{HANDSHAKES_PER_CORE, LIMIT as HANDSHAKE, TURN_LIMIT};
use crate::server::routes::Routes;
use crate::service::{IntoService, Service};
use crate::services::health::Health;
use crate::services::reflection;

/// How long calls under way may still take once the server has been told to stop, or their connection is too old.
pub(crate) const SHUTDOWN_LIMIT: Duration = Duration::from_secs(30);
/// Connections open at once, where the process may have the descriptors: each costs memory even when idle.
pub(crate) const MAX_CONNECTIONS: usize = 10_000;
/// How old a connection may become: there is no bound, as only who has several servers behind a balancer needs one.
pub(crate) const MAX_CONNECTION_AGE: Option<Duration> = None;
/// How long aborted connections may take to say goodbye.
const ABORT_LIMIT: Duration = Duration::from_secs(1);

/// A server, being put together: services, endpoints, interceptors. [`run`](Self::run) serves.
pub struct Server {
    routes: Routes,
    chain: Vec<Arc<dyn Interceptor>>,
    places: Vec<Place>,
    limits: Limits,
    options: Options,
    max_connections: Option<usize>,
    max_connection_age: Option<Duration>,
    memory_budget: Option<usize>,
    app: Option<App>,
    cors: Option<Cors>,
    hosts: Hosts,
    tls: Option<ServerTls>,
    shutdown: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    shutdown_limit: Duration,
}

/// Where to listen.
enum Place {
    /// Not looked at yet: what is wrong with it is told when the server binds.
    Written(String),
    Bound(Listener),
}

/// What all connections of a server share.
pub(crate) struct Shared {
    pub(crate) routes: Routes,
    pub(crate) chain: Chain,
    pub(crate) limits: Limits,
    /// What its connections hold for their peers.
    pub(crate) budget: Arc<Budget>,
    /// What answers requests that are no calls.
    pub(crate) app: App,
    /// Whether it is the user's.
    pub(crate) has_app: bool,
    pub(crate) cors: Option<Cors>,
    pub(crate) hosts: Hosts,
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// A server with no service and no endpoint.
    pub fn new() -> Self {
        Self {
            routes: Routes::default(),
            chain: Vec::new(),
            places: Vec::new(),
            limits: Limits::default(),
            options: Options::default(),
            max_connections: None,
            max_connection_age: MAX_CONNECTION_AGE,
            memory_budget: None,
            app: None,
            cors: None,
            hosts: Hosts::default(),
            tls: None,
            shutdown: Box::pin(future::pending()),
            shutdown_limit: SHUTDOWN_LIMIT,
        }
    }

    /// Adds a service: `.add(value.into_service())`.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a server is no number")]
    pub fn add(mut self, service: impl IntoService) -> Self {
        self.routes.add(service.into_service());
        self
    }

    /// Adds the health service, by which load balancers and orchestrators ask whether the server takes calls: all services
    /// do until the server is told to stop. To say something else, add a [`Health`] of your own.
    #[must_use]
    pub fn health(self) -> Self {
        self.add(Health::new())
    }

    /// Adds the reflection services, by which tools learn what the server offers. Whoever can reach the server can read the
    /// names of all methods and fields then.
    #[must_use]
    pub fn reflection(self) -> Self {
        reflection::services().into_iter().fold(self, Self::add)
    }

    /// Adds an interceptor, which runs inside those added before it.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor) -> Self {
        self.chain.push(Arc::new(interceptor));
        self
    }

    /// Adds an interceptor that carries a state: `fn(Arc<T>, Call, Next)`.
    #[must_use]
    pub fn intercept_with<T, F, Fut>(self, state: T, function: F) -> Self
    where
        T: Send + Sync + 'static,
        F: Fn(Arc<T>, Call, Next) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply>> + Send + 'static,
    {
        self.intercept(WithState::new(state, function))
    }

    /// Adds an endpoint to listen at, for example `tcp://0.0.0.0:8080` or `unix:///run/greet.sock`. Port 0 is any free
    /// port: [`Bound::endpoints`] tells which.
    #[must_use]
    pub fn listen(mut self, endpoint: impl Into<String>) -> Self {
        self.places.push(Place::Written(endpoint.into()));
        self
    }

    /// Adds a listener that is bound already.
    #[must_use]
    pub fn listen_on(mut self, listener: Listener) -> Self {
        self.places.push(Place::Bound(listener));
        self
    }

    /// Sets the bounds on messages.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the options of the sockets.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Mounts an HTTP application beside the services: any tower service, for example axum's `Router`. It gets every
    /// request that is no call, over HTTP/1.1 and HTTP/2; bodies are streamed both ways. In the request's extensions are
    /// the [`Peer`](crate::Peer), in an `Arc`, and an [`Upgrade`](crate::http::Upgrade) where another protocol is asked
    /// for.
    #[must_use]
    pub fn http<S, B>(mut self, application: S) -> Self
    where
        S: tower_service::Service<http::Request<Body>, Response = http::Response<B>>
            + Clone
            + Send
            + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.app = Some(App::new(application));
        self
    }

    /// Lets pages of other origins call, as far as `cors` says; without it none may.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Lets a listener on loopback answer for another name than those of this machine: for example the one that a proxy
    /// on this machine passes on. Other names are refused with status 421, because a page from anywhere could otherwise
    /// make a browser here talk to the port as if it were its own.
    #[must_use]
    pub fn allow_host(mut self, host: impl AsRef<str>) -> Self {
        self.hosts.allow(host.as_ref());
        self
    }

    /// Speaks TLS: on `tls://` endpoints nothing else, on all others beside plaintext, as the client begins.
    #[must_use]
    pub fn tls(mut self, tls: impl Into<ServerTls>) -> Self {
        self.tls = Some(tls.into());
        self
    }

    /// Sets how many connections are open at once; more wait in the kernel's queue. Default 10,000, or half of the
    /// descriptors that the process may have when that is less.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// Sets how old a connection may become, within a tenth so that connections that came together do not leave together.
    /// Clients come back then, which spreads them over the servers behind a balancer. Each is told before, so that it sends
    /// no call in vain: over HTTP/2 and WebSockets at once, over HTTP/1.1 by its next response. Calls under way may take as
    /// long as when the server stops: see [`shutdown_limit`](Self::shutdown_limit). Off by default.
    #[must_use]
    pub fn max_connection_age(mut self, age: Duration) -> Self {
        self.max_connection_age = Some(age);
        self
    }

    /// Sets how many bytes the connections of this server may hold for their peers, all together: messages whose rest has
    /// not come, and replies that nobody takes, above 64 KiB of a connection. A message or a reply of more than 4 KiB that
    /// does not fit fails with `RESOURCE_EXHAUSTED`. Above the bound, connections that are part of the reason get no new
    /// calls, which clients then send again by themselves; a quarter above it nobody gets any. Default: all servers of the
    /// process share 256 MiB, or six tenths of what its control group may have when that is less.
    #[must_use]
    pub fn memory_budget(mut self, bytes: usize) -> Self {
        self.memory_budget = Some(bytes);
        self
    }

    /// Stops the server when `signal` is ready: no new connections, no new calls, those under way are finished.
    #[must_use]
    pub fn shutdown_on<T>(mut self, signal: impl Future<Output = T> + Send + 'static) -> Self {
        self.shutdown = Box::pin(async {
            signal.await;
        });
        self
    }

    /// Sets how long calls under way may still take once the server has been told to stop, or once their connection is as
    /// old as it may become. Default 30 s.
    #[must_use]
    pub fn shutdown_limit(mut self, limit: Duration) -> Self {
        self.shutdown_limit = limit;
        self
    }

    /// Binds all endpoints.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when an endpoint is not one, `UNAVAILABLE` naming the endpoint and the cause when it cannot be
    /// bound.
    pub async fn bind(mut self) -> Result<Bound> {
        let mut listeners = Vec::new();
        for place in std::mem::take(&mut self.places) {
            listeners.push(match place {
                Place::Bound(listener) => listener,
                Place::Written(endpoint) => {
                    let endpoint: Endpoint = endpoint.parse().map_err(Status::invalid_argument)?;
                    Listener::bind(&endpoint, &self.options).await.map_err(Status::unavailable)?
                }
            });
        }
        if let (Some(listener), None) =
            (listeners.iter().find(|listener| listener.endpoint().is_tls()), &self.tls)
        {
            return Err(Status::failed_precondition(format!(
                "{} needs a certificate: give the server one with tls()",
                listener.endpoint()
            )));
        }
        if listeners.is_empty() {
            return Err(Status::failed_precondition(
                "the server has no endpoint: add one with listen()",
            ));
        }
        Ok(Bound { listeners, server: self })
    }

    /// Binds all endpoints and serves until it is told to stop.
    ///
    /// # Errors
    /// As [`bind`](Self::bind), and `UNAVAILABLE` when a listener fails for good.
    pub async fn run(self) -> Result<()> {
        self.bind().await?.run().await
    }

    /// A channel to this server without a port: each connection is a pipe in memory. For tests, and for services in one
    /// program.
    pub fn in_process(self) -> Channel {
        let (shared, connections) = self.into_shared();
        let gate = Gate::default();
        let serve = move |connection| connections.serve(connection, &shared, &gate, None);
        Channel::to(Target::InProcess(Box::new(serve)), ChannelConfig::default())
    }

    /// This server as a tower service, to be mounted in another HTTP server, for example an axum program:
    /// `Router::new().fallback_service(server.into_http_service())`. Endpoints, TLS and shutdown are then the other
    /// server's. WebSockets are not: they need a connection of this server's own.
    pub fn into_http_service(self) -> HttpService {
        let (shared, connections) = self.into_shared();
        HttpService::new(shared, connections)
    }

    fn into_shared(self) -> (Arc<Shared>, Arc<Connections>) {
        self.routes.begin();
        let shared = Shared {
            routes: self.routes,
            chain: self.chain.into(),
            limits: self.limits,
            budget: self
                .memory_budget
                .map_or_else(Budget::of_process, |bytes| Arc::new(Budget::new(bytes))),
            has_app: self.app.is_some(),
            app: self.app.unwrap_or_else(|| App::new(Index)),
            cors: self.cors,
            hosts: self.hosts,
        };
        let half = farcall_socket::descriptor_limit() / 2;
        let most = self.max_connections.unwrap_or(MAX_CONNECTIONS.min(half));
        let aging = Aging::new(self.max_connection_age, self.shutdown_limit);
        (Arc::new(shared), Arc::new(Connections::new(most, aging)))
    }
}

impl From<Service> for Channel {
    /// A channel to the service in this program: how a fake stands in for a server.
    fn from(service: Service) -> Self {
        Server::new().add(service).in_process()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("endpoints", &self.places.len()).finish_non_exhaustive()
    }
}

/// A server whose endpoints are bound: connections queue up already.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<Listener>,
    server: Server,
}

impl Bound {
    /// The endpoints as they really are, in the order they were given.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.listeners.iter().map(Listener::endpoint)
    }

    /// The first of them.
    pub fn endpoint(&self) -> &Endpoint {
        // There is one: bind() refuses a server without.
        self.listeners[0].endpoint()
    }

    /// Serves until the server is told to stop.
    ///
    /// # Errors
    /// `UNAVAILABLE` when a listener fails for good.
    pub async fn run(self) -> Result<()> {
        let Self { listeners, mut server } = self;
        let stop = std::mem::replace(&mut server.shutdown, Box::pin(future::pending()));
        let limit = server.shutdown_limit;
        let tls = server.tls.clone();
        let (shared, connections) = server.into_shared();
        let mut accepting = JoinSet::new();
        for listener in listeners {
            let gate = Gate::of(listener.endpoint(), tls.clone());
            accepting.spawn(Arc::clone(&connections).accept(listener, Arc::clone(&shared), gate));
        }
        let ended = tokio::select! {
            () = stop => Ok(()),
            Some(failed) = accepting.join_next() => failed.unwrap_or_else(|_| Err(Status::internal("a listener's task ended"))),
        };
        shared.routes.end();
        connections.stop_accepting();
        while accepting.join_next().await.is_some() {}
        connections.shut_down(limit, ABORT_LIMIT).await;
        ended
    }
}
