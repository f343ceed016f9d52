//! A thousand calls at once.

use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet};

use super::messages::echo;
use super::{Checks, Subject};
use crate::pattern::pattern;
use crate::proto::conformance::v1::SleepRequest;
use crate::verdict::{Verdict, equal, holds};

const CROWD: usize = 1000;

pub(super) fn add(checks: &mut Checks) {
    checks.add("1000 calls at once on one connection", at_once);
    checks.add("1000 sleeping calls at once, none waits for all others", asleep);
    let name = "1000 calls of which each third is cancelled leave the others alone";
    checks.add(name, some_cancelled);
}

async fn at_once(to: Subject) -> Verdict {
    let mut crowd = JoinSet::new();
    for n in 0..CROWD {
        let calls = to.calls.clone();
        crowd.spawn(async move {
            let reply = calls.echo(echo(pattern(n, n))).await?;
            equal("answer", &reply.payload, &pattern(n, n))
        });
    }
    all_right(crowd).await
}

async fn asleep(to: Subject) -> Verdict {
    let started = Instant::now();
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        crowd.spawn(sleep(to.clone(), 100));
    }
    all_right(crowd).await?;
    let took = started.elapsed();
    holds(took < Duration::from_secs(20), || {
        format!("1000 calls of 100 ms took {took:?}: they ran one by one")
    })
}

async fn some_cancelled(to: Subject) -> Verdict {
    let crowd: Vec<JoinHandle<_>> =
        (0..CROWD).map(|_| tokio::spawn(sleep(to.clone(), 50))).collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    crowd.iter().step_by(3).for_each(JoinHandle::abort);
    for (n, call) in crowd.into_iter().enumerate() {
        if n % 3 != 0 {
            call.await??;
        }
    }
    Ok(())
}

async fn sleep(to: Subject, milliseconds: u32) -> Verdict {
    to.calls.sleep(SleepRequest { milliseconds }).await?;
    Ok(())
}

async fn all_right(mut crowd: JoinSet<Verdict>) -> Verdict {
    while let Some(verdict) = crowd.join_next().await {
        verdict??;
    }
    Ok(())
}
