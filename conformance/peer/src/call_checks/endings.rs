//! Deadlines and cancellation: they end the call here and stop its handler there.

use std::time::{Duration, Instant};

use farcall::{Code, Inbound};

use super::messages::echo;
use super::{Checks, Subject, call_id};
use crate::observed::{CALL_ID, State};
use crate::proto::conformance::v1::{EchoReply, EndlessRequest, SleepRequest};
use crate::verdict::{Verdict, equal, fails_with, holds};

/// A call that sleeps so long ends only by being stopped.
const LONG: SleepRequest = SleepRequest { milliseconds: 30_000 };

pub(super) fn add(checks: &mut Checks) {
    checks.add("a deadline reaches the server", deadline_seen);
    checks.add("no deadline is no deadline", deadline_absent);
    let name = "a deadline ends a call at the client and its handler at the server";
    checks.add(name, deadline_passes);
    checks.add("a deadline ends a stream and its handler", deadline_of_stream);
    checks.add("cancelling a unary call stops its handler", cancel_unary);
    checks.add("cancelling an endless server stream stops its handler", cancel_download);
    let name = "an endless stream that nobody reads waits, and cancelling it stops its handler";
    checks.add(name, cancel_unread);
    checks.add("cancelling an upload stops its handler", cancel_upload);
    checks.add("a call that ends well is seen to finish", finish_seen);
}

async fn deadline_seen(to: Subject) -> Verdict {
    let call = to.calls.sleep(SleepRequest::default()).timeout(Duration::from_secs(50));
    let left = call.await?.deadline_ms;
    holds(matches!(left, Some(40_001..=50_000)), || {
        format!("expected almost 50000 ms to be left, got {left:?}")
    })
}

async fn deadline_absent(to: Subject) -> Verdict {
    let reply = to.calls.sleep(SleepRequest::default()).await?;
    equal("deadline_ms", &reply.deadline_ms, &None)
}

async fn deadline_passes(to: Subject) -> Verdict {
    let (id, started) = (call_id(), Instant::now());
    let call = to.calls.sleep(LONG).timeout(Duration::from_millis(200)).metadata(CALL_ID, &id);
    fails_with(Code::DeadlineExceeded, call.await)?;
    let took = started.elapsed();
    holds(took < Duration::from_secs(2), || format!("a deadline of 0.2 s passed after {took:?}"))?;
    to.reaches(&id, State::STATE_CANCELLED).await
}

async fn deadline_of_stream(to: Subject) -> Verdict {
    let id = call_id();
    let call = to.calls.chat().timeout(Duration::from_millis(300)).metadata(CALL_ID, &id);
    let (mut requests, mut replies) = call.await?;
    requests.send(echo(b"one".to_vec())).await?;
    let expected = EchoReply { payload: b"one".to_vec() };
    equal("answer", &replies.receive().await?, &Some(expected))?;
    fails_with(Code::DeadlineExceeded, replies.receive().await)?;
    to.reaches(&id, State::STATE_CANCELLED).await
}

async fn cancel_unary(to: Subject) -> Verdict {
    let id = call_id();
    let call = to.calls.sleep(LONG).metadata(CALL_ID, &id);
    tokio::select! {
        answer = call => return Err(format!("expected no answer yet, got {answer:?}").into()),
        running = to.reaches(&id, State::STATE_RUNNING) => running?,
    }
    to.reaches(&id, State::STATE_CANCELLED).await
}

/// An endless stream and its call's id.
async fn endless(to: &Subject) -> Verdict<(Inbound<EchoReply>, String)> {
    let id = call_id();
    let replies = to.calls.endless(EndlessRequest {}).metadata(CALL_ID, &id).await?;
    Ok((replies, id))
}

async fn cancel_download(to: Subject) -> Verdict {
    let (mut replies, id) = endless(&to).await?;
    for _ in 0..1000 {
        let size = replies.receive().await?.map(|reply| reply.payload.len());
        equal("size of an answer", &size, &Some(1024))?;
    }
    to.reaches(&id, State::STATE_RUNNING).await?;
    drop(replies);
    to.reaches(&id, State::STATE_CANCELLED).await
}

async fn cancel_unread(to: Subject) -> Verdict {
    let (mut replies, id) = endless(&to).await?;
    replies.receive().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    to.reaches(&id, State::STATE_RUNNING).await?;
    drop(replies);
    to.reaches(&id, State::STATE_CANCELLED).await
}

async fn cancel_upload(to: Subject) -> Verdict {
    let id = call_id();
    let (mut requests, reply) = to.calls.upload().metadata(CALL_ID, &id).await?;
    requests.send(echo(b"first of many".to_vec())).await?;
    to.reaches(&id, State::STATE_RUNNING).await?;
    drop(requests);
    fails_with(Code::Cancelled, reply.await)?;
    to.reaches(&id, State::STATE_CANCELLED).await
}

async fn finish_seen(to: Subject) -> Verdict {
    let id = call_id();
    to.calls.echo(echo(Vec::new())).metadata(CALL_ID, &id).await?;
    to.reaches(&id, State::STATE_FINISHED).await
}
