//! Calls of all four kinds, however the server is reached.

use farcall::{Channel, Code, Encoding, Server, Status};
use farcall_tests::{Probe, ProbeClient, Request, Running, Subject, over_tcp};

fn server() -> Server {
    Server::new().add(Subject::new().into_service())
}

fn request(payload: impl Into<Vec<u8>>) -> Request {
    Request { payload: payload.into(), ..Request::default() }
}

async fn all_four_kinds(client: ProbeClient) -> Result<(), Status> {
    let reply = client.unary(request("one")).await?;
    assert_eq!(reply.payload, b"one");

    let mut replies = client.replies(Request { count: 100, ..request("two") }).await?;
    let mut counts = Vec::new();
    while let Some(reply) = replies.receive().await? {
        counts.push(reply.count);
    }
    assert_eq!(counts, (0..100).collect::<Vec<_>>());

    let (mut requests, reply) = client.requests().await?;
    for number in 0..100_u8 {
        requests.send(request([number])).await?;
    }
    requests.finish().await?;
    let reply = reply.await?;
    assert_eq!((reply.count, reply.payload), (100, vec![99]));

    let (mut requests, mut replies) = client.both().await?;
    for number in 0..100_u8 {
        requests.send(request([number])).await?;
        let reply = replies.receive().await?.expect("a reply to each request");
        assert_eq!(reply.payload, [number]);
    }
    requests.finish().await?;
    assert!(replies.receive().await?.is_none());
    Ok(())
}

