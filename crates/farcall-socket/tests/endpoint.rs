//! What an endpoint's URL may say, and what is said about one that is wrong.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;

use farcall_socket::{BindErrorKind, ConnectErrorKind};
use farcall_socket::{Connection, Endpoint, EndpointError, Listener, Options, Scheme, Socket};

fn parse(url: &str) -> Endpoint {
    url.parse().unwrap_or_else(|error: EndpointError| panic!("{error}"))
}

fn error(url: &str) -> EndpointError {
    url.parse::<Endpoint>().expect_err(url)
}

#[test]
fn every_scheme_is_understood_and_printed_back_as_written() {
    let urls = [
        ("tcp://127.0.0.1:8080", Scheme::Tcp),
        ("tcp://[::1]:0", Scheme::Tcp),
        ("tcp://[fe80::1%25eth0]:80", Scheme::Tcp),
        ("TCP://Example.COM:http", Scheme::Tcp),
        ("tls://example.com:443", Scheme::Tls),
        ("http://localhost", Scheme::Http),
        ("https://example.com/", Scheme::Https),
        ("ws://localhost:9000", Scheme::Ws),
        ("wss://xn--bcher-kva.example", Scheme::Wss),
        ("udp://0.0.0.0:53", Scheme::Udp),
        ("unix:///run/a b/x.sock", Scheme::Unix),
        ("shm:///run/x.shm", Scheme::Shm),
        ("mem://a.name-of_mine", Scheme::Memory),
        ("fd://3", Scheme::Descriptor),
    ];
    for (url, scheme) in urls {
        let endpoint = parse(url);
        assert_eq!(endpoint.scheme(), scheme, "{url}");
        assert_eq!(endpoint.to_string(), url);
        assert_eq!(parse(&endpoint.to_string()), endpoint);
    }
}

#[test]
fn each_part_can_be_asked_for() {
    let endpoint = parse("tcp://Example.com:8080");
    assert_eq!(endpoint.host(), Some("example.com"));
    assert_eq!(endpoint.port(), Some(8080));
    assert_eq!((endpoint.path(), endpoint.name()), (None, None));

    assert_eq!(parse("tcp://[::1]:80").host(), Some("::1"));
    let path = Some(Path::new("/run/x.sock"));
    assert_eq!(parse("unix:///run/x.sock").path(), path);
    assert_eq!(parse("shm:///run/x.sock").path(), path);
    assert_eq!(parse("mem://greeter").name(), Some("greeter"));
    assert_eq!(parse("fd://3").descriptor(), Some(3));
}

#[test]
fn a_port_may_be_a_service_name_and_web_schemes_have_one_already() {
    let ports = [
        ("tcp://h:http", 80),
        ("tcp://h:https", 443),
        ("tcp://h:telnet", 23),
        ("tcp://h:FTP", 21),
        ("udp://h:domain", 53),
        ("http://h", 80),
        ("https://h", 443),
        ("ws://h/", 80),
        ("wss://h", 443),
        ("http://h:8080", 8080),
    ];
    for (url, port) in ports {
        assert_eq!(parse(url).port(), Some(port), "{url}");
    }
}

#[test]
fn two_ways_to_write_one_place_are_equal() {
    let same = ["tcp://a:80", "tcp://A:http", "TCP://a:080"];
    let set: HashSet<Endpoint> = same.into_iter().map(parse).collect();
    assert_eq!(set.len(), 1);
    assert_eq!(parse("tcp://[0:0::1]:80"), parse("tcp://[::1]:80"));
    assert_ne!(parse("tcp://a:80"), parse("http://a:80"));
    assert_ne!(parse("mem://A"), parse("mem://a"));
}

