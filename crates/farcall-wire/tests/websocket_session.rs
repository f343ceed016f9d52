//! The messages of the subprotocol `farcall.v1`, octet by octet as `docs/websocket.md` describes them.

mod websocket_support;

use std::time::Duration;

use bytes::Bytes;
use farcall_wire::http2::{ErrorCode, Role};
use farcall_wire::websocket::SessionConfig;
use farcall_wire::websocket::frame::OpCode;
use farcall_wire::{Event, Fields, Side, StreamId};
use websocket_support::pair::{request_head, response_head, status_trailers};
use websocket_support::raw::{close_payload, parse_frames, whole};
use websocket_support::session::{
    REQUEST, RESPONSE, Raw, credit, data, goaway, head, message, reset, trailers,
};

mod messages {
    use super::*;

    #[test]
    fn a_call_as_the_server_sees_and_answers_it() {
        let mut raw = Raw::server();
        raw.message(&head(1, false, REQUEST));
        raw.message(&data(1, false, b"ques"));
        raw.message(&data(1, true, b"tion"));
        let events = raw.events();
        let [
            Event::Request { stream, head, end: false },
            Event::Data { data: first, credit: 4, end: false, .. },
            Event::Data { data: second, credit: 4, end: true, .. },
        ] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(
            (head.method(), head.path()),
            (&b"POST"[..], &b"/greet.v1.Greeter/SayHello"[..])
        );
        assert_eq!(head.fields().get("content-type"), Some(&b"application/grpc"[..]));
        assert_eq!([&first[..], &second[..]].concat(), b"question");

        raw.session.send_head(*stream, &response_head(), false).unwrap();
        raw.session.send_data(*stream, Bytes::from_static(b"answer"), false).unwrap();
        raw.session.send_trailers(*stream, &status_trailers()).unwrap();
        let head = [&[1, 0, 0, 0, 1, 0], RESPONSE.as_bytes()].concat();
        let data = b"\x02\0\0\0\x01\0answer".to_vec();
        let trailers = b"\x03\0\0\0\x01grpc-status: 0\n".to_vec();
        assert_eq!(raw.sent(), [head, data, trailers]);
    }

    #[test]
    fn a_call_as_the_client_sends_and_sees_it() {
        let mut raw = Raw::client();
        let stream = raw.session.open(&request_head(), false).unwrap();
        raw.session.send_data(stream, Bytes::from_static(b"question"), true).unwrap();
        assert_eq!(raw.sent(), [head(1, false, REQUEST), data(1, true, b"question")]);
        raw.message(&head(1, false, RESPONSE));
        raw.message(&data(1, false, b"answer"));
        raw.message(&trailers(1, "grpc-status: 0\ngrpc-message: \n"));
        let events = raw.events();
        let [
            Event::Response { head, end: false, .. },
            Event::Data { data, .. },
            Event::Trailers { fields, .. },
        ] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!((head.status(), &data[..]), (200, &b"answer"[..]));
        assert_eq!(fields.get("grpc-message"), Some(&b""[..]));
    }

    #[test]
    fn a_response_without_content_ends_with_its_head() {
        let mut raw = Raw::asked();
        let head = Fields::from_iter([(":status", "404")]);
        raw.session.send_head(StreamId(1), &head, true).unwrap();
        assert_eq!(raw.sent(), [b"\x01\0\0\0\x01\x01:status: 404\n"]);
    }

    #[test]
    fn reset_carries_the_codes_of_http2() {
        let mut raw = Raw::asked();
        raw.session.reset(StreamId(1), ErrorCode::Cancel);
        assert_eq!(raw.sent(), [b"\x04\0\0\0\x01\0\0\0\x08"]);
        let mut raw = Raw::asking();
        raw.message(&reset(1, 7, "full"));
        let events = raw.events();
        let [
            Event::Reset {
                code: ErrorCode::RefusedStream,
                by: Side::Remote,
                unprocessed: true,
                ..
            },
        ] = events[..]
        else {
            panic!("{events:?}");
        };
    }

    #[test]
    fn credit_comes_when_half_of_the_window_was_consumed() {
        let mut raw = Raw::asked();
        for _ in 0..2 {
            raw.message(&data(1, false, &[0; 16_384]));
        }
        raw.session.release(StreamId(1), 32_767);
        assert_eq!(raw.sent(), [] as [Vec<u8>; 0]);
        raw.session.release(StreamId(1), 1);
        assert_eq!(raw.sent(), [credit(1, 32_768)]);
    }

    #[test]
    fn data_waits_for_credit() {
        let mut raw = Raw::asked();
        raw.session.send_head(StreamId(1), &response_head(), false).unwrap();
        raw.session.send_data(StreamId(1), vec![7; 70_000].into(), true).unwrap();
        let sent = raw.sent();
        assert_eq!(sent[1..].iter().map(|data| data.len() - 6).sum::<usize>(), 65_536);
        raw.message(&credit(1, 10_000));
        let sent = raw.sent();
        assert_eq!((sent.len(), sent[0].len()), (1, 6 + 4_464));
        assert_eq!(sent[0][..6], [2, 0, 0, 0, 1, 1]);
    }

