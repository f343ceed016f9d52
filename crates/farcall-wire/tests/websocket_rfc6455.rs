//! One WebSocket engine against RFC 6455, sections 5 to 8.

mod websocket_support;

use std::time::Duration;

use bytes::Bytes;
use farcall_wire::Side;
use farcall_wire::http2::Role;
use farcall_wire::websocket::frame::OpCode;
use farcall_wire::websocket::{CloseCode, Config, Engine, Error, Event, SendError};
use websocket_support::raw::{Handmade, Raw, Sent, close_payload, part, whole};

fn text(text: &str) -> Event {
    Event::Text(Bytes::copy_from_slice(text.as_bytes()))
}

fn unmasked(opcode: OpCode, payload: &[u8]) -> Handmade<'_> {
    Handmade { masked: false, ..whole(opcode, payload) }
}

/// The one frame that the engine sent: its kind and payload.
#[track_caller]
fn only(sent: &[Sent]) -> (OpCode, &[u8]) {
    let [frame] = sent else { panic!("expected one frame, got {sent:?}") };
    (frame.opcode, &frame.payload)
}

mod section_5_1_overview {
    use super::*;

    #[test]
    fn a_server_closes_the_connection_upon_a_frame_that_is_not_masked() {
        let mut raw = Raw::server();
        raw.frame(unmasked(OpCode::Text, b"hello"));
        assert!(raw.assert_failed(1002).contains("not masked"));
    }

    #[test]
    fn a_client_closes_the_connection_upon_a_frame_that_is_masked() {
        let mut raw = Raw::client();
        raw.frame(whole(OpCode::Text, b"hello"));
        assert!(raw.assert_failed(1002).contains("masked"));
    }

    #[test]
    fn a_client_masks_all_frames_and_a_server_none() {
        for (mut raw, masks) in [(Raw::client(), true), (Raw::server(), false)] {
            raw.engine.send_text("hello").unwrap();
            raw.engine.send_binary(b"octets").unwrap();
            raw.engine.ping(b"?").unwrap();
            raw.engine.close(CloseCode::NORMAL, "bye", raw.now);
            let sent = raw.sent();
            assert_eq!(sent.len(), 4);
            assert!(sent.iter().all(|frame| frame.masked == masks), "{sent:?}");
            assert_eq!(sent[0].payload, b"hello");
        }
    }

    #[test]
    fn each_frame_has_a_new_key() {
        let mut raw = Raw::client();
        for _ in 0..20 {
            raw.engine.send_binary(&[0; 4]).unwrap();
        }
        let output = raw.engine.output().split();
        let keys: Vec<&[u8]> = output.chunks(10).map(|frame| &frame[2..6]).collect();
        assert!(keys.iter().enumerate().all(|(at, key)| !keys[..at].contains(key)));
    }
}

mod section_5_2_base_framing_protocol {
    use super::*;

    #[test]
    fn reserved_bits_fail_the_connection() {
        for (rsv1, rsv23) in [(true, 0), (false, 1), (false, 2), (true, 3)] {
            for opcode in [OpCode::Text, OpCode::Ping] {
                let mut raw = Raw::server();
                raw.frame(Handmade { rsv1, rsv23, ..whole(opcode, b"x") });
                assert!(raw.assert_failed(1002).contains("reserved bit"));
            }
        }
    }

    #[test]
    fn unknown_opcodes_fail_the_connection() {
        for number in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            let mut raw = Raw::server();
            raw.frame(whole(OpCode::from_u8(number), b"x"));
            assert!(raw.assert_failed(1002).contains("reserved opcode"));
        }
    }

    #[test]
    fn messages_of_all_lengths_arrive_whatever_the_pieces() {
        for length in [0_u32, 1, 125, 126, 127, 128, 2047, 2048, 65_535, 65_536, 100_000] {
            for piece in [1, 997, 2048, usize::MAX] {
                if piece == 1 && length > 3000 {
                    continue;
                }
                let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
                let mut raw = Raw::server();
                let frame = whole(OpCode::Binary, &payload).bytes();
                frame.chunks(piece.min(frame.len())).for_each(|piece| raw.bytes(piece));
                assert_eq!(raw.events(), [Event::Binary(payload.clone().into())]);
            }
        }
    }

    #[test]
    fn an_echo_of_all_lengths_is_read_by_the_other_end() {
        let mut raw = Raw::server();
        let mut client = Engine::new(Role::Client, Config::default(), raw.now);
        for length in [0, 125, 126, 65_535, 65_536, 3 << 20] {
            let payload = Bytes::from(vec![7; length]);
            client.send_binary(&payload).unwrap();
            raw.engine.receive(client.output(), raw.now);
            let events = raw.events();
            assert_eq!(events, [Event::Binary(payload.clone())]);
            raw.engine.send_binary(&payload).unwrap();
            client.receive(raw.engine.output(), raw.now);
            assert_eq!(client.poll_event(), Some(Event::Binary(payload)));
        }
    }
}

