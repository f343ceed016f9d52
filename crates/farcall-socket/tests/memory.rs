//! `mem://`: names, queues and pipes inside one process.

use std::future::poll_fn;
use std::time::Duration;

use farcall_socket::{BindErrorKind, ConnectErrorKind, Connection, Endpoint, Listener, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

fn endpoint(url: &str) -> Endpoint {
    url.parse().unwrap()
}

fn backlog(backlog: u32) -> Options {
    Options { backlog: Some(backlog), ..Options::default() }
}

async fn bind(url: &str, options: &Options) -> Listener {
    Listener::bind(&endpoint(url), options).await.unwrap()
}

async fn connect(url: &str) -> Result<Connection, ConnectErrorKind> {
    Connection::connect(&endpoint(url), &Options::default()).await.map_err(|error| error.kind())
}

#[tokio::test]
async fn a_name_connects_and_both_ends_know_it() {
    let listener = bind("mem://known", &Options::default()).await;
    let mut client = connect("mem://known").await.unwrap();
    let mut server = listener.accept().await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let mut bytes = [0; 5];
    server.read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"hello");
    assert_eq!(server.peer().to_string(), "mem://known");
    assert_eq!(client.local().unwrap().to_string(), "mem://known");
}

#[tokio::test]
async fn an_unknown_name_is_refused_and_the_error_says_why() {
    let error =
        Connection::connect(&endpoint("mem://unknown"), &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::Refused);
    assert_eq!(
        error.to_string(),
        "cannot connect to mem://unknown: no listener of this process has the name"
    );
}

#[tokio::test]
async fn a_name_is_taken_until_the_last_clone_is_dropped() {
    let first = bind("mem://taken", &Options::default()).await;
    let second = first.try_clone().unwrap();
    drop(first);
    let error = Listener::bind(&endpoint("mem://taken"), &Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), BindErrorKind::InUse);
    drop(second);
    assert_eq!(connect("mem://taken").await.unwrap_err(), ConnectErrorKind::Refused);
    bind("mem://taken", &Options::default()).await;
}

#[tokio::test]
async fn a_connect_to_a_full_queue_waits_for_a_place() {
    let listener = bind("mem://full", &backlog(1)).await;
    let _first = connect("mem://full").await.unwrap();
    let mut second = Box::pin(connect("mem://full"));
    assert!(timeout(Duration::from_millis(5), &mut second).await.is_err());
    listener.accept().await.unwrap();
    second.await.unwrap();
    assert!(listener.try_accept().unwrap().is_some());
    assert!(listener.try_accept().unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_stays_full_is_a_timeout() {
    let _listener = bind("mem://stuck", &backlog(1)).await;
    let _first = connect("mem://stuck").await.unwrap();
    assert_eq!(connect("mem://stuck").await.unwrap_err(), ConnectErrorKind::Timeout);
}

#[tokio::test]
async fn closing_the_listener_ends_those_in_the_queue_and_refuses_those_before_it() {
    let listener = bind("mem://closing", &backlog(1)).await;
    let mut queued = connect("mem://closing").await.unwrap();
    let mut before = Box::pin(connect("mem://closing"));
    assert!(timeout(Duration::from_millis(5), &mut before).await.is_err());
    drop(listener);
    assert_eq!(queued.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(before.await.unwrap_err(), ConnectErrorKind::Refused);
}

#[tokio::test]
async fn two_clones_that_wait_are_both_woken() {
    let first = bind("mem://clones", &Options::default()).await;
    let second = first.try_clone().unwrap();
    let one = tokio::spawn(async move { first.accept().await.map(|_| ()) });
    let two = tokio::spawn(async move { poll_fn(|cx| second.poll_accept(cx)).await.map(|_| ()) });
    tokio::task::yield_now().await;
    let _clients = (connect("mem://clones").await.unwrap(), connect("mem://clones").await.unwrap());
    for task in [one, two] {
        timeout(Duration::from_secs(5), task).await.expect("not woken").unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_pair_has_no_name() {
    let (mut left, mut right) = Connection::pair();
    assert_eq!(left.peer().to_string(), "in-process");
    left.write_all(b"x").await.unwrap();
    left.shutdown().await.unwrap();
    let mut text = String::new();
    right.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "x");
}
