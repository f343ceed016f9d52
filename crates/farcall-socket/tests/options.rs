//! Options: what each does to a socket, and how they are written into an endpoint.

use std::os::fd::AsFd;
use std::time::Duration;

use farcall_socket::{Connection, Endpoint, Family, Keepalive, Listener, Options, Scheme, Socket};
use proptest::prelude::*;
use socket2::SockRef;

fn parse(query: &str) -> Options {
    let endpoint: Endpoint = format!("tcp://127.0.0.1:80?{query}").parse().unwrap();
    endpoint.options(&Options::default())
}

#[test]
fn every_option_can_be_written_into_an_endpoint() {
    let default = Options::default;
    let idle = Keepalive { idle: Duration::from_secs(5), ..Keepalive::default() };
    let interval = Keepalive { interval: Duration::from_millis(1500), ..Keepalive::default() };
    let probes = Keepalive { probes: 9, ..Keepalive::default() };
    let cases = [
        ("backlog=64", Options { backlog: Some(64), ..default() }),
        ("nodelay=0", Options { nodelay: false, ..default() }),
        ("keepalive=0", Options { keepalive: None, ..default() }),
        ("keepidle=5s", Options { keepalive: Some(idle), ..default() }),
        ("keepinterval=1500ms", Options { keepalive: Some(interval), ..default() }),
        ("keepprobes=9", Options { keepalive: Some(probes), ..default() }),
        ("usertimeout=none", Options { user_timeout: None, ..default() }),
        ("connecttimeout=2m", Options { connect_timeout: Duration::from_mins(2), ..default() }),
        ("mode=0660", Options { unix_mode: 0o660, ..default() }),
        ("reuseaddr=0", Options { reuse_address: false, ..default() }),
        ("reuseport=1", Options { reuse_port: true, ..default() }),
        ("rcvbuf=65536", Options { receive_buffer: Some(65536), ..default() }),
        ("sndbuf=65536", Options { send_buffer: Some(65536), ..default() }),
        ("linger=0s", Options { linger: Some(Duration::from_secs(0)), ..default() }),
        ("fastopen=16", Options { fast_open: 16, ..default() }),
        ("deferaccept=5s", Options { defer_accept: Some(Duration::from_secs(5)), ..default() }),
        ("v6only=1", Options { v6_only: true, ..default() }),
        ("device=eth0", Options { device: Some("eth0".into()), ..default() }),
        ("local=[::1]:0", Options { local: Some("[::1]:0".parse().unwrap()), ..default() }),
    ];
    for (query, expected) in cases {
        assert_eq!(parse(query), expected, "{query}");
        assert_eq!(expected.to_string(), query);
    }
    let all = parse("backlog=64&nodelay=0&reuseport=1");
    assert_eq!(all.to_string(), "backlog=64&nodelay=0&reuseport=1");
    assert_eq!(Options::default().to_string(), "");
}

#[test]
fn a_query_is_printed_back_exactly_and_belongs_to_every_scheme() {
    for url in [
        "tcp://127.0.0.1:80?backlog=64&nodelay=0&reuseport=1",
        "tcp://[::1]:http?v6only=1",
        "http://localhost?nodelay=1",
        "http://localhost/?nodelay=1",
        "unix:///run/x.sock?mode=0660&backlog=5",
        "unix://@name?backlog=5",
        "mem://name?backlog=5",
        "fd://3?nodelay=0",
        "fd://web?nodelay=0",
    ] {
        let endpoint: Endpoint = url.parse().unwrap();
        assert_eq!(endpoint.to_string(), url);
        let (place, query) = url.split_once('?').unwrap();
        assert_eq!(endpoint.query(), Some(query));
        assert_eq!(endpoint, place.parse().unwrap());
    }
    let endpoint: Endpoint = "tcp://127.0.0.1:80".parse().unwrap();
    assert_eq!(endpoint.query(), None);
}

