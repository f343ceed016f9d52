//! Code around calls, on both sides, for all four kinds.

use std::sync::{Arc, Mutex};

use farcall::{Call, Channel, Code, Next, Reply, Result, Server, Status};
use farcall_tests::{Probe, ProbeClient, Request, Subject};

/// What interceptors have seen, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    async fn around(self: Arc<Self>, call: Call, next: Next) -> Result<Reply> {
        let name = call.method().name;
        self.write(format!("{name} begins"));
        let result = next.run(call).await;
        let end = result.as_ref().map_or_else(|status| status.code().name(), |_| "OK");
        self.write(format!("{name} ends {end}"));
        result
    }
}

async fn authenticate(mut call: Call, next: Next) -> Result<Reply> {
    match call.metadata().get("token") {
        Some("secret") => call.set_extension(7_u32),
        _ => return Err(Status::unauthenticated("no token")),
    }
    next.run(call).await
}

async fn sign(mut call: Call, next: Next) -> Result<Reply> {
    call.metadata_mut().append("token", "secret")?;
    next.run(call).await
}

async fn four_kinds(client: &ProbeClient) -> Vec<Result<()>> {
    let unary = client.unary(Request::default()).await.map(|_| ());
    let replies = async {
        let mut replies = client.replies(Request { count: 3, ..Request::default() }).await?;
        while replies.receive().await?.is_some() {}
        Ok(())
    };
    let requests = async {
        let (mut requests, reply) = client.requests().await?;
        let _ = requests.send(Request::default()).await;
        requests.finish().await?;
        reply.await.map(|_| ())
    };
    let both = async {
        let (mut requests, mut replies) = client.both().await?;
        let _ = requests.send(Request::default()).await;
        requests.finish().await?;
        while replies.receive().await?.is_some() {}
        Ok(())
    };
    vec![unary, replies.await, requests.await, both.await]
}

fn lines(end: &str) -> Vec<String> {
    let kinds = ["Unary", "Replies", "Requests", "Both"];
    kinds.iter().flat_map(|kind| [format!("{kind} begins"), format!("{kind} ends {end}")]).collect()
}

#[tokio::test]
async fn on_a_server_they_see_all_four_kinds_begin_and_end() {
    let diary = Diary::default();
    let server = Server::new().add(Subject::new().into_service());
    let server = server.intercept_with(diary.clone(), Diary::around).intercept(authenticate);
    let channel = server.in_process();
    let stranger = ProbeClient::new(channel.clone());
    for result in four_kinds(&stranger).await {
        assert_eq!(result.unwrap_err().code(), Code::Unauthenticated);
    }
    assert_eq!(diary.take(), lines("UNAUTHENTICATED"));
    let friend = ProbeClient::new(channel.intercept(sign));
    for result in four_kinds(&friend).await {
        result.unwrap();
    }
    assert_eq!(diary.take(), lines("OK"));
}

#[tokio::test]
async fn on_a_client_they_see_all_four_kinds_begin_and_end() {
    let diary = Diary::default();
    let channel = Channel::from(Subject::new().into_service());
    let client = ProbeClient::new(channel.intercept_with(diary.clone(), Diary::around));
    for result in four_kinds(&client).await {
        result.unwrap();
    }
    assert_eq!(diary.take(), lines("OK"));
}

async fn refuse(_: Call, _: Next) -> Result<Reply> {
    Err(Status::permission_denied("not from here"))
}

async fn soften(call: Call, next: Next) -> Result<Reply> {
    next.run(call).await.map_err(|status| Status::aborted(status.message().to_owned()))
}

#[tokio::test]
async fn on_a_client_what_they_return_is_how_the_call_ended() {
    let subject = Subject::new();
    let channel = Channel::from(subject.clone().into_service());
    let refused = ProbeClient::new(channel.intercept(refuse));
    for result in four_kinds(&refused).await {
        assert_eq!(result.unwrap_err().code(), Code::PermissionDenied);
    }
    assert_eq!(subject.started(), 0);
    let softened = ProbeClient::new(channel.intercept(soften));
    let fails =
        Request { fail_with: 13, fail_message: "oh".into(), count: 1, ..Request::default() };
    let status = softened.unary(fails.clone()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Aborted, "oh"));
    let mut replies = softened.replies(fails).await.unwrap();
    assert!(replies.receive().await.unwrap().is_some());
    assert_eq!(replies.receive().await.unwrap_err().code(), Code::Aborted);
}

async fn stamp(call: Call, next: Next) -> Result<Reply> {
    let mut reply = next.run(call).await?;
    reply.metadata_mut().append("x-head", "h")?;
    reply.trailers_mut().append("x-tail", "t")?;
    Ok(reply)
}

#[tokio::test]
async fn on_a_server_they_can_add_to_the_replys_metadata() {
    let server = Server::new().add(Subject::new().into_service()).intercept(stamp);
    let client = ProbeClient::new(server.in_process());
    let (_, reply) = client.unary(Request::default()).with_metadata().await.unwrap();
    assert_eq!(reply.metadata().get("x-head"), Some("h"));
    assert_eq!(reply.trailers().get("x-tail"), Some("t"));
}

async fn panicking(_: Call, _: Next) -> Result<Reply> {
    panic!("an interceptor panics")
}

#[tokio::test]
async fn a_panic_in_one_fails_its_call_only() {
    let server = Server::new().add(Subject::new().into_service()).intercept(panicking);
    let client = ProbeClient::new(server.in_process());
    for result in four_kinds(&client).await {
        assert_eq!(result.unwrap_err().code(), Code::Internal);
    }
}
