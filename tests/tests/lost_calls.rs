//! Nothing that was accepted is lost: stalled handlers, stopping servers, broken connections.

use std::time::Duration;

use farcall::{Channel, Code, Endpoint, Listener, Options, Server};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject, over_tcp};

fn byte(value: u8) -> Request {
    Request { payload: vec![value], ..Request::default() }
}

fn at_the_gate() -> Request {
    Request { wait_at_gate: true, ..Request::default() }
}

/// A stream whose handler does not read, beside a unary call on the same connection.
async fn stalled_handler_gets_all(messages: u64) {
    let subject = Subject::new();
    let (running, client) = over_tcp(&subject).await;
    let (mut requests, reply) = client.requests().await.unwrap();
    requests.send(at_the_gate()).await.unwrap();
    subject.until(|subject| subject.started() == 1).await;
    let sending = tokio::spawn(async move {
        for number in 1..messages {
            requests.send(byte(number as u8)).await.unwrap();
        }
        requests.finish().await.unwrap();
    });
    for number in 0..10 {
        assert_eq!(client.unary(byte(number)).await.unwrap().payload, [number]);
    }
    subject.open_gate();
    let reply = reply.await.unwrap();
    sending.await.unwrap();
    assert_eq!((reply.count, reply.payload), (messages, vec![(messages - 1) as u8]));
    assert_eq!(client.unary(byte(1)).await.unwrap().payload, [1]);
    running.stop().await;
}

#[tokio::test]
async fn small_messages_to_a_stalled_handler_all_arrive() {
    stalled_handler_gets_all(135).await;
}

#[tokio::test]
async fn many_small_messages_to_a_stalled_handler_all_arrive() {
    stalled_handler_gets_all(2600).await;
}

#[tokio::test]
async fn messages_to_a_caller_that_does_not_read_all_arrive_and_are_bounded() {
    let subject = Subject::new();
    let (running, client) = over_tcp(&subject).await;
    let request = Request { payload: vec![7; 1000], count: 5000, ..Request::default() };
    let mut replies = client.replies(request).await.unwrap();
    subject.until(|subject| subject.started() == 1).await;
    for number in 0..10 {
        assert_eq!(client.unary(byte(number)).await.unwrap().payload, [number]);
    }
    // 5 MB were asked for; the handler cannot have sent them to somebody who does not read.
    assert_eq!(subject.running(), 1);
    let mut count = 0;
    while let Some(reply) = replies.receive().await.unwrap() {
        assert_eq!(reply.count, count);
        count += 1;
    }
    assert_eq!(count, 5000);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_while_a_thousand_calls_start_fails_none() {
    let endpoint: Endpoint = "tcp://127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(&endpoint, &Options::default()).await.unwrap();
    let endpoint = listener.endpoint().to_string();
    let successor = listener.try_clone().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (old, new) = (Subject::new(), Subject::new());
    let server = |subject: &Subject| Server::new().add(subject.clone().into_service());
    let first = server(&old).listen_on(listener).shutdown_on(async {
        let _ = stopped.await;
    });
    let first = tokio::spawn(first.run());
    let client = ProbeClient::new(Channel::connect(&endpoint).await.unwrap());
    let calls: Vec<_> = (0..1000_u32)
        .map(|number| {
            let request = Request { payload: number.to_be_bytes().to_vec(), ..Request::default() };
            tokio::spawn(client.unary(request))
        })
        .collect();
    old.until(|old| old.started() > 50).await;
    let second = tokio::spawn(server(&new).listen_on(successor).run());
    stop.send(()).unwrap();
    for (number, call) in (0_u32..).zip(calls) {
        let reply = call.await.unwrap();
        assert_eq!(reply.unwrap().payload, number.to_be_bytes(), "call {number}");
    }
    first.await.unwrap().unwrap();
    let reply = client.unary(byte(9)).await.unwrap();
    assert_eq!(reply.payload, [9], "the successor answers");
    assert!(new.started() > 0);
    assert_eq!(old.started() + new.started(), 1001, "each call ran once");
    second.abort();
}

#[tokio::test]
async fn calls_under_way_are_finished_before_a_server_ends() {
    let subject = Subject::new();
    let (mut running, client) = over_tcp(&subject).await;
    let call = tokio::spawn(client.unary(at_the_gate()));
    subject.until(|subject| subject.running() == 1).await;
    running.begin_to_stop();
    subject.open_gate();
    assert!(call.await.unwrap().is_ok());
    running.stop().await;
}

#[tokio::test]
async fn calls_that_take_longer_than_the_limit_are_ended_and_say_so() {
    let subject = Subject::new();
    let server = Server::new().add(subject.clone().into_service()).shutdown_limit(Duration::ZERO);
    let mut running = Running::start(server, "tcp://127.0.0.1:0").await;
    let client = running.client().await;
    let call = tokio::spawn(client.unary(at_the_gate()));
    subject.until(|subject| subject.running() == 1).await;
    running.begin_to_stop();
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    running.stop().await;
    subject.until(|subject| subject.running() == 0).await;
}

/// A server that can be killed: on a thread and a runtime of its own.
fn killable(subject: &Subject) -> (String, impl FnOnce() + use<>) {
    let (kill, killed) = tokio::sync::oneshot::channel::<()>();
    let (send, endpoint) = std::sync::mpsc::channel();
    let server = Server::new().add(subject.clone().into_service()).listen("tcp://127.0.0.1:0");
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bound = server.bind().await.unwrap();
            send.send(bound.endpoints().next().unwrap().to_string()).unwrap();
            tokio::select! {
                _ = bound.run() => {}
                _ = killed => {}
            }
        });
    });
    let endpoint = endpoint.recv().unwrap();
    let kill = move || {
        kill.send(()).unwrap();
        thread.join().unwrap();
    };
    (endpoint, kill)
}

