//! What an endpoint stands for: its service and its addresses.

use std::io;

use farcall_socket::{Connection, Endpoint, Options, resolve};

fn endpoint(url: &str) -> Endpoint {
    url.parse().unwrap()
}

#[tokio::test]
async fn a_port_has_a_service_and_an_address_has_bytes() {
    let resolved = resolve(&endpoint("tcp://127.0.0.1:80")).await.unwrap();
    assert_eq!(resolved.service.as_deref(), Some("http"));
    assert_eq!(resolved.port, Some(80));
    let storage = resolved.addresses[0].to_storage();
    assert_eq!(storage.address()[2..], [0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(resolved.socket_addresses().next(), "127.0.0.1:80".parse().ok());
}

#[tokio::test]
async fn a_name_leads_to_addresses_and_each_is_there_once() {
    let resolved = resolve(&endpoint("udp://localhost:domain")).await.unwrap();
    assert_eq!(resolved.service.as_deref(), Some("domain"));
    let addresses: Vec<_> = resolved.socket_addresses().collect();
    assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 53));
    let mut unique = addresses.clone();
    unique.dedup();
    assert_eq!(unique, addresses);
}

#[tokio::test]
async fn a_unix_endpoint_stands_for_its_path_or_abstract_name() {
    let resolved = resolve(&endpoint("unix:///run/x.sock")).await.unwrap();
    assert_eq!(resolved.addresses[0].to_string(), "/run/x.sock");
    assert_eq!((resolved.port, resolved.service), (None, None));
    let resolved = resolve(&endpoint("unix://@far")).await.unwrap();
    assert_eq!(resolved.addresses[0].to_string(), "@far");
}

#[tokio::test]
async fn what_has_no_address_says_so() {
    let error = resolve(&endpoint("mem://name")).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot resolve mem://name: mem:// has no address");
    let error = resolve(&endpoint("tcp://no-such-name.invalid:1")).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot resolve tcp://no-such-name.invalid:1: "));
    assert_eq!(error.endpoint().port(), Some(1));
    let _: io::Error = error.into();
}

/// The IPv6 address answers nothing: its listener's queue is full, so that the kernel drops what comes.
#[tokio::test]
async fn a_host_with_a_dead_ipv6_and_a_good_ipv4_address_is_reached_by_ipv4() {
    let Ok(dead) = std::net::TcpListener::bind("[::1]:0") else {
        println!("skipped: no IPv6 on loopback");
        return;
    };
    rustix::net::listen(&dead, 0).unwrap();
    let port = dead.local_addr().unwrap().port();
    let _filler = std::net::TcpStream::connect(dead.local_addr().unwrap()).unwrap();
    let good = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let endpoint: Endpoint = format!("tcp://localhost:{port}").parse().unwrap();
    if resolve(&endpoint).await.unwrap().addresses.len() < 2 {
        return again_where_localhost_has_both();
    }
    let begun = std::time::Instant::now();
    let connection = Connection::connect(&endpoint, &Options::default()).await.unwrap();
    println!("connected after {:?}", begun.elapsed());
    assert_eq!(connection.peer().socket_address(), Some(good.local_addr().unwrap()));
}

/// Runs the test above once more, in a mount namespace whose hosts file gives localhost both addresses.
fn again_where_localhost_has_both() {
    const TEST: &str = "a_host_with_a_dead_ipv6_and_a_good_ipv4_address_is_reached_by_ipv4";
    let hosts = std::env::temp_dir().join(format!("farcall-hosts-{}", std::process::id()));
    assert!(std::env::var_os("FARCALL_HOSTS").is_none(), "the hosts file made no difference");
    std::fs::write(&hosts, "::1 localhost\n127.0.0.1 localhost\n").unwrap();
    let script =
        "mount --bind \"$FARCALL_HOSTS\" /etc/hosts || exit 77; exec \"$0\" --exact \"$1\"";
    let status = std::process::Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(TEST)
        .env("FARCALL_HOSTS", &hosts)
        .status();
    std::fs::remove_file(&hosts).unwrap();
    match status.map(|status| status.code()) {
        Ok(Some(0)) => {}
        Ok(Some(1 | 77)) | Err(_) => {
            println!("skipped: localhost has one address, and no mount namespace can be had here");
        }
        other => panic!("in a namespace of its own: {other:?}"),
    }
}