mod section_5_4_fragmentation {
    use super::*;

    #[test]
    fn fragments_are_one_message() {
        let mut raw = Raw::server();
        raw.frame(part(OpCode::Text, b"Hel"));
        assert_eq!(raw.events(), []);
        raw.frame(part(OpCode::Continuation, b""));
        raw.frame(whole(OpCode::Continuation, b"lo"));
        assert_eq!(raw.events(), [text("Hello")]);
    }

    #[test]
    fn control_frames_come_between_fragments_and_are_answered_at_once() {
        let mut raw = Raw::server();
        raw.frame(part(OpCode::Text, b"Hel"));
        raw.frame(whole(OpCode::Ping, b"now"));
        assert_eq!(only(&raw.sent()), (OpCode::Pong, &b"now"[..]));
        raw.frame(whole(OpCode::Continuation, b"lo"));
        assert_eq!(raw.events(), [Event::Ping(Bytes::from_static(b"now")), text("Hello")]);
    }

    #[test]
    fn a_continuation_of_nothing_fails_the_connection() {
        for fin in [true, false] {
            let mut raw = Raw::server();
            raw.frame(Handmade { fin, ..whole(OpCode::Continuation, b"x") });
            raw.assert_failed(1002);
        }
        let mut raw = Raw::server();
        raw.text("whole");
        raw.frame(whole(OpCode::Continuation, b"x"));
        assert_eq!(raw.engine.poll_event(), Some(text("whole")));
        raw.assert_failed(1002);
    }

    #[test]
    fn fragments_of_two_messages_are_not_mixed() {
        for opcode in [OpCode::Text, OpCode::Binary] {
            let mut raw = Raw::server();
            raw.frame(part(OpCode::Text, b"one"));
            raw.frame(whole(opcode, b"two"));
            assert!(raw.assert_failed(1002).contains("within another"));
        }
    }

    #[test]
    fn longer_messages_than_a_frame_may_be_are_sent_in_several() {
        let mut config = Config::default();
        config.limits.max_frame_size = 4;
        let mut raw = Raw::server_with(config);
        raw.engine.send_text("0123456789").unwrap();
        let sent = raw.sent();
        let parts: Vec<_> =
            sent.iter().map(|frame| (frame.opcode, frame.fin, &frame.payload[..])).collect();
        assert_eq!(
            parts,
            [
                (OpCode::Text, false, &b"0123"[..]),
                (OpCode::Continuation, false, b"4567"),
                (OpCode::Continuation, true, b"89"),
            ]
        );
    }
}

mod section_5_5_control_frames {
    use super::*;

    #[test]
    fn they_are_not_longer_than_125_octets() {
        for opcode in [OpCode::Ping, OpCode::Pong, OpCode::Close] {
            let mut raw = Raw::server();
            raw.frame(whole(opcode, &[b'x'; 126]));
            assert!(raw.assert_failed(1002).contains("126 octets"));
        }
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Ping, &[b'x'; 125]));
        assert_eq!(only(&raw.sent()), (OpCode::Pong, &[b'x'; 125][..]));
    }

    #[test]
    fn they_are_not_fragmented() {
        for opcode in [OpCode::Ping, OpCode::Pong, OpCode::Close] {
            let mut raw = Raw::server();
            raw.frame(part(opcode, b""));
            assert!(raw.assert_failed(1002).contains("fragmented"));
        }
    }

    #[test]
    fn each_ping_is_answered_with_its_octets() {
        let mut raw = Raw::server();
        for number in 0..10_u8 {
            raw.frame(whole(OpCode::Ping, &[number]));
        }
        let sent = raw.sent();
        let answers: Vec<&[u8]> = sent.iter().map(|frame| &frame.payload[..]).collect();
        assert_eq!(answers, (0..10).map(|number| [number]).collect::<Vec<_>>());
        assert!(sent.iter().all(|frame| frame.opcode == OpCode::Pong));
    }

    #[test]
    fn an_answer_of_the_application_goes_behind_the_pong_for_an_earlier_ping() {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Ping, b"first"));
        raw.text("second");
        raw.engine.send_text("answer").unwrap();
        let opcodes: Vec<OpCode> = raw.sent().iter().map(|frame| frame.opcode).collect();
        assert_eq!(opcodes, [OpCode::Pong, OpCode::Text]);
    }

    #[test]
    fn a_pong_that_nobody_asked_for_is_not_answered() {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Pong, b"hello"));
        assert_eq!(raw.sent(), []);
        assert_eq!(raw.events(), [Event::Pong(Bytes::from_static(b"hello"))]);
    }
}

