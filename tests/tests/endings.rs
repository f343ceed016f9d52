//! How calls end before their time: deadlines, cancellation, panics.

use std::time::Duration;

use farcall::{Call, Channel, Code, Result, Server};
use farcall_tests::{Probe, ProbeClient, Reply, Request, Running, Subject, over_tcp};

const SOON: Duration = Duration::from_millis(30);
const NEVER: Duration = Duration::from_hours(1);

fn hang() -> Request {
    Request { hang: true, ..Request::default() }
}

#[tokio::test]
async fn a_deadline_ends_the_call_on_both_sides() {
    let subject = Subject::new();
    let (running, client) = over_tcp(&subject).await;
    let status = client.unary(hang()).timeout(SOON).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    subject.until(|subject| subject.started() == 1 && subject.running() == 0).await;

    let mut replies = client.replies(hang()).timeout(SOON).await.unwrap();
    assert_eq!(replies.receive().await.unwrap_err().code(), Code::DeadlineExceeded);
    let (mut requests, reply) = client.requests().timeout(SOON).await.unwrap();
    requests.send(hang()).await.unwrap();
    assert_eq!(reply.await.unwrap_err().code(), Code::DeadlineExceeded);
    let (requests, mut replies) = client.both().timeout(SOON).await.unwrap();
    assert_eq!(replies.receive().await.unwrap_err().code(), Code::DeadlineExceeded);
    drop(requests);
    subject.until(|subject| subject.started() == 4 && subject.running() == 0).await;
    running.stop().await;
}

#[tokio::test]
async fn a_deadline_that_has_passed_is_not_sent() {
    let subject = Subject::new();
    let client = ProbeClient::new(subject.clone().into_service());
    let status = client.unary(Request::default()).timeout(Duration::ZERO).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(subject.started(), 0);
}

#[tokio::test]
async fn a_deadline_holds_while_there_is_no_connection() {
    let client = ProbeClient::new(Channel::lazy("mem://nobody").unwrap());
    let call = client.unary(Request::default()).wait_for_ready().timeout(SOON);
    assert_eq!(call.await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    let subject = Subject::new();
    let (running, client) = over_tcp(&subject).await;
    let call = tokio::spawn(client.unary(hang()));
    subject.until(|subject| subject.running() == 1).await;
    call.abort();
    subject.until(|subject| subject.running() == 0).await;

    let replies = client.replies(hang()).await.unwrap();
    subject.until(|subject| subject.running() == 1).await;
    drop(replies);
    subject.until(|subject| subject.running() == 0).await;

    let (mut requests, reply) = client.requests().await.unwrap();
    requests.send(Request::default()).await.unwrap();
    subject.until(|subject| subject.running() == 1).await;
    drop(reply);
    subject.until(|subject| subject.running() == 0).await;
    running.stop().await;
}

#[tokio::test]
async fn dropping_an_outbound_that_is_not_finished_cancels_the_call() {
    let subject = Subject::new();
    let (running, client) = over_tcp(&subject).await;
    let (mut requests, mut replies) = client.both().await.unwrap();
    requests.send(Request::default()).await.unwrap();
    replies.receive().await.unwrap().unwrap();
    drop(requests);
    subject.until(|subject| subject.running() == 0).await;
    assert_eq!(replies.receive().await.unwrap_err().code(), Code::Cancelled);
    running.stop().await;
}

#[tokio::test]
async fn a_panic_ends_its_call_and_no_other() {
    let subject = Subject::new();
    let (running, client) = over_tcp(&subject).await;
    let beside = tokio::spawn(client.unary(Request { wait_at_gate: true, ..Request::default() }));
    subject.until(|subject| subject.running() == 1).await;
    let panics = Request { panic: true, ..Request::default() };
    let status = client.unary(panics.clone()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Internal, "the handler panicked"));
    let (mut requests, mut replies) = client.both().await.unwrap();
    requests.send(panics).await.unwrap();
    assert_eq!(replies.receive().await.unwrap_err().code(), Code::Internal);
    subject.open_gate();
    assert!(beside.await.unwrap().is_ok());
    subject.until(|subject| subject.running() == 0).await;
    running.stop().await;
}

#[tokio::test]
async fn a_send_after_the_call_has_failed_tells_how() {
    let (running, client) = over_tcp(&Subject::new()).await;
    let (mut requests, mut replies) = client.both().await.unwrap();
    let fails = Request { fail_with: 9, fail_message: "not now".into(), ..Request::default() };
    requests.send(fails).await.unwrap();
    assert_eq!(replies.receive().await.unwrap_err().code(), Code::FailedPrecondition);
    let status = requests.send(Request::default()).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "not now"));
    running.stop().await;
}

#[tokio::test]
async fn slots_are_free_again_when_handlers_are_gone() {
    let subject = Subject::new();
    let (running, client) = over_tcp(&subject).await;
    for _ in 0..5 {
        let calls: Vec<_> = (0..128).map(|_| tokio::spawn(client.unary(hang()))).collect();
        subject.until(|subject| subject.running() == 128).await;
        calls.iter().for_each(tokio::task::JoinHandle::abort);
        subject.until(|subject| subject.running() == 0).await;
    }
    assert!(client.unary(Request::default()).await.is_ok());
    running.stop().await;
}

/// Calls another server within its own call.
struct Middle(ProbeClient);

impl Probe for Middle {
    async fn unary(&self, request: Request, call: &mut Call) -> Result<Reply> {
        self.0.unary(request).within(call).await
    }

    async fn replies(
        &self,
        _: Request,
        _: &mut farcall::Outbound<Reply>,
        _: &mut Call,
    ) -> Result<()> {
        Ok(())
    }

    async fn requests(&self, _: &mut farcall::Inbound<Request>, _: &mut Call) -> Result<Reply> {
        Ok(Reply::default())
    }

    async fn both(
        &self,
        _: &mut farcall::Inbound<Request>,
        _: &mut farcall::Outbound<Reply>,
        _: &mut Call,
    ) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn deadline_and_cancellation_pass_through_a_handler_to_the_calls_it_makes() {
    let subject = Subject::new();
    let (behind, client) = over_tcp(&subject).await;
    let middle = Server::new().add(Middle(client).into_service());
    let middle = Running::start(middle, "tcp://127.0.0.1:0").await;
    let client = middle.client().await;

    let status = client.unary(hang()).timeout(SOON).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    subject.until(|subject| subject.started() == 1 && subject.running() == 0).await;

    let call = tokio::spawn(client.unary(hang()).timeout(NEVER));
    subject.until(|subject| subject.running() == 1).await;
    call.abort();
    subject.until(|subject| subject.running() == 0).await;
    middle.stop().await;
    behind.stop().await;
}
