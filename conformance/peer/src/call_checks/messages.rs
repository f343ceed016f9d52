//! The four kinds of calls, and sizes.

use farcall::{Inbound, Outbound, Result};

use super::{Checks, SIZES, Subject};
use crate::pattern::pattern;
use crate::proto::conformance::v1::{DownloadRequest, EchoReply, EchoRequest, UploadReply};
use crate::verdict::{Verdict, equal};

const COUNTS: [usize; 3] = [0, 1, 5000];

pub(super) fn add(checks: &mut Checks) {
    for size in SIZES {
        checks.add(format!("unary echoes {size} bytes"), move |to| unary(to, size));
    }
    for size in SIZES {
        let name = format!("client streaming takes 3 messages of {size} bytes");
        checks.add(name, move |to| upload(to, 3, pattern(size, 0)));
    }
    for count in COUNTS {
        let name = format!("client streaming counts {count} messages");
        checks.add(name, move |to| upload(to, count, b"seven b".to_vec()));
    }
    for size in SIZES {
        let name = format!("server streaming gives 3 messages of {size} bytes");
        checks.add(name, move |to| download(to, 3, size));
    }
    for count in COUNTS {
        let name = format!("server streaming gives {count} messages in order");
        checks.add(name, move |to| download(to, count, 3));
    }
    for size in SIZES {
        let name = format!("bidirectional echoes 3 messages of {size} bytes");
        checks.add(name, move |to| chat(to, (0..3).map(|n| pattern(size, n)).collect()));
    }
    checks.add("bidirectional answers each message before the next is sent", in_turn);
    checks.add("bidirectional without a message ends with OK", |to| chat(to, Vec::new()));
    checks.add("bidirectional keeps the order of 5000 messages", |to| {
        chat(to, (0..5000_u32).map(|n| n.to_be_bytes().to_vec()).collect())
    });
}

/// A request that echoes the payload.
pub(super) fn echo(payload: Vec<u8>) -> EchoRequest {
    EchoRequest { payload, compress: false }
}

async fn unary(to: Subject, size: usize) -> Verdict {
    let reply = to.calls.echo(echo(pattern(size, 0))).await?;
    equal("answer", &reply.payload, &pattern(size, 0))
}

async fn upload(to: Subject, count: usize, payload: Vec<u8>) -> Verdict {
    let (mut requests, reply) = to.calls.upload().await?;
    for _ in 0..count {
        requests.send(echo(payload.clone())).await?;
    }
    requests.finish().await?;
    let payload_bytes = (count * payload.len()) as u64;
    let expected = UploadReply { messages: count.try_into()?, payload_bytes };
    equal("answer", &reply.await?, &expected)
}

async fn download(to: Subject, count: usize, size: usize) -> Verdict {
    let request = DownloadRequest {
        count: count.try_into()?,
        size: size.try_into()?,
        ..DownloadRequest::default()
    };
    let mut replies = to.calls.download(request).await?;
    for n in 0..count {
        let expected = EchoReply { payload: pattern(size, n) };
        equal("answer", &replies.receive().await?, &Some(expected))?;
    }
    equal("after the last answer", &replies.receive().await?, &None)
}

async fn chat(to: Subject, payloads: Vec<Vec<u8>>) -> Verdict {
    let (mut requests, mut replies) = to.calls.chat().await?;
    let (sent, received) = tokio::join!(
        send_all(&mut requests, payloads.iter().cloned().map(echo)),
        receive_all(&mut replies),
    );
    sent?;
    equal("answers", &received?, &payloads)
}

/// Sends each request, then says that there are no more.
pub(super) async fn send_all(
    requests: &mut Outbound<EchoRequest>,
    messages: impl Iterator<Item = EchoRequest>,
) -> Result<()> {
    for message in messages {
        requests.send(message).await?;
    }
    requests.finish().await
}

/// The payloads of all answers.
pub(super) async fn receive_all(replies: &mut Inbound<EchoReply>) -> Result<Vec<Vec<u8>>> {
    let mut payloads = Vec::new();
    while let Some(reply) = replies.receive().await? {
        payloads.push(reply.payload);
    }
    Ok(payloads)
}

async fn in_turn(to: Subject) -> Verdict {
    let (mut requests, mut replies) = to.calls.chat().await?;
    for n in 0..500 {
        requests.send(echo(pattern(n, n))).await?;
        let expected = EchoReply { payload: pattern(n, n) };
        equal("answer", &replies.receive().await?, &Some(expected))?;
    }
    requests.finish().await?;
    equal("after the last answer", &replies.receive().await?, &None)
}
