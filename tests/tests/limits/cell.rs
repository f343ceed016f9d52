//! One cell of the table and its test.

use std::future::Future;
use std::time::Duration;

use farcall::limits::{Bound, Scope, all};

/// A limit in one place, and the probe that shows that it holds.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) scope: Scope,
    pub(crate) limit: &'static str,
    pub(crate) probe: fn(Bound),
}

/// A column of the table: for each of its cells the name of a test, the limit, and the probe that is given its bound.
macro_rules! cells {
    ($scope:ident: $($test:ident: $limit:literal => $probe:expr;)*) => {
        /// The cells that are tested here.
        pub(crate) const CELLS: &[crate::cell::Cell] = &[
            $(crate::cell::Cell {
                scope: farcall::limits::Scope::$scope,
                limit: $limit,
                probe: $probe,
            }),*
        ];

        mod holds {
            $(
                #[test]
                fn $test() {
                    crate::cell::run(super::CELLS, $limit);
                }
            )*
        }
    };
}

/// Runs the probe of one limit.
pub(crate) fn run(column: &[Cell], limit: &str) {
    let cell = column.iter().find(|cell| cell.limit == limit).expect("a cell of this column");
    (cell.probe)(bound(limit, cell.scope));
}

/// What the table has there.
fn bound(limit: &str, scope: Scope) -> Bound {
    let row = all().into_iter().find(|row| row.name == limit);
    let row = row.unwrap_or_else(|| panic!("no row {limit}"));
    row.at(scope).unwrap_or_else(|| panic!("{limit} does not hold for {}", scope.name()))
}

/// Runs a probe that talks to others. The time is only there so that a wedged one is told of.
pub(crate) fn live(probe: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_mins(1), probe).await.expect("an answer");
    });
}

/// So many, or so many bytes.
pub(crate) fn number(bound: Bound) -> usize {
    match bound {
        Bound::Count(number) | Bound::Bytes(number) => usize::try_from(number).unwrap(),
        other => panic!("expected a number, got {other:?}"),
    }
}

/// So long.
pub(crate) fn time(bound: Bound) -> Duration {
    match bound {
        Bound::Time(time) => time,
        other => panic!("expected a time, got {other:?}"),
    }
}

/// A moment before the time is over, and the moment that is missing.
pub(crate) const MOMENT: Duration = Duration::from_millis(1);

/// That a token bucket lets through what its bound says: the burst, then what comes back in a while, and no more.
///
/// `act` does it once after so much time and says whether it was let through.
pub(crate) fn assert_rate(bound: Bound, mut act: impl FnMut(Duration) -> bool) {
    let Bound::Rate { burst, per_second } = bound else { panic!("expected a rate: {bound:?}") };
    for number in 0..burst {
        assert!(act(Duration::ZERO), "number {number} of a burst of {burst}");
    }
    // A hundredth more than it takes: what comes back is counted in fractions.
    let pause = Duration::from_secs_f64(1.01 / per_second);
    for number in 0..burst.min(50) {
        assert!(act(pause), "number {number} at {per_second} per second");
    }
    assert!(!act(Duration::ZERO), "one more than a burst of {burst}");
}