#[tokio::test]
async fn a_server_killed_in_mid_call_is_unavailable_at_once_and_names_peer_and_stage() {
    let subject = Subject::new();
    let (endpoint, kill) = killable(&subject);
    let client = ProbeClient::new(Channel::connect(&endpoint).await.unwrap());
    let call = tokio::spawn(client.unary(at_the_gate()).timeout(Duration::from_hours(1)));
    let (mut requests, mut replies) = client.both().await.unwrap();
    requests.send(byte(1)).await.unwrap();
    assert!(replies.receive().await.unwrap().is_some());
    subject.until(|subject| subject.running() == 2).await;
    kill();
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains(&endpoint), "{status}");
    assert!(status.message().contains("waiting for the reply"), "{status}");
    let status = replies.receive().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("receiving the reply"), "{status}");
    // A send after that tells the same, not a consequence of it.
    let status = requests.send(byte(2)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
}

#[tokio::test]
async fn a_channel_finds_its_server_again() {
    let path = std::env::temp_dir().join(format!("farcall-again-{}.sock", std::process::id()));
    let endpoint = format!("unix://{}", path.display());
    let server = || Server::new().add(Subject::new().into_service());
    let running = Running::start(server(), &endpoint).await;
    let client = running.client().await;
    client.unary(byte(1)).await.unwrap();
    running.stop().await;
    let status = client.unary(byte(2)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains(&endpoint), "{status}");
    let running = Running::start(server(), &endpoint).await;
    client.unary(byte(3)).wait_for_ready().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn nobody_there_names_the_endpoint_and_the_cause() {
    let any_port: Endpoint = "tcp://127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(&any_port, &Options::default()).await.unwrap();
    let endpoint = listener.endpoint().to_string();
    drop(listener);
    let status = Channel::connect(&endpoint).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains(&endpoint), "{status}");
    assert!(status.message().contains("refused"), "{status}");
    let status = Channel::connect("tpc://x").await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("tpc"), "{status}");
}