#[test]
fn the_authority_is_what_a_client_says_to_the_server() {
    assert_eq!(parse("tcp://Example.com:http").authority(), "example.com:80");
    assert_eq!(parse("http://[::1]:8080").authority(), "[::1]:8080");
    assert_eq!(parse("tls://Example.com:443").authority(), "example.com:443");
    assert_eq!(parse("tcp://[fe80::1%25eth0]:1").authority(), "[fe80::1]:1");
    assert_eq!(parse("unix:///run/x.sock").authority(), "localhost");
    assert_eq!(parse("mem://x").authority(), "localhost");
}

#[test]
fn the_authority_leaves_out_the_port_that_the_scheme_has_anyway() {
    let authorities = [
        ("http://h", "h"),
        ("http://h:80", "h"),
        ("http://h:443", "h:443"),
        ("https://h", "h"),
        ("https://H:443/", "h"),
        ("https://h:80", "h:80"),
        ("ws://[::1]", "[::1]"),
        ("wss://h:8443", "h:8443"),
        ("http://[fe80::1%25eth0]:80", "[fe80::1]"),
        ("https://127.0.0.1:443?nodelay=0", "127.0.0.1"),
    ];
    for (url, authority) in authorities {
        assert_eq!(parse(url).authority(), authority, "{url}");
    }
}

#[test]
fn a_socket_address_is_a_tcp_endpoint() {
    let address: SocketAddr = "[::1]:80".parse().unwrap();
    assert_eq!(Endpoint::from(address).to_string(), "tcp://[::1]:80");
    assert_eq!(Endpoint::from(address), parse("tcp://[::1]:80"));
}

#[test]
fn an_error_says_which_part_is_wrong() {
    let cases = [
        ("", "scheme"),
        ("localhost:80", "scheme"),
        ("ftp://localhost:80", "scheme"),
        ("tcp:/localhost:80", "scheme"),
        ("tcp://:80", "host"),
        ("tcp://::1:80", "host"),
        ("tcp://[::1:80", "host"),
        ("tcp://[localhost]:80", "host"),
        ("tcp://[::1%]:80", "host"),
        ("tcp://256.1.1.1:80", "host"),
        ("tcp://127.1:80", "host"),
        ("tcp://0x7f000001:80", "host"),
        ("tcp://a..b:80", "host"),
        ("tcp://-a:80", "host"),
        ("tcp://user@host:80", "host"),
        ("tcp://b\u{fc}cher.example:80", "host"),
        ("tcp://*:80", "host"),
        ("tcp://localhost", "port"),
        ("tcp://localhost:", "port"),
        ("tcp://[::1]", "port"),
        ("tcp://[::1]80", "port"),
        ("tcp://localhost:65536", "port"),
        ("tcp://localhost:+80", "port"),
        ("tcp://localhost:-1", "port"),
        ("tcp://localhost:no-such-service", "port"),
        ("tcp://localhost:80/", "path"),
        ("http://localhost:80/x", "path"),
        ("http://localhost?x", "option"),
        ("unix://run/x.sock", "path"),
        ("unix://", "path"),
        ("unix:///", "path"),
        ("unix:///run/", "path"),
        ("unix:///a\0b", "path"),
        ("mem://", "name"),
        ("mem://a/b", "name"),
        ("fd://", "descriptor"),
        ("fd://+3", "descriptor"),
        ("fd://-1", "descriptor"),
        ("fd://4294967296", "descriptor"),
    ];
    for (url, part) in cases {
        assert_eq!(error(url).part(), part, "{url}");
    }
    let too_long = format!("unix:///{}", "x".repeat(107));
    assert_eq!(error(&too_long).part(), "path");
    assert_eq!(error(&format!("tcp://{}:80", "x".repeat(64))).part(), "host");
    assert_eq!(error(&"x".repeat(5000)).part(), "length");
}

#[test]
fn an_error_says_what_was_expected_and_what_came() {
    assert_eq!(
        error("tcp://localhost:70000").to_string(),
        "bad port in endpoint `tcp://localhost:70000`: expected a port from 0 to 65535 or the name of a service, \
         got `70000`"
    );
    let missing = error("tcp://localhost").to_string();
    assert!(missing.ends_with("got nothing"), "{missing}");
}

