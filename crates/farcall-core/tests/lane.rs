//! The legal order of one call.

use farcall_core::exchange::OutOfOrder;
use farcall_core::{Cardinality, Lane};

#[test]
fn head_messages_end_is_the_order() {
    let mut lane = Lane::new(Cardinality::Many);
    assert!(lane.is_at_head());
    assert_eq!(lane.message(), Err(OutOfOrder::BeforeHead));
    lane.head().unwrap();
    assert_eq!(lane.head(), Err(OutOfOrder::SecondHead));
    for _ in 0..3 {
        lane.message().unwrap();
    }
    lane.end().unwrap();
    assert!(lane.is_ended());
    assert_eq!(lane.head(), Err(OutOfOrder::AfterEnd));
    assert_eq!(lane.message(), Err(OutOfOrder::AfterEnd));
    assert_eq!(lane.end(), Err(OutOfOrder::AfterEnd));
}

#[test]
fn a_lane_of_many_may_have_none() {
    let mut lane = Lane::new(Cardinality::Many);
    lane.head().unwrap();
    assert_eq!(lane.end(), Ok(()));
}

#[test]
fn a_lane_of_one_has_exactly_one() {
    let mut lane = Lane::new(Cardinality::One);
    lane.head().unwrap();
    assert_eq!(lane.end(), Err(OutOfOrder::NoMessage));
    assert!(lane.is_ended());

    let mut lane = Lane::new(Cardinality::Many);
    lane.expect(Cardinality::One);
    lane.head().unwrap();
    lane.message().unwrap();
    assert_eq!(lane.message(), Err(OutOfOrder::SecondMessage));
    assert_eq!(lane.end(), Ok(()));
}

#[test]
fn a_lane_may_fail_at_any_time() {
    let mut lane = Lane::new(Cardinality::One);
    lane.fail();
    assert!(lane.is_ended());
    assert_eq!(lane.head(), Err(OutOfOrder::AfterEnd));
}