mod section_5_5_1_close {
    use super::*;

    #[test]
    fn close_is_answered_with_its_code_and_ends_the_websocket() {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
            let mut raw = Raw::server();
            raw.frame(whole(OpCode::Close, &close_payload(code, b"bye")));
            assert_eq!(only(&raw.sent()), (OpCode::Close, &code.to_be_bytes()[..]));
            assert!(raw.engine.is_closed());
            let code = CloseCode::new(code);
            let closed = Event::Close { code, reason: "bye".to_owned() };
            assert_eq!(raw.events(), [closed, Event::Closed { error: None }]);
        }
    }

    #[test]
    fn close_without_a_code_is_answered_without_one() {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Close, b""));
        assert_eq!(only(&raw.sent()), (OpCode::Close, &b""[..]));
        assert!(raw.engine.is_closed());
    }

    #[test]
    fn a_payload_of_one_octet_fails_the_connection() {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Close, b"\x03"));
        assert!(raw.assert_failed(1002).contains("one octet"));
    }

    #[test]
    fn a_reason_that_is_not_utf8_fails_the_connection() {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Close, &close_payload(1000, b"\xce\xba\xe1\xbd")));
        raw.assert_failed(1007);
    }

    #[test]
    fn nothing_is_read_behind_close() {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Close, &close_payload(1000, b"")));
        raw.text("late");
        raw.frame(whole(OpCode::Ping, b"late"));
        assert_eq!(only(&raw.sent()).0, OpCode::Close);
        assert_eq!(raw.events().len(), 2);
    }

    #[test]
    fn what_the_application_answers_to_earlier_messages_goes_before_the_answer() {
        let mut raw = Raw::server();
        let mut bytes = whole(OpCode::Text, b"question").bytes();
        bytes.extend(whole(OpCode::Close, &close_payload(1000, b"")).bytes());
        raw.bytes(&bytes);
        assert_eq!(raw.engine.poll_event(), Some(text("question")));
        raw.engine.send_text("answer").unwrap();
        let opcodes: Vec<OpCode> = raw.sent().iter().map(|frame| frame.opcode).collect();
        assert_eq!(opcodes, [OpCode::Text, OpCode::Close]);
    }

    #[test]
    fn nothing_is_sent_behind_our_close() {
        let mut raw = Raw::server();
        raw.engine.close(CloseCode::GOING_AWAY, "restart", raw.now);
        assert_eq!(raw.engine.send_text("late"), Err(SendError::Closed));
        assert_eq!(raw.engine.ping(b"late"), Err(SendError::Closed));
        raw.engine.close(CloseCode::NORMAL, "again", raw.now);
        raw.frame(whole(OpCode::Ping, b"late"));
        let sent = raw.sent();
        assert_eq!(only(&sent), (OpCode::Close, &close_payload(1001, b"restart")[..]));
    }

    #[test]
    fn a_reason_is_cut_at_a_character() {
        let mut raw = Raw::server();
        raw.engine.close(CloseCode::NORMAL, &"ä".repeat(100), raw.now);
        let sent = raw.sent();
        assert_eq!(sent[0].payload[2..], *"ä".repeat(61).as_bytes());
    }
}

mod section_7_closing_the_connection {
    use super::*;

    #[test]
    fn an_end_of_input_without_close_is_an_error() {
        let mut raw = Raw::server();
        raw.engine.receive_eof(raw.now);
        let events = raw.events();
        let [Event::Closed { error: Some(Error { code: None, by: Side::Remote, .. }) }] =
            events[..]
        else {
            panic!("{events:?}");
        };
        assert!(raw.engine.is_closed());
        assert_eq!(raw.engine.next_timeout(), None);
    }

    #[test]
    fn close_of_both_ends_is_a_clean_end() {
        let mut raw = Raw::client();
        raw.engine.close(CloseCode::NORMAL, "", raw.now);
        raw.sent();
        assert!(!raw.engine.is_closed());
        raw.frame(unmasked(OpCode::Text, b"on its way"));
        raw.frame(unmasked(OpCode::Close, &close_payload(1000, b"")));
        assert!(raw.engine.is_closed());
        raw.engine.receive_eof(raw.now);
        let events = raw.events();
        assert_eq!(events[0], text("on its way"));
        assert_eq!(events[2..], [Event::Closed { error: None }]);
        assert_eq!(raw.sent(), []);
    }

