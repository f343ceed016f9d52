//! Times calls: first one after the other, for the round trip; then many at once, for calls per second.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farcall::{Result, Status};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::ways::{Answer, Caller};

/// Callers at once, below the 128 streams that a connection has: none of them waits for a place.
pub(super) const AT_ONCE: usize = 64;

/// Time of each part of a measurement; with forty-eight ways the whole tour stays below 10 s.
const WARM_UP: Duration = Duration::from_millis(20);
const ONE_BY_ONE: Duration = Duration::from_millis(60);
const MANY_AT_ONCE: Duration = Duration::from_millis(90);

/// A way that takes longer than this altogether hangs.
const HANGS: Duration = Duration::from_secs(6);

/// Round trips are told apart up to this, in nanoseconds.
const LONGEST_NS: u64 = 60_000_000_000;

/// What came of measuring one way.
#[derive(Debug)]
pub(super) struct Measured {
    /// The first call's reply; all others were the same.
    pub(super) answer: Answer,
    /// Round trips of calls made one after the other: the median, and what 99 of 100 stay below.
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// With [`AT_ONCE`] callers.
    pub(super) calls_per_second: f64,
}

/// Measures one way, each part with at most `calls` calls.
///
/// # Errors
/// Of the first call that failed or was answered wrong; and when nothing comes back at all.
pub(super) async fn measure(caller: Caller, calls: Option<NonZeroU64>) -> Result<Measured> {
    let most = calls.map_or(u64::MAX, NonZeroU64::get);
    tokio::time::timeout(HANGS, measure_all(caller, most)).await.unwrap_or_else(|_| {
        Err(Status::deadline_exceeded(format!("not done within {} s", HANGS.as_secs())))
    })
}

async fn measure_all(caller: Caller, most: u64) -> Result<Measured> {
    let answer = caller.call().await?;
    one_by_one(&caller, WARM_UP, most).await?;
    let times = one_by_one(&caller, ONE_BY_ONE, most).await?;
    let calls_per_second = at_once(caller, MANY_AT_ONCE, most).await?;
    let quantile = |quantile| Duration::from_nanos(times.value_at_quantile(quantile));
    Ok(Measured { answer, p50: quantile(0.5), p99: quantile(0.99), calls_per_second })
}

/// Calls one after the other, and returns how long each took, in nanoseconds.
async fn one_by_one(caller: &Caller, time: Duration, most: u64) -> Result<Histogram<u64>> {
    let mut times = Histogram::new_with_max(LONGEST_NS, 3).map_err(Status::internal)?;
    let began = Instant::now();
    let mut sent = began;
    for _ in 0..most {
        caller.call().await?;
        let now = Instant::now();
        times.saturating_record((now - sent).as_nanos() as u64);
        sent = now;
        if now - began >= time {
            break;
        }
    }
    Ok(times)
}

/// Calls from [`AT_ONCE`] tasks, and returns the calls per second of all of them together.
async fn at_once(caller: Caller, time: Duration, most: u64) -> Result<f64> {
    let left = Arc::new(AtomicU64::new(most));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (caller, left) = (caller.clone(), Arc::clone(&left));
        callers.spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < time && take_one(&left) {
                caller.call().await?;
                done += 1;
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(ended) = callers.join_next().await {
        let calls: Result<u32> = ended.map_err(Status::internal)?;
        done += calls?;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

fn take_one(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}
