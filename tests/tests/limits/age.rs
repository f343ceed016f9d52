//! How old connections become: nothing unless it is asked for; and what holds then, with an age of some milliseconds.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use farcall::limits::Bound;
use farcall::{Call, Code, Next, Reply, Result, Server};
use farcall_tests::{ProbeClient, Request};

use crate::cell::{live, time};
use crate::limited::{Limited, Way};

const AGE: Duration = Duration::from_millis(40);
/// How late it may be looked at a connection here.
const MARGIN: Duration = Duration::from_secs(5);
/// Calls to wait for a connection's end.
const PATIENCE: usize = 1_000_000;

/// The last caller's address: each connection has its own.
#[derive(Clone, Default)]
struct Last(Arc<Mutex<String>>);

impl Last {
    async fn note(self: Arc<Self>, call: Call, next: Next) -> Result<Reply> {
        *self.0.lock().unwrap() = call.peer().map(ToString::to_string).unwrap_or_default();
        next.run(call).await
    }

    /// Who called, when this client does.
    async fn caller(&self, client: &ProbeClient) -> String {
        assert!(client.unary(Request::default()).await.is_ok(), "no call is lost");
        self.0.lock().unwrap().clone()
    }

    /// Calls until it is over another connection; returns how old the first one became.
    async fn renewed(&self, client: &ProbeClient) -> Duration {
        let (begin, first) = (Instant::now(), self.caller(client).await);
        for _ in 0..PATIENCE {
            if self.caller(client).await != first {
                return begin.elapsed();
            }
        }
        panic!("the connection stays");
    }
}

async fn start(last: &Last, age: Option<Duration>) -> Limited {
    let noted = |server: Server| server.intercept_with(last.clone(), Last::note);
    Limited::start(|server| match age {
        Some(age) => noted(server).max_connection_age(age),
        None => noted(server),
    })
    .await
}

/// While one server renews its connections, another one, of which nothing was asked, keeps its own.
pub(crate) fn age(way: Way, bound: Bound) {
    assert_eq!(bound, Bound::Off);
    live(async {
        let (brief, lasting) = (Last::default(), Last::default());
        let renewing = start(&brief, Some(AGE)).await;
        let keeping = start(&lasting, None).await;
        let kept = keeping.client(way);
        let first = lasting.caller(&kept).await;
        for _ in 0..3 {
            brief.renewed(&renewing.client(way)).await;
            assert_eq!(lasting.caller(&kept).await, first);
        }
    });
}

/// No connection ends before the least age or long after the most; how the ages are spread between is tested where they are
/// made.
pub(crate) fn spread(way: Way, bound: Bound) {
    let Bound::Percent(percent) = bound else { panic!("expected a share: {bound:?}") };
    assert_eq!(percent, 10);
    let (least, most) = (AGE * (100 - percent) / 100, AGE * (100 + percent) / 100);
    live(async {
        let last = Last::default();
        let limited = start(&last, Some(AGE)).await;
        for _ in 0..5 {
            let age = last.renewed(&limited.client(way)).await;
            assert!((least..most + MARGIN).contains(&age), "{age:?}");
        }
    });
}

/// Calls under way when the connection is old may take as long as when a server stops.
pub(crate) fn calls_under_way(way: Way, bound: Bound) {
    assert_eq!(time(bound), Duration::from_secs(30));
    live(async {
        let waiting = Request { wait_at_gate: true, ..Request::default() };
        let last = Last::default();
        let limited = start(&last, Some(AGE)).await;
        let call = tokio::spawn(limited.client(way).unary(waiting.clone()));
        limited.subject.until(|subject| subject.running() == 1).await;
        for _ in 0..3 {
            last.renewed(&limited.client(way)).await;
        }
        limited.subject.open_gate();
        assert!(call.await.unwrap().is_ok(), "it was under way");

        let limited = Limited::start(|server| server.max_connection_age(AGE).shutdown_limit(AGE));
        let limited = limited.await;
        let begin = Instant::now();
        let status = limited.client(way).unary(waiting).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!((AGE * 19 / 10..MARGIN).contains(&begin.elapsed()), "{:?}", begin.elapsed());
        limited.subject.until(|subject| subject.running() == 0).await;
    });
}
