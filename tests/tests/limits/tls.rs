//! The column of TLS: what is bounded before anybody knows what is spoken inside.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use farcall::Server;
use farcall::limits::Bound;
use farcall::socket::Connection;
use farcall_tests::{ProbeClient, Request, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cell::{live, number, time};
use crate::limited::{self, Limited, Way, pass};

cells! { Tls:
    connections: "connections of a server" => |bound| alone(|| limited::connections(Way::Tls, bound));
    handshakes: "handshakes under way, per core" => |bound| alone(|| handshakes(bound));
    beginning: "connection's beginning, handshakes" => |bound| {
        alone(|| limited::beginning(Way::Tls, bound));
    };
    turn: "waiting for a handshake's turn" => |bound| alone(|| turn(bound));
    connecting: "connecting" => |bound| alone(|| limited::connecting(Way::Tls, bound));
    first_pause: "first pause when accept fails" => limited::first_pause;
    longest_pause: "longest pause when accept fails" => limited::longest_pause;
}

/// The turns at handshakes are the whole process's: who takes all of them must be alone.
fn alone(probe: impl FnOnce()) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    probe();
}

/// A server in memory, where a crowd needs no descriptors, beside the one on TCP.
struct Crowded {
    limited: Limited,
    memory: Running,
    crowd: Vec<Connection>,
}

impl Crowded {
    /// A server at which so many clients have begun a handshake, and do not go on.
    async fn start(name: &str, count: usize) -> Self {
        let limited = Limited::start(|server| server).await;
        let server = Server::new().tls(limited.server_tls()).max_connections(count + 10);
        let memory = Running::start(server, &format!("mem://{name}")).await;
        let mut crowded = Self { limited, memory, crowd: Vec::new() };
        for _ in 0..count {
            let silent = crowded.begin().await;
            crowded.crowd.push(silent);
        }
        crowded.assert_served().await;
        crowded
    }

    /// A client whose `ClientHello` has begun.
    async fn begin(&self) -> Connection {
        let endpoint = self.memory.endpoint.parse().unwrap();
        let mut silent =
            Connection::connect(&endpoint, &farcall::Options::default()).await.unwrap();
        silent.write_all(&[22, 3, 1, 0, 4, 1]).await.unwrap();
        silent
    }

    /// Clients that need no handshake are served, behind all who have come before.
    async fn assert_served(&self) {
        let endpoint = self.memory.endpoint.parse().unwrap();
        let mut plain = Connection::connect(&endpoint, &farcall::Options::default()).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        assert_eq!(plain.read_u8().await.unwrap(), b'H');
        assert!(self.limited.client(Way::Http2).unary(Request::default()).await.is_ok());
    }

    fn client(&self) -> ProbeClient {
        self.limited.client(Way::Tls)
    }
}

/// As many as there may be on this machine.
fn turns(per_core: usize) -> usize {
    per_core * std::thread::available_parallelism().map_or(1, usize::from)
}

/// The default of turns per core, for the probe of the time.
fn per_core() -> usize {
    let row = farcall::limits::all().into_iter().find(|row| row.name.starts_with("handshakes"));
    number(row.unwrap().at(farcall::limits::Scope::Tls).unwrap())
}

/// One handshake fewer than may be under way leaves a turn for a client; with one more, the next is let go.
fn handshakes(bound: Bound) {
    live(async {
        let mut crowded = Crowded::start("handshakes", turns(number(bound)) - 1).await;
        assert!(crowded.client().unary(Request::default()).await.is_ok(), "the last turn");
        let last = crowded.begin().await;
        crowded.assert_served().await;
        let status = crowded.client().unary(Request::default()).await.unwrap_err();
        assert_eq!(status.code(), farcall::Code::Unavailable, "{status}");
        crowded.assert_served().await;
        drop((last, crowded.crowd.pop()));
        crowded.assert_served().await;
        assert!(crowded.client().unary(Request::default()).await.is_ok(), "turns are free again");
    });
}

/// Who finds all turns taken waits so long for one, and gets the first that is given back.
fn turn(bound: Bound) {
    const MARGIN: Duration = Duration::from_millis(500);
    live(async {
        let mut crowded = Crowded::start("turn", turns(per_core())).await;
        let mut late = crowded.begin().await;
        crowded.assert_served().await;
        pass(time(bound).checked_sub(MARGIN).unwrap()).await;
        crowded.assert_served().await;
        let mut answer = [0; 1];
        let early = tokio::time::timeout(Duration::ZERO, late.read(&mut answer)).await;
        assert!(early.is_err(), "it still waits");
        pass(MARGIN).await;
        let end = tokio::time::timeout(MARGIN, late.read(&mut answer)).await;
        assert_eq!(end.expect("it is over").unwrap_or(0), 0, "closed, without a word");

        let client = tokio::spawn(crowded.client().unary(Request::default()));
        crowded.assert_served().await;
        assert!(!client.is_finished(), "there is no turn");
        crowded.crowd.pop();
        assert!(client.await.unwrap().is_ok(), "it got the turn that was given back");
    });
}
