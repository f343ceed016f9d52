//! The list of checks against conformance.v1, as a client: the same as the Python client of the judge makes, under the
//! same names, in the same order.

mod crowds;
mod endings;
mod gzip;
mod messages;
mod metadata;
mod statuses;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use farcall::Channel;

use crate::observed::State;
use crate::proto::conformance::v1::{CallsClient, ObserveRequest};
use crate::verdict::Verdict;

/// Bytes of the largest message: the largest payload, 16 MiB, and what is around it.
pub const MESSAGE_LIMIT: usize = 17 << 20;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Payloads around the borders of frames, windows and buffers.
const SIZES: [usize; 10] =
    [0, 1, 100, 16 * KIB - 5, 16 * KIB, 64 * KIB - 1, 64 * KIB, MIB, 4 * MIB, 16 * MIB];

/// For one check, so that one that hangs leaves time for the others.
const CHECK_LIMIT: Duration = Duration::from_secs(25);

/// Runs all checks one after the other and prints a line for each. Returns whether all passed.
pub async fn run(channel: &Channel) -> bool {
    let subject = Subject { calls: CallsClient::new(channel.clone()), channel: channel.clone() };
    let (mut passed, mut failed) = (0, 0);
    for Check { name, run } in all() {
        // On a task of its own, so that a panic fails one check and not the list.
        let task = tokio::spawn(tokio::time::timeout(CHECK_LIMIT, run(subject.clone())));
        let verdict = match task.await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Err(format!("not done after {CHECK_LIMIT:?}").into()),
            Err(panicked) => Err(panicked.into()),
        };
        match verdict {
            Ok(()) => {
                passed += 1;
                println!("ok      {name}");
            }
            Err(fault) => {
                failed += 1;
                println!("FAILED  {name}: {fault}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    passed > 0 && failed == 0
}

fn all() -> Vec<Check> {
    let mut checks = Checks::default();
    messages::add(&mut checks);
    metadata::add(&mut checks);
    statuses::add(&mut checks);
    endings::add(&mut checks);
    gzip::add(&mut checks);
    crowds::add(&mut checks);
    checks.0
}

/// Who is judged.
#[derive(Clone)]
struct Subject {
    calls: CallsClient,
    channel: Channel,
}

impl Subject {
    /// Waits until the server says that the call is in `state`.
    async fn reaches(&self, call_id: &str, state: State) -> Verdict {
        let mut last = None;
        for _ in 0..200 {
            let request = ObserveRequest { call_id: call_id.to_owned() };
            last = Some(self.calls.observe(request).await?.state);
            if last == Some(state.into()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("the call stayed in {last:?}, expected {state:?}").into())
    }
}

/// An id that no other call of this process has.
fn call_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("farcall-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

struct Check {
    name: String,
    run: Run,
}

type Run = Box<dyn FnOnce(Subject) -> Pin<Box<dyn Future<Output = Verdict> + Send>>>;

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add<F: Future<Output = Verdict> + Send + 'static>(
        &mut self,
        name: impl Into<String>,
        run: impl FnOnce(Subject) -> F + 'static,
    ) {
        let run = Box::new(move |subject| Box::pin(run(subject)) as Pin<Box<_>>);
        self.0.push(Check { name: name.into(), run });
    }
}