#[test]
fn l15_an_error_is_one_short_line_whatever_the_endpoint_was() {
    let message = error("tcp://a\r\n\u{1b}[31m\0:80").to_string();
    assert!(!message.chars().any(char::is_control), "{message}");
    assert!(error(&"\n".repeat(1_000_000)).to_string().len() < 1000);
}

#[test]
fn any_text_is_an_endpoint_or_an_error() {
    let pieces = [
        "tcp",
        "unix",
        "mem",
        "http",
        "fd",
        "://",
        ":",
        "/",
        "[",
        "]",
        "%",
        "25",
        "::1",
        "127.0.0.1",
        ".",
        "80",
        "65536",
        "http",
        "a",
        "-",
        "\0",
        "\n",
        "\u{e9}",
        "?",
        "#",
        "@",
        " ",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let mut understood = 0;
    for _ in 0..20_000 {
        let schemes = ["tcp://", "unix:///", "mem://", "http://[", "fd://", ""];
        let mut text = schemes[random(schemes.len())].to_owned();
        (0..random(6)).for_each(|_| text.push_str(pieces[random(pieces.len())]));
        match text.parse::<Endpoint>() {
            Ok(endpoint) => {
                understood += 1;
                assert_eq!(endpoint.to_string(), text);
                assert!(!endpoint.authority().is_empty());
            }
            Err(error) => assert!(!error.part().is_empty()),
        }
    }
    assert!(understood > 1000, "only {understood} were understood");
}

#[tokio::test]
async fn every_scheme_over_tcp_listens_and_connects_and_keeps_its_name() {
    let options = Options::default();
    for scheme in ["tcp", "http", "ws", "tls", "https", "wss"] {
        let bound = Listener::bind(&parse(&format!("{scheme}://127.0.0.1:0")), &options).await;
        let listener = bound.unwrap();
        let endpoint = listener.endpoint();
        assert_eq!(endpoint.scheme().as_str(), scheme);
        assert_eq!(endpoint.is_tls(), ["tls", "https", "wss"].contains(&scheme));
        let (client, server) =
            tokio::join!(Connection::connect(endpoint, &options), listener.accept());
        // What is made is the transport; TLS is whoever's who asks for it.
        assert!(!client.unwrap().peer().is_encrypted());
        assert!(!server.unwrap().peer().is_encrypted());
    }
}

#[test]
fn a_socket_by_hand_refuses_an_endpoint_with_tls_because_it_would_send_in_the_clear() {
    for url in ["tls://127.0.0.1:1", "https://127.0.0.1", "wss://127.0.0.1"] {
        let connect = Socket::connected_to(&parse(url), &Options::default()).unwrap_err();
        assert_eq!(connect.kind(), ConnectErrorKind::Unsupported);
        assert!(connect.to_string().contains("speaks no TLS"), "{connect}");
        let bind = Socket::listening_at(&parse(url), &Options::default()).unwrap_err();
        assert_eq!(bind.kind(), BindErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn a_scheme_that_cannot_be_used_yet_says_so() {
    let urls = ["udp://localhost:1", "shm:///run/x.shm"];
    let options = Options::default();
    for url in urls {
        let endpoint = parse(url);
        let not_yet = format!("not yet: {}://", endpoint.scheme());
        let bind = Listener::bind(&endpoint, &options).await.unwrap_err();
        assert_eq!(bind.kind(), BindErrorKind::Unsupported);
        assert!(bind.to_string().contains(&not_yet), "{bind}");
        let connect = Connection::connect(&endpoint, &options).await.unwrap_err();
        assert_eq!(connect.kind(), ConnectErrorKind::Unsupported);
        assert!(connect.to_string().contains(&not_yet), "{connect}");
    }
}
