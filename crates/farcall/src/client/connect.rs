//! Making a connection: attempts, one after the other, until one is open or nobody waits for it any more.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use farcall_core::{Result, Status};
use farcall_socket::{Connection, Endpoint};

use crate::client::channel::Routes;
use crate::client::connection::ClientConnection;
use crate::driver::Driver;

/// Where a channel leads.
pub(crate) enum Target {
    /// To an endpoint.
    Remote(Endpoint),
    /// To a server in this program, which is given its end of each connection.
    InProcess(Box<dyn Fn(Connection) + Send + Sync>),
}

impl Target {
    /// What requests give as `:authority`.
    pub(crate) fn authority(&self) -> String {
        match self {
            Self::Remote(endpoint) => endpoint.authority(),
            Self::InProcess(_) => "localhost".to_owned(),
        }
    }

    async fn connect(&self, options: &farcall_socket::Options) -> Result<Connection> {
        match self {
            Self::Remote(endpoint) => {
                Connection::connect(endpoint, options).await.map_err(Status::unavailable)
            }
            Self::InProcess(serve) => {
                let (ours, theirs) = Connection::pair();
                serve(theirs);
                Ok(ours)
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(endpoint) => endpoint.fmt(f),
            Self::InProcess(_) => f.write_str("in-process"),
        }
    }
}

/// Connects after `rest`, and again while calls insist on it.
pub(crate) async fn run(routes: Arc<Routes>, mut rest: Duration) {
    loop {
        tokio::time::sleep(rest).await;
        let Err(status) = attempt(&routes).await else { return };
        match routes.failed(&status) {
            Some(wait) => rest = wait,
            None => return,
        }
    }
}

/// One attempt: it has succeeded when the peer's first SETTINGS have come, because a connection may be established that
/// no server has accepted.
async fn attempt(routes: &Arc<Routes>) -> Result<()> {
    let limit = routes.config.connect_timeout;
    let opened = tokio::time::timeout(limit, async {
        let connection = routes.target.connect(&routes.config.options).await?;
        let (opened, answer) = tokio::sync::oneshot::channel();
        let role = ClientConnection::new(routes, Arc::clone(connection.peer()), opened);
        tokio::spawn(Driver::client(connection, role));
        answer.await.unwrap_or_else(|_| Err(Status::unavailable("the connection's task ended")))
    });
    opened.await.unwrap_or_else(|_| {
        Err(Status::unavailable(format!(
            "connect to {}: no answer within {limit:?}",
            routes.target
        )))
    })
}
