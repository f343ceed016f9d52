//! Methods, paths and deadlines.

use std::time::{Duration, Instant};

use farcall_core::deadline::MAX_TIMEOUT;
use farcall_core::method::split_path;
use farcall_core::{Deadline, Idempotency, Kind, Method};

static SAY_HELLO: Method = Method {
    service: "greet.v1.Greeter",
    name: "SayHello",
    path: "/greet.v1.Greeter/SayHello",
    kind: Kind::Unary,
    idempotency: Idempotency::NoSideEffects,
};

#[test]
fn a_path_is_service_and_method() {
    assert_eq!(split_path(SAY_HELLO.path.as_bytes()), Some((SAY_HELLO.service, SAY_HELLO.name)));
    assert_eq!(SAY_HELLO.to_string(), "greet.v1.Greeter/SayHello");
}

#[test]
fn g13_a_path_of_another_form_names_no_method() {
    let paths: [&[u8]; 13] = [
        b"",
        b"/",
        b"//",
        b"*",
        b"greet.v1.Greeter/SayHello",
        b"//greet.v1.Greeter/SayHello",
        b"/greet.v1.Greeter//SayHello",
        b"/greet.v1.Greeter/SayHello/",
        b"/greet.v1.Greeter/Say/Hello",
        b"/greet.v1.Greeter%2FSayHello",
        b"/greet.v1.Greeter/SayHello?x=1",
        b"/greet.v1.Greeter/",
        b"/greet.v1.Greeter/\xff",
    ];
    for path in paths {
        assert_eq!(split_path(path), None, "{}", path.escape_ascii());
    }
    let other_case = split_path(b"/greet.v1.greeter/sayhello");
    assert_eq!(other_case, Some(("greet.v1.greeter", "sayhello")), "paths are case-sensitive");
}

#[test]
fn kinds_say_which_side_streams() {
    let sides = |kind: Kind| (kind.streams_requests(), kind.streams_replies());
    assert_eq!(sides(Kind::Unary), (false, false));
    assert_eq!(sides(Kind::ClientStreaming), (true, false));
    assert_eq!(sides(Kind::ServerStreaming), (false, true));
    assert_eq!(sides(Kind::Bidirectional), (true, true));
}

#[test]
fn a_deadline_does_not_move() {
    let now = Instant::now();
    let deadline = Deadline::after(now, Duration::from_millis(200));
    assert_eq!(deadline.remaining(now + Duration::from_millis(50)), Duration::from_millis(150));
    assert!(!deadline.has_passed(now));
    assert!(deadline.has_passed(now + Duration::from_millis(200)));
    assert_eq!(deadline.remaining(now + Duration::from_secs(1)), Duration::ZERO);
    assert_eq!(Deadline::at(deadline.instant()), deadline);
}

#[test]
fn the_earliest_deadline_counts_and_none_is_no_limit() {
    let now = Instant::now();
    let [early, late] = [1, 2].map(|seconds| Deadline::after(now, Duration::from_secs(seconds)));
    assert_eq!(Deadline::earliest(Some(late), Some(early)), Some(early));
    assert_eq!(Deadline::earliest(None, Some(late)), Some(late));
    assert_eq!(Deadline::earliest(Some(late), None), Some(late));
    assert_eq!(Deadline::earliest(None, None), None);
}

#[test]
fn g10_a_timeout_beyond_a_year_is_a_year() {
    let now = Instant::now();
    assert_eq!(Deadline::after(now, Duration::MAX).remaining(now), MAX_TIMEOUT);
}