#[tokio::test]
async fn over_tcp_all_four_kinds_work() {
    let running = Running::start(server(), "tcp://127.0.0.1:0").await;
    all_four_kinds(running.client().await).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn over_a_unix_socket_all_four_kinds_work() {
    let path = std::env::temp_dir().join(format!("farcall-calls-{}.sock", std::process::id()));
    let running = Running::start(server(), &format!("unix://{}", path.display())).await;
    all_four_kinds(running.client().await).await.unwrap();
    running.stop().await;
    assert!(!path.exists(), "the socket's file outlives its server");
}

#[tokio::test]
async fn over_memory_all_four_kinds_work() {
    let running = Running::start(server(), "mem://calls").await;
    all_four_kinds(running.client().await).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn in_process_all_four_kinds_work() {
    all_four_kinds(ProbeClient::new(server().in_process())).await.unwrap();
    all_four_kinds(ProbeClient::new(Subject::new().into_service())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_threads_all_four_kinds_work_at_once() {
    let (running, client) = over_tcp(&Subject::new()).await;
    let calls = (0..50).map(|_| tokio::spawn(all_four_kinds(client.clone())));
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    running.stop().await;
}

#[tokio::test]
async fn a_thousand_calls_at_once_are_all_answered() {
    let (running, client) = over_tcp(&Subject::new()).await;
    let calls: Vec<_> = (0..1000_u32)
        .map(|number| tokio::spawn(client.unary(request(number.to_be_bytes()))))
        .collect();
    for (number, call) in (0_u32..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap().payload, number.to_be_bytes());
    }
    running.stop().await;
}

#[tokio::test]
async fn messages_of_any_size_up_to_the_limit_pass_and_larger_ones_name_it() {
    let (running, client) = over_tcp(&Subject::new()).await;
    for size in [0, 1, 5, 16_379, 16_384, 65_535, 65_536, 1_000_000, 4_194_000] {
        let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
        let reply = client.unary(request(payload.clone())).await.unwrap();
        assert!(reply.payload == payload, "{size} bytes came back changed");
    }
    let status = client.unary(request(vec![0; 5_000_000])).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("4194304"), "{status}");
    running.stop().await;
}

#[tokio::test]
async fn large_messages_that_together_are_above_a_connections_bound_all_get_through() {
    let (running, client) = over_tcp(&Subject::new()).await;
    let payload: Vec<u8> = (0..=250).cycle().take(4_000_000).collect();
    let unary: Vec<_> =
        (0..8).map(|_| tokio::spawn(client.unary(request(payload.clone())))).collect();
    let streams: Vec<_> = (0..8)
        .map(|_| {
            let (client, payload) = (client.clone(), payload.clone());
            tokio::spawn(async move {
                let (mut requests, reply) = client.requests().await?;
                for _ in 0..3 {
                    requests.send(request(payload.clone())).await?;
                }
                requests.finish().await?;
                reply.await
            })
        })
        .collect();
    for call in unary.into_iter().chain(streams) {
        assert!(call.await.unwrap().unwrap().payload == payload);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_message_above_the_servers_limit_fails_its_call_only() {
    let limits = farcall::Limits { max_receive_message: 1000, ..farcall::Limits::default() };
    let running = Running::start(server().limits(limits), "tcp://127.0.0.1:0").await;
    let client = running.client().await;
    let status = client.unary(request(vec![0; 2000])).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("1000"), "{status}");
    assert!(client.unary(request("fine")).await.is_ok());
    running.stop().await;
}

#[tokio::test]
async fn metadata_goes_both_ways_before_and_after_the_reply() {
    let (running, client) = over_tcp(&Subject::new()).await;
    let call = client.unary(request("")).metadata("x-leading", "a").metadata("x-leading", "b");
    let (_, reply) = call.metadata("x-trailing", "c").with_metadata().await.unwrap();
    assert_eq!(reply.metadata().get_all("x-leading").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(reply.trailers().get("x-trailing"), Some("c"));

    let (mut requests, mut replies) =
        client.both().metadata("x-leading", "d").metadata("x-trailing", "e").await.unwrap();
    requests.send(request("")).await.unwrap();
    assert_eq!(replies.metadata().await.unwrap().get("x-leading"), Some("d"));
    requests.finish().await.unwrap();
    while replies.receive().await.unwrap().is_some() {}
    assert_eq!(replies.trailers().unwrap().get("x-trailing"), Some("e"));
    running.stop().await;
}

#[tokio::test]
async fn metadata_that_cannot_be_sent_fails_the_call_and_names_it() {
    let client = ProbeClient::new(Subject::new().into_service());
    let status = client.unary(request("")).metadata("grpc-secret", "x").await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("grpc-secret"), "{status}");
}

#[tokio::test]
async fn every_code_crosses_with_its_message() {
    let (running, client) = over_tcp(&Subject::new()).await;
    for number in 1..=16 {
        let wanted = Request {
            fail_with: number,
            fail_message: format!("number {number}: naïve, 100 %\n"),
            ..Request::default()
        };
        let status = client.unary(wanted.clone()).await.unwrap_err();
        assert_eq!((status.code().as_u32(), status.message()), (number, &*wanted.fail_message));

        let mut replies = client.replies(Request { count: 3, ..wanted.clone() }).await.unwrap();
        for _ in 0..3 {
            assert!(replies.receive().await.unwrap().is_some());
        }
        let status = replies.receive().await.unwrap_err();
        assert_eq!((status.code().as_u32(), status.message()), (number, &*wanted.fail_message));
    }
    running.stop().await;
}

#[tokio::test]
async fn compressed_requests_arrive() {
    let (running, client) = over_tcp(&Subject::new()).await;
    let payload = vec![7; 100_000];
    let reply = client.unary(request(payload.clone())).compress(Encoding::Gzip).await.unwrap();
    assert!(reply.payload == payload);
    let (mut requests, reply) = client.requests().compress(Encoding::Gzip).await.unwrap();
    requests.send(request(payload.clone())).await.unwrap();
    requests.finish().await.unwrap();
    assert!(reply.await.unwrap().payload == payload);
    running.stop().await;
}

#[tokio::test]
async fn a_path_that_names_nothing_says_what_is_missing() {
    let (running, _) = over_tcp(&Subject::new()).await;
    let channel = Channel::connect(&running.endpoint).await.unwrap();
    for (method, missing) in
        [(&NO_METHOD, "no method Nothing"), (&NO_SERVICE, "no service probe.v1.Nobody")]
    {
        let call = farcall::stub::unary::<Request, Request>(&channel, method, Request::default());
        let status = call.await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().contains(missing), "{status}");
    }
    running.stop().await;
}

static NO_METHOD: farcall::Method = nothing("probe.v1.Probe", "/probe.v1.Probe/Nothing");
static NO_SERVICE: farcall::Method = nothing("probe.v1.Nobody", "/probe.v1.Nobody/Nothing");

const fn nothing(service: &'static str, path: &'static str) -> farcall::Method {
    farcall::Method {
        service,
        name: "Nothing",
        path,
        kind: farcall::Kind::Unary,
        idempotency: farcall::Idempotency::Unknown,
    }
}