    #[test]
    fn a_server_with_larger_windows_says_so_at_once() {
        let mut config = SessionConfig::default();
        config.limits.stream_window = 1 << 20;
        let mut raw = Raw::with(Role::Server, config);
        raw.message(&head(1, false, REQUEST));
        assert_eq!(raw.sent(), [credit(1, (1 << 20) - 65_536)]);
        raw.message(&data(1, false, &vec![0; 65_536]));
        raw.message(&data(1, false, &vec![0; 65_536]));
        assert_eq!(raw.events().len(), 3);
    }

    #[test]
    fn goaway_tells_what_was_not_acted_upon() {
        let mut raw = Raw::client();
        for _ in 0..2 {
            raw.session.open(&request_head(), true).unwrap();
        }
        raw.message(&goaway(1, 0, "restart\x07"));
        let events = raw.events();
        let [
            Event::Reset { stream: StreamId(3), unprocessed: true, .. },
            Event::Draining { code: ErrorCode::NoError, debug },
        ] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(debug, "restart\\x07");
        assert_eq!(raw.session.open_room(), 0);
    }

    #[test]
    fn the_end_is_goaway_and_close() {
        let mut raw = Raw::asked();
        raw.session.close(ErrorCode::NoError, "stopped", raw.now);
        let close = [&[8], &close_payload(1000, b"stopped")[..]].concat();
        assert_eq!(raw.sent(), [goaway(1, 0, "stopped"), close]);
        assert!(raw.session.is_closed());
        let events = raw.events();
        assert!(
            matches!(
                events[..],
                [Event::Reset { code: ErrorCode::ConnectError, .. }, Event::Closed { error: None }]
            ),
            "{events:?}"
        );
    }

    #[test]
    fn unknown_flags_and_kinds_are_ignored() {
        let mut raw = Raw::server();
        raw.message(&message(99, 7, b"whatever"));
        raw.message(&message(0, 0, b""));
        raw.message(&message(1, 1, &[&[0xfe], REQUEST.as_bytes()].concat()));
        assert!(matches!(raw.events()[..], [Event::Request { end: false, .. }]));
    }

    #[test]
    fn what_would_be_another_field_to_the_peer_is_not_sent() {
        let mut raw = Raw::asked();
        let mut fields = response_head();
        fields.push("x-user", "evil\nset-cookie: stolen");
        fields.push("x\ny", "value");
        fields.push("X-Upper", "value");
        raw.session.send_head(StreamId(1), &fields, true).unwrap();
        assert_eq!(raw.sent(), [head(1, true, RESPONSE)]);
    }
}

mod the_end {
    use super::*;

    #[test]
    fn close_of_the_peer_with_nothing_open_is_an_orderly_end() {
        for code in [1000, 1001] {
            let mut raw = Raw::server();
            raw.frame(whole(OpCode::Close, &close_payload(code, b"")));
            assert_eq!(raw.events(), [Event::Closed { error: None }]);
            assert!(raw.session.is_closed());
            assert_eq!(raw.sent().len(), 1);
        }
        let mut raw = Raw::server();
        raw.session.receive_eof(raw.now);
        assert_eq!(raw.events(), [Event::Closed { error: None }]);
    }

    #[test]
    fn close_or_end_of_input_under_a_call_is_an_error() {
        for close in [true, false] {
            let mut raw = Raw::asked();
            if close {
                raw.frame(whole(OpCode::Close, &close_payload(1000, b"")));
            } else {
                raw.session.receive_eof(raw.now);
            }
            let events = raw.events();
            let [
                Event::Reset { code: ErrorCode::ConnectError, by: Side::Remote, .. },
                Event::Closed { error: Some(error) },
            ] = &events[..]
            else {
                panic!("{events:?}");
            };
            assert!(error.reason.contains("1 streams open"), "{error}");
        }
    }

    #[test]
    fn what_the_peer_gave_as_its_reason_is_in_the_error() {
        let mut raw = Raw::asking();
        raw.message(&goaway(0, 11, "too many"));
        raw.frame(whole(OpCode::Close, &close_payload(1008, b"too many")));
        let events = raw.events();
        let Some(Event::Closed { error: Some(error) }) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!((error.code, &*error.reason), (ErrorCode::EnhanceYourCalm, "too many"));

        let mut raw = Raw::asking();
        raw.frame(whole(OpCode::Close, &close_payload(1011, b"a \x1b[1mpanic")));
        let events = raw.events();
        let Some(Event::Closed { error: Some(error) }) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!(error.code, ErrorCode::InternalError);
        assert_eq!(error.reason, "close code 1011 \"a \\u{1b}[1mpanic\"");
    }

    #[test]
    fn a_silent_peer_is_asked_and_given_up() {
        let mut raw = Raw::asked();
        raw.now += Duration::from_mins(1);
        raw.session.handle_timeout(raw.now);
        raw.session.fill(raw.now);
        let frames = parse_frames(&mut raw.session.output().split());
        assert_eq!(frames[0].opcode, OpCode::Ping);
        raw.now += Duration::from_secs(20);
        raw.session.handle_timeout(raw.now);
        assert!(raw.session.is_closed());
        let events = raw.events();
        let Some(Event::Closed { error: Some(error) }) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!(error.reason, "the peer did not answer a Ping in time");
    }
}
