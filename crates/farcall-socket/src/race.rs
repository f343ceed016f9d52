//! Happy eyeballs (RFC 8305, section 5): several addresses are tried with a head start each, and the first that answers
//! wins.
//!
//! The race does not know what it dials, and spawns no task: the attempts that lost are dropped with it.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::error::Attempt;
use crate::limits::CONNECTION_ATTEMPT_DELAY;

type Dialling<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

enum State<T> {
    Waiting,
    Running(Dialling<T>),
    Failed(io::Error),
}

struct Race<T, Dial> {
    lanes: Vec<(SocketAddr, State<T>)>,
    dial: Dial,
    /// Head start of the lane that began last.
    head_start: Pin<Box<Sleep>>,
}

/// Dials the addresses in their order until one answers; when none does, says why for each.
pub(crate) async fn race<T, Dial>(
    addresses: Vec<SocketAddr>,
    deadline: Instant,
    dial: Dial,
) -> Result<T, Vec<Attempt>>
where
    Dial: FnMut(SocketAddr) -> Dialling<T>,
{
    let lanes = addresses.into_iter().map(|a| (a, State::Waiting)).collect();
    let mut race = Race { lanes, dial, head_start: Box::pin(sleep(CONNECTION_ATTEMPT_DELAY)) };
    let mut end = Box::pin(sleep_until(deadline));
    poll_fn(|cx| match race.poll(cx) {
        Poll::Ready(Some(winner)) => Poll::Ready(Ok(winner)),
        Poll::Ready(None) => Poll::Ready(Err(race.attempts())),
        Poll::Pending => end.as_mut().poll(cx).map(|()| Err(race.attempts())),
    })
    .await
}

impl<T, Dial: FnMut(SocketAddr) -> Dialling<T>> Race<T, Dial> {
    /// The winner, or nothing when every lane has failed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            if let Some(winner) = self.poll_running(cx) {
                return Poll::Ready(Some(winner));
            }
            let running = self.lanes.iter().any(|(_, s)| matches!(s, State::Running(_)));
            let waiting = self.lanes.iter().any(|(_, s)| matches!(s, State::Waiting));
            match (running, waiting) {
                (false, false) => return Poll::Ready(None),
                (true, false) => return Poll::Pending,
                (true, true) if self.head_start.as_mut().poll(cx).is_pending() => {
                    return Poll::Pending;
                }
                (_, true) => self.start_next(),
            }
        }
    }

    fn poll_running(&mut self, cx: &mut Context<'_>) -> Option<T> {
        for (_, state) in &mut self.lanes {
            let State::Running(dialling) = state else {
                continue;
            };
            match dialling.as_mut().poll(cx) {
                Poll::Ready(Ok(winner)) => return Some(winner),
                Poll::Ready(Err(error)) => *state = State::Failed(error),
                Poll::Pending => {}
            }
        }
        None
    }

    fn start_next(&mut self) {
        let next = self.lanes.iter_mut().find(|(_, state)| matches!(state, State::Waiting));
        if let Some((address, state)) = next {
            *state = State::Running((self.dial)(*address));
            let until = Instant::now() + CONNECTION_ATTEMPT_DELAY;
            self.head_start.as_mut().reset(until);
        }
    }

    fn attempts(&mut self) -> Vec<Attempt> {
        let timed_out = |text| io::Error::new(io::ErrorKind::TimedOut, text);
        self.lanes
            .drain(..)
            .map(|(address, state)| Attempt {
                address: Some(address),
                error: match state {
                    State::Waiting => timed_out("not tried, the time was up"),
                    State::Running(_) => timed_out("no answer in time"),
                    State::Failed(error) => error,
                },
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const REFUSED: io::ErrorKind = io::ErrorKind::ConnectionRefused;

    fn addresses(count: u16) -> Vec<SocketAddr> {
        (0..count).map(|port| ([10, 0, 0, 1], port).into()).collect()
    }

    /// The port of the winner, how many were dialled, and the time it took in ms. `answers[port]` is the answer and its
    /// delay in ms.
    async fn run(answers: Vec<(u64, Result<(), io::ErrorKind>)>) -> (Option<u16>, usize, u64) {
        let start = Instant::now();
        let mut dialled = 0;
        let count = answers.len() as u16;
        let deadline = start + Duration::from_secs(10);
        let result = race(addresses(count), deadline, |address| {
            dialled += 1;
            let (delay, answer) = answers[usize::from(address.port())];
            Box::pin(async move {
                sleep(Duration::from_millis(delay)).await;
                answer.map(|()| address.port()).map_err(io::Error::from)
            })
        })
        .await;
        let elapsed = start.elapsed().as_millis() as u64;
        (result.ok(), dialled, elapsed)
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_address_that_answers_is_the_only_one_dialled() {
        let all_good = vec![(100, Ok(())), (0, Ok(()))];
        assert_eq!(run(all_good).await, (Some(0), 1, 100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_the_next_by_250_ms() {
        let silent_first = vec![(60_000, Ok(())), (10, Ok(()))];
        let (winner, dialled, elapsed) = run(silent_first).await;
        assert_eq!((winner, dialled), (Some(1), 2));
        assert!((260..=265).contains(&elapsed), "{elapsed} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_address_does_not_delay_the_next() {
        let refused_first = vec![(1, Err(REFUSED)), (1, Err(REFUSED)), (1, Ok(()))];
        let (winner, dialled, elapsed) = run(refused_first).await;
        assert_eq!((winner, dialled), (Some(2), 3));
        assert!(elapsed <= 6, "{elapsed} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_address_can_still_win_after_a_later_one_began() {
        let slow_first = vec![(300, Ok(())), (300, Ok(()))];
        let (winner, dialled, _) = run(slow_first).await;
        assert_eq!((winner, dialled), (Some(0), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_each_address_has_its_cause() {
        let deadline = Instant::now() + Duration::from_millis(400);
        let attempts = race::<(), _>(addresses(4), deadline, |address| {
            Box::pin(async move {
                if address.port() == 0 {
                    return Err(REFUSED.into());
                }
                std::future::pending().await
            })
        })
        .await
        .unwrap_err();
        let causes: Vec<_> = attempts.iter().map(|a| a.error.to_string()).collect();
        assert_eq!(causes[0], "connection refused");
        assert_eq!(causes[1], "no answer in time");
        assert_eq!(causes[2], "no answer in time");
        assert_eq!(causes[3], "not tried, the time was up");
    }
}
