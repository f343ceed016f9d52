//! `grpc.health.v1`: whether a server takes calls, told to load balancers, orchestrators and clients.
//!
//! A [`Health`] is the board on which the program writes; the service reads from it. It never looks at a service itself.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use farcall_core::{Result, Status};
use tokio::sync::watch;

use crate::call::Call;
use crate::messages::Outbound;
use crate::service::{Attendant, IntoService, Service};
use crate::services::generated::grpc::health::v1;

pub use v1::health_check_response::ServingStatus;
pub use v1::{
    HealthCheckRequest, HealthCheckResponse, HealthClient, HealthListRequest, HealthListResponse,
};

/// Watches of one connection: a client needs one per service that it calls, and each holds a stream.
pub(crate) const MAX_WATCHES: usize = 8;
/// Services in one list, as the protocol has it.
const MAX_LISTED: usize = 100;
/// Bytes of a service's name in a question: a watch keeps it.
const MAX_NAME: usize = 512;

/// What is known of the health of a server's services, shared by the service and whoever says what it is.
///
/// ```text
/// let health = Health::new();
/// Server::new().add(Hello.into_service()).add(health.clone())
/// health.set("greet.v1.Greeter", ServingStatus::NotServing);
/// ```
///
/// When the server begins, each of its services, and the server as a whole (the empty name), is `Serving` unless something
/// else was said before. When it is told to stop, all of them are `NotServing`, and watches end with `UNAVAILABLE`.
#[derive(Clone)]
pub struct Health(Arc<Watched>);

/// The board and who looks at it.
struct Watched {
    board: watch::Sender<Board>,
    /// Watches by connection; a connection is known by the place of its peer in memory, which the watch keeps there.
    watches: Mutex<HashMap<usize, usize>>,
}

#[derive(Default)]
struct Board {
    statuses: BTreeMap<String, ServingStatus>,
    is_closing: bool,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// A board on which nothing is written.
    pub fn new() -> Self {
        let board = watch::Sender::new(Board::default());
        Self(Arc::new(Watched { board, watches: Mutex::default() }))
    }

    /// Says how a service is: its full name, `greet.v1.Greeter`, or nothing for the server as a whole. Whoever watches it is
    /// told. Once the server has been told to stop, nothing changes any more.
    pub fn set(&self, service: impl Into<String>, status: ServingStatus) {
        let service = service.into();
        self.0.board.send_if_modified(|board| {
            !board.is_closing && board.statuses.insert(service, status) != Some(status)
        });
    }

    /// What was said last of a service; none: nothing was.
    pub fn get(&self, service: &str) -> Option<ServingStatus> {
        self.0.board.borrow().statuses.get(service).copied()
    }

    /// The service that tells what is written here.
    pub fn into_service(self) -> Service {
        v1::Health::into_service(self.clone()).with_attendant(Arc::new(self))
    }
}

impl IntoService for Health {
    fn into_service(self) -> Service {
        Self::into_service(self)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Health").field(&self.0.board.borrow().statuses).finish()
    }
}

impl Attendant for Health {
    fn begin(&self, services: &[Service]) {
        self.0.board.send_modify(|board| {
            for name in services.iter().map(Service::name).chain([""]) {
                board.statuses.entry(name.to_owned()).or_insert(ServingStatus::SERVING);
            }
        });
    }

    fn end(&self) {
        self.0.board.send_modify(|board| {
            board.is_closing = true;
            board.statuses.values_mut().for_each(|status| *status = ServingStatus::NOT_SERVING);
        });
    }
}

impl v1::Health for Health {
    async fn check(
        &self,
        request: HealthCheckRequest,
        _: &mut Call,
    ) -> Result<HealthCheckResponse> {
        let status = self.get(named(&request)?).ok_or_else(|| {
            Status::not_found(format!("nothing is known of a service {:?}", request.service))
        })?;
        Ok(response(status))
    }

    async fn list(&self, _: HealthListRequest, _: &mut Call) -> Result<HealthListResponse> {
        let board = self.0.board.borrow();
        let count = board.statuses.len();
        if count > MAX_LISTED {
            return Err(Status::resource_exhausted(format!(
                "{count} services are known; a list has at most {MAX_LISTED}"
            )));
        }
        let statuses =
            board.statuses.iter().map(|(service, status)| (service.clone(), response(*status)));
        Ok(HealthListResponse { statuses: statuses.collect() })
    }

    async fn watch(
        &self,
        request: HealthCheckRequest,
        replies: &mut Outbound<HealthCheckResponse>,
        call: &mut Call,
    ) -> Result<()> {
        let service = named(&request)?;
        let _watch = Watch::begin(&self.0, call)?;
        let mut board = self.0.board.subscribe();
        let mut told = None;
        loop {
            let (status, is_closing) = {
                let board = board.borrow_and_update();
                let status = board.statuses.get(service).copied();
                (status.unwrap_or(ServingStatus::SERVICE_UNKNOWN), board.is_closing)
            };
            if told != Some(status) {
                replies.send(response(status)).await?;
                told = Some(status);
            }
            // A watch has no end of its own, and a server that stops waits for the calls under way.
            if is_closing || board.changed().await.is_err() {
                return Err(Status::unavailable("the server has been told to stop"));
            }
        }
    }
}

fn named(request: &HealthCheckRequest) -> Result<&str> {
    let length = request.service.len();
    if length > MAX_NAME {
        return Err(Status::invalid_argument(format!(
            "expected the name of a service, at most {MAX_NAME} bytes, got {length}"
        )));
    }
    Ok(&request.service)
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

/// One watch; counted until it is dropped.
struct Watch<'a> {
    watched: &'a Watched,
    connection: usize,
}

impl<'a> Watch<'a> {
    fn begin(watched: &'a Watched, call: &Call) -> Result<Self> {
        let connection = call.peer().map_or(0, |peer| std::ptr::from_ref(peer).addr());
        let mut watches = watched.watches.lock().unwrap_or_else(PoisonError::into_inner);
        let count = watches.entry(connection).or_default();
        if *count >= MAX_WATCHES {
            return Err(Status::resource_exhausted(format!(
                "this connection has {MAX_WATCHES} watches already, the limit"
            )));
        }
        *count += 1;
        Ok(Self { watched, connection })
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut watches = self.watched.watches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = watches.get_mut(&self.connection) {
            *count -= 1;
            if *count == 0 {
                watches.remove(&self.connection);
            }
        }
    }
}