    #[test]
    fn a_peer_that_does_not_answer_close_is_waited_for_ten_seconds() {
        let mut raw = Raw::server();
        raw.engine.close(CloseCode::NORMAL, "", raw.now);
        raw.sent();
        raw.pass(Duration::from_millis(9_999));
        assert!(!raw.engine.is_closed());
        raw.pass(Duration::from_millis(1));
        assert!(raw.engine.is_closed());
        let events = raw.events();
        assert!(matches!(events[..], [Event::Closed { error: Some(_) }]), "{events:?}");
    }

    #[test]
    fn section_7_4_2_codes_that_must_not_be_sent_fail_the_connection() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            let mut raw = Raw::server();
            raw.frame(whole(OpCode::Close, &close_payload(code, b"")));
            assert!(raw.assert_failed(1002).contains("illegal code"), "{code}");
        }
    }

    #[test]
    fn section_7_1_7_messages_before_an_error_are_delivered_and_may_be_answered() {
        let mut raw = Raw::server();
        let mut bytes = whole(OpCode::Text, b"good").bytes();
        bytes.extend(whole(OpCode::Reserved(3), b"bad").bytes());
        bytes.extend(whole(OpCode::Text, b"unread").bytes());
        raw.bytes(&bytes);
        assert_eq!(raw.engine.poll_event(), Some(text("good")));
        assert_eq!(raw.engine.poll_event(), None);
        raw.engine.send_text("answer").unwrap();
        let opcodes: Vec<OpCode> = raw.sent().iter().map(|frame| frame.opcode).collect();
        assert_eq!(opcodes, [OpCode::Text, OpCode::Close]);
    }

    #[test]
    fn an_error_says_what_came() {
        let mut raw = Raw::server();
        raw.frame(unmasked(OpCode::Text, b"x"));
        raw.engine.fill(raw.now);
        let Some(Event::Closed { error: Some(error) }) = raw.engine.poll_event() else { panic!() };
        assert_eq!(
            error.to_string(),
            "WebSocket ended here (1002): a frame of a client that is not masked"
        );
    }
}

mod section_8_1_errors_in_utf8 {
    use super::*;

    #[test]
    fn text_that_is_not_utf8_fails_the_connection_at_its_first_wrong_octet() {
        let mut raw = Raw::server();
        raw.frame(part(OpCode::Text, "κόσμε".as_bytes()));
        // A surrogate, of which the second octet is wrong, in a frame that is not complete.
        let frame = part(OpCode::Continuation, b"\xed\xa0\x80edited").bytes();
        raw.bytes(&frame[..7]);
        assert!(!raw.sent().iter().any(|frame| frame.opcode == OpCode::Close));
        raw.bytes(&frame[7..8]);
        raw.assert_failed(1007);
    }

    #[test]
    fn a_character_may_be_split_over_frames_but_not_unfinished() {
        let mut raw = Raw::server();
        for octet in "ä€𝄞".as_bytes() {
            let first = raw.events().is_empty() && *octet == 0xc3;
            let opcode = if first { OpCode::Text } else { OpCode::Continuation };
            raw.frame(part(opcode, &[*octet]));
        }
        raw.frame(whole(OpCode::Continuation, b""));
        assert_eq!(raw.events(), [text("ä€𝄞")]);
        raw.frame(whole(OpCode::Text, b"\xe2\x82"));
        raw.assert_failed(1007);
    }

    #[test]
    fn binary_messages_are_not_judged() {
        let mut raw = Raw::server();
        raw.frame(whole(OpCode::Binary, b"\xff\xfe"));
        assert_eq!(raw.events(), [Event::Binary(Bytes::from_static(b"\xff\xfe"))]);
    }
}

mod keepalive {
    use super::*;

    #[test]
    fn a_silent_peer_is_asked_after_a_minute_and_given_up_twenty_seconds_later() {
        let mut raw = Raw::server();
        raw.pass(Duration::from_secs(59));
        assert_eq!(raw.sent(), []);
        raw.pass(Duration::from_secs(1));
        assert_eq!(only(&raw.sent()).0, OpCode::Ping);
        raw.pass(Duration::from_secs(19));
        assert!(!raw.engine.is_closed());
        raw.pass(Duration::from_secs(1));
        assert!(raw.engine.is_closed());
    }

    #[test]
    fn any_answer_keeps_it_alive() {
        let mut raw = Raw::server();
        for _ in 0..5 {
            raw.pass(Duration::from_secs(75));
            let sent = raw.sent();
            assert_eq!(only(&sent).0, OpCode::Ping);
            raw.frame(whole(OpCode::Pong, &sent[0].payload));
        }
        assert!(!raw.engine.is_closed());
    }
}