#[test]
fn a_query_says_nothing_about_the_options_it_does_not_name() {
    let given = Options { backlog: Some(7), nodelay: false, ..Options::default() };
    let endpoint: Endpoint = "tcp://127.0.0.1:80?backlog=8".parse().unwrap();
    assert_eq!(endpoint.options(&given), Options { backlog: Some(8), ..given });
}

#[test]
fn abstract_names_and_names_of_inherited_sockets_are_endpoints() {
    let endpoint: Endpoint = "unix://@my/app".parse().unwrap();
    assert_eq!((endpoint.scheme(), endpoint.name()), (Scheme::Unix, Some("my/app")));
    assert_eq!(endpoint.path(), None);
    let endpoint: Endpoint = "fd://web-1".parse().unwrap();
    assert_eq!((endpoint.name(), endpoint.descriptor()), (Some("web-1"), None));
}

#[test]
fn a_wrong_option_is_named_with_what_was_expected() {
    for (query, expected) in [
        ("", "options as in ?backlog=64&nodelay=0, got nothing"),
        ("backlog", "options as in ?backlog=64&nodelay=0, got `backlog`"),
        ("backlog=-1", "a number, and not too large a one, got `backlog=-1`"),
        ("backlog=4294967296", "a number, and not too large a one, got `backlog=4294967296`"),
        ("nodelay=yes", "0 or 1, got `nodelay=yes`"),
        ("linger=5", "a time of at most 100 years, such as 250ms, 30s, 5m or 2h, got `linger=5`"),
        ("mode=0999", "permission bits in octal, such as 0660, got `mode=0999`"),
        ("device=a/b", "the name of a network interface, such as eth0, got `device=a/b`"),
        ("local=here", "an address and port, such as 127.0.0.1:0 or [::1]:0, got `local=here`"),
        ("nodelay=0&nodelay=1", "each option once, got `nodelay=1`"),
        (
            "colour=red",
            "the name of an option, such as backlog, nodelay or reuseport, got `colour=red`",
        ),
    ] {
        let error = format!("tcp://h:1?{query}").parse::<Endpoint>().unwrap_err();
        assert_eq!(error.part(), "option");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}

#[tokio::test]
async fn an_endpoints_query_sets_up_its_listener_and_connection() {
    let options = Options::default();
    let endpoint = "tcp://127.0.0.1:0?backlog=3&nodelay=0&local=127.0.0.7:0".parse().unwrap();
    let listener = Listener::bind(&endpoint, &options).await.unwrap();
    assert_eq!(listener.queue().unwrap().max, 3);
    assert!(listener.endpoint().to_string().ends_with("?backlog=3&nodelay=0&local=127.0.0.7:0"));
    let client = Connection::connect(listener.endpoint(), &options).await.unwrap();
    assert!(client.local().unwrap().to_string().starts_with("tcp://127.0.0.7:"));
    assert_eq!(listener.queue().unwrap().to_string(), "1/3");
    let server = listener.accept().await.unwrap();
    for end in [client, server] {
        assert!(!SockRef::from(&end.descriptor().unwrap()).tcp_nodelay().unwrap());
    }
}

#[test]
fn options_are_set_on_the_socket_and_inherited_by_what_it_accepts() {
    let options =
        parse("rcvbuf=32768&sndbuf=65536&linger=1500ms&reuseport=1&fastopen=4&keepidle=7s");
    let socket = Socket::stream(Family::Ipv4, &options).unwrap();
    let bound = socket.bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    assert!(SockRef::from(&bound.as_fd()).reuse_port().unwrap());
    assert!(SockRef::from(&bound.as_fd()).reuse_address().unwrap());
    let listening = bound.listen().unwrap();
    let client = Socket::connected_to(&listening.endpoint().unwrap(), &Options::default()).unwrap();
    let server = listening.accept().unwrap();
    let server = SockRef::from(&server);
    assert_eq!(server.linger().unwrap(), Some(Duration::from_secs(2)));
    assert_eq!(server.send_buffer_size().unwrap(), 2 * 65536);
    assert_eq!(server.recv_buffer_size().unwrap(), 2 * 32768);
    assert_eq!(server.tcp_keepalive_time().unwrap(), Duration::from_secs(7));
    assert!(server.tcp_nodelay().unwrap());
    drop(client);
}

#[test]
fn v6_only_leaves_the_port_to_ipv4() {
    let everywhere = "[::]:0".parse().unwrap();
    let open = |options: &Options| {
        let bound = Socket::stream(Family::Ipv6, options)?.bind(&everywhere);
        bound.map_err(std::io::Error::from)
    };
    let Ok(dual) = open(&Options::default()) else {
        println!("skipped: no IPv6 on this machine");
        return;
    };
    assert!(!SockRef::from(&dual.as_fd()).only_v6().unwrap());
    let only = open(&parse("v6only=1")).unwrap();
    assert!(SockRef::from(&only.as_fd()).only_v6().unwrap());
    let only = only.listen().unwrap();
    let port = only.local().unwrap().socket_address().unwrap().port();
    let ipv4 = format!("0.0.0.0:{port}").parse().unwrap();
    Socket::stream(Family::Ipv4, &Options::default())
        .unwrap()
        .bind(&ipv4)
        .unwrap()
        .listen()
        .unwrap();
}

#[test]
fn a_socket_bound_to_a_device_is_and_a_device_that_is_missing_is_an_error() {
    let error = Socket::stream(Family::Ipv4, &parse("device=nosuchdevice")).unwrap_err();
    let kind = error.raw_os_error();
    let (no_device, not_permitted) = (19, 1);
    assert!(kind == Some(no_device) || kind == Some(not_permitted), "{error}");
    match Socket::stream(Family::Ipv4, &parse("device=lo")) {
        Ok(socket) => {
            let device = SockRef::from(&socket.as_fd()).device().unwrap();
            assert_eq!(device.as_deref(), Some(&b"lo"[..]));
        }
        Err(error) => println!("skipped: {error}"),
    }
}

fn times() -> impl Strategy<Value = Duration> {
    let longest = 100 * 365 * 24 * 3600 * 1_000_000_000_u64;
    prop_oneof![
        (0..longest).prop_map(Duration::from_nanos),
        (0_u64..100_000).prop_map(Duration::from_millis),
        (0_u64..100_000).prop_map(Duration::from_secs),
    ]
}

prop_compose! {
    fn some_options()(
        backlog in any::<Option<u32>>(),
        switches in any::<[bool; 5]>(),
        keepalive in proptest::option::of((times(), times(), any::<u8>())),
        user_timeout in proptest::option::of(times()),
        connect_timeout in times(),
        unix_mode in 0_u32..=0o777,
        buffers in any::<[Option<usize>; 2]>(),
        linger in proptest::option::of(times()),
        fast_open in any::<u32>(),
        device in proptest::option::of("[a-zA-Z0-9.:_-]{5,15}"),
        local in any::<Option<(std::net::Ipv6Addr, u16)>>(),
    ) -> Options {
        Options {
            backlog,
            nodelay: switches[0],
            keepalive: keepalive.map(|(idle, interval, probes)| Keepalive { idle, interval, probes }),
            user_timeout,
            connect_timeout,
            unix_mode,
            reuse_address: switches[1],
            reuse_port: switches[2],
            receive_buffer: buffers[0],
            send_buffer: buffers[1],
            linger,
            fast_open,
            defer_accept: linger,
            v6_only: switches[3],
            device: device.map(Into::into),
            local: local.map(Into::into),
            ..Options::default()
        }
    }
}

proptest! {
    #[test]
    fn options_that_are_printed_are_parsed_back(options in some_options()) {
        let query = options.to_string();
        prop_assume!(!query.is_empty());
        prop_assert_eq!(parse(&query), options);
    }

    #[test]
    fn no_query_makes_the_parser_panic(query in "[ -~]{0,40}", value in "\\PC{0,20}") {
        let _ = format!("tcp://h:1?{query}").parse::<Endpoint>();
        for key in ["linger", "mode", "backlog", "device", "local", "keepprobes"] {
            let _ = format!("tcp://h:1?{key}={value}").parse::<Endpoint>();
        }
    }
}
