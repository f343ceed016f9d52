//! What the first bytes of a connection say, byte by byte.

use farcall_wire::detect::{Detected, NATIVE_MAGIC, detect};
use farcall_wire::http2::frame::CLIENT_PREFACE;
use proptest::collection::vec;
use proptest::prelude::*;

/// Every prefix is undecided up to `decided_at` octets and says `expected` from there on, whatever
/// follows.
#[track_caller]
fn assert_detected(bytes: &[u8], expected: Detected, decided_at: usize) {
    for length in 0..=bytes.len() {
        let wanted = if length < decided_at { Detected::More } else { expected };
        let prefix = &bytes[..length];
        assert_eq!(detect(prefix), wanted, "{}", prefix.escape_ascii());
    }
}

#[test]
fn http2_is_its_whole_preface_and_nothing_less() {
    assert_detected(CLIENT_PREFACE, Detected::Http2, 24);
    assert_detected(&[CLIENT_PREFACE, b"\0\0\0\x04"].concat(), Detected::Http2, 24);
    assert_detected(b"PRI /index HTTP/1.1\r\n", Detected::Http1, 5);
    assert_detected(b"PRI * HTTP/2.0\r\n\r\nXX", Detected::Http1, 19);
    assert_detected(b"PRIVMSG #x :y\r\n", Detected::Http1, 8);
}

#[test]
fn http1_is_a_method_and_a_space() {
    assert_detected(b"GET / HTTP/1.1\r\n", Detected::Http1, 4);
    assert_detected(b"POST /a HTTP/1.1\r\n", Detected::Http1, 5);
    assert_detected(b"OPTIONS * HTTP/1.1\r\n", Detected::Http1, 8);
    assert_detected(b"FOO x", Detected::Http1, 4);
    assert_detected(b"M-SEARCH * HTTP/1.1\r\n", Detected::Http1, 9);
    assert_detected(b"UPDATEREDIRECTREFABC /", Detected::Http1, 21);
    assert_detected(b"get / http/1.1\r\n", Detected::Http1, 4);
}

#[test]
fn one_empty_line_before_a_request_is_ignored() {
    assert_detected(b"\r\nGET / HTTP/1.1\r\n", Detected::Http1, 6);
    assert_detected(b"\r\nUPDATEREDIRECTREFABC /", Detected::Http1, 23);
    assert_detected(b"\r\n\r\nGET /", Detected::Unknown, 3);
    assert_detected(b"\rGET /", Detected::Unknown, 2);
    assert_detected(b"\nGET /", Detected::Unknown, 1);
    assert_detected(b"\r\n\r\n\0\r\nQUIT\n", Detected::Unknown, 3);
}

#[test]
fn a_method_of_more_than_twenty_octets_is_unknown() {
    assert_detected(&[b'A'; 40], Detected::Unknown, 21);
    assert_detected(b" GET / HTTP/1.1", Detected::Unknown, 1);
    assert_detected(b"GET\t/ HTTP/1.1", Detected::Unknown, 4);
    assert_detected(b"GET\r\n", Detected::Unknown, 4);
}

#[test]
fn tls_is_a_handshake_record_with_a_client_hello() {
    for minor in 0..=4 {
        assert_detected(&[0x16, 3, minor, 2, 0, 1, 0, 1, 0xfc, 3, 3], Detected::Tls, 6);
    }
    // A hello in records of one octet each, and in the largest one.
    assert_detected(&[0x16, 3, 1, 0, 1, 1, 0x16, 3, 1], Detected::Tls, 6);
    assert_detected(&[0x16, 3, 1, 0x40, 0, 1], Detected::Tls, 6);
}

#[test]
fn other_records_are_not_the_begin_of_tls() {
    assert_detected(&[0x16, 2, 0, 0], Detected::Unknown, 2);
    assert_detected(&[0x16, 3, 5, 0], Detected::Unknown, 3);
    assert_detected(&[0x16, 3, 1, 0x41, 0, 1], Detected::Unknown, 4);
    assert_detected(&[0x16, 3, 1, 0x40, 1, 1], Detected::Unknown, 5);
    assert_detected(&[0x16, 3, 1, 0, 0, 1], Detected::Unknown, 5);
    assert_detected(&[0x16, 3, 1, 0, 5, 2], Detected::Unknown, 6);
    assert_detected(&[0x15, 3, 1, 0, 2, 2, 40], Detected::Unknown, 1);
    assert_detected(&[0x17, 3, 3, 0, 2, 2], Detected::Unknown, 1);
}

#[test]
fn an_sslv2_hello_is_unknown() {
    assert_detected(&[0x80, 0x2e, 1, 3, 1, 0, 0x15], Detected::Unknown, 1);
    assert_detected(&[0, 0x2e, 1, 0, 2], Detected::Unknown, 1);
}

#[test]
fn native_is_its_magic() {
    assert_detected(NATIVE_MAGIC, Detected::Native, 8);
    assert_detected(b"FARCALL1\0\0\x01", Detected::Native, 8);
    assert_detected(b"FARCALL2 x", Detected::Http1, 9);
    assert_detected(b"FARCALL\0", Detected::Unknown, 8);
    assert_detected(b"\r\nFARCALL1\0", Detected::Unknown, 11);
}

#[test]
fn banners_and_garbage_are_unknown() {
    for banner in ["SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-Go\r\n", "SSH-1.99 x\r\n"] {
        assert_detected(banner.as_bytes(), Detected::Unknown, 4);
    }
    assert_detected(b"HTTP/1.1 200 OK\r\n", Detected::Unknown, 5);
    assert_detected(b"{\"jsonrpc\":", Detected::Unknown, 1);
    assert_detected(b"*1\r\n$4\r\nPING\r\n", Detected::Unknown, 3);
    assert_detected(&[0xff; 30], Detected::Unknown, 1);
    assert_detected(&[0; 30], Detected::Unknown, 1);
}

proptest! {
    #[test]
    fn a_decision_comes_within_24_octets_and_never_changes(
        begin in 0_usize..8,
        cut in 0_usize..24,
        garbage in vec(any::<u8>(), 0..40),
    ) {
        let begins: [&[u8]; 8] = [
            b"", CLIENT_PREFACE, NATIVE_MAGIC, b"GET / HTTP", b"\r\nOPTIONS",
            &[0x16, 3, 1, 2, 0, 1], b"AAAAAAAAAAAAAAAAAAAA", b"SSH-2",
        ];
        let begin = begins[begin];
        let mut bytes = begin[..cut.min(begin.len())].to_vec();
        bytes.extend_from_slice(&garbage);
        let mut decided = Detected::More;
        for length in 0..=bytes.len() {
            let now = detect(&bytes[..length]);
            prop_assert!(decided == Detected::More || now == decided);
            prop_assert!(length < 24 || now != Detected::More);
            decided = now;
        }
    }
}
