//! Compression. The server's meter tells what was on the wire; zeros that travel in full would show.

use farcall::Encoding;

use super::messages::{receive_all, send_all};
use super::{Checks, KIB, MIB, Subject};
use crate::pattern::pattern;
use crate::proto::conformance::v1::{EchoRequest, TrafficReply, TrafficRequest, WireClient};
use crate::verdict::{Verdict, equal, holds};

pub(super) fn add(checks: &mut Checks) {
    checks.add("a gzip request gets a plain answer", request);
    checks.add("a plain request gets a gzip answer", reply);
    checks.add("gzip both ways in a bidirectional stream", chat);
    for size in [0, 1, 100, MIB, 16 * MIB] {
        checks.add(format!("gzip both ways with {size} bytes"), move |to| both_ways(to, size));
    }
}

/// The bytes that `talk` put on the wire.
async fn metered(to: &Subject, talk: impl Future<Output = Verdict>) -> Verdict<TrafficReply> {
    let wire = WireClient::new(to.channel.clone());
    let before = wire.traffic(TrafficRequest {}).await?;
    talk.await?;
    let after = wire.traffic(TrafficRequest {}).await?;
    Ok(TrafficReply {
        received_bytes: after.received_bytes - before.received_bytes,
        sent_bytes: after.sent_bytes - before.sent_bytes,
    })
}

fn small(what: &str, counted: u64) -> Verdict {
    holds(counted <= 64 * KIB as u64, || {
        format!("{what}: 1 MiB of zeros took {counted} bytes on the wire")
    })
}

fn in_full(what: &str, counted: u64) -> Verdict {
    holds(counted >= MIB as u64, || {
        format!("{what}: {counted} bytes on the wire for 1 MiB that nobody asked to compress")
    })
}

async fn request(to: Subject) -> Verdict {
    let traffic = metered(&to, async {
        let request = EchoRequest { payload: vec![0; MIB], compress: false };
        let reply = to.calls.echo(request).compress(Encoding::Gzip).await?;
        equal("answer", &reply.payload, &vec![0; MIB])
    });
    let traffic = traffic.await?;
    small("request", traffic.received_bytes)?;
    in_full("answer", traffic.sent_bytes)
}

async fn reply(to: Subject) -> Verdict {
    let traffic = metered(&to, async {
        let request = EchoRequest { payload: vec![0; MIB], compress: true };
        equal("answer", &to.calls.echo(request).await?.payload, &vec![0; MIB])
    });
    let traffic = traffic.await?;
    in_full("request", traffic.received_bytes)?;
    small("answer", traffic.sent_bytes)
}

async fn chat(to: Subject) -> Verdict {
    let traffic = metered(&to, async {
        let (mut requests, mut replies) = to.calls.chat().compress(Encoding::Gzip).await?;
        let message = EchoRequest { payload: vec![0; MIB / 4], compress: true };
        let messages = std::iter::repeat_n(message, 4);
        let (sent, received) =
            tokio::join!(send_all(&mut requests, messages), receive_all(&mut replies));
        sent?;
        equal("answers", &received?, &vec![vec![0; MIB / 4]; 4])
    });
    let traffic = traffic.await?;
    small("requests", traffic.received_bytes)?;
    small("answers", traffic.sent_bytes)
}

async fn both_ways(to: Subject, size: usize) -> Verdict {
    let request = EchoRequest { payload: pattern(size, 0), compress: true };
    let reply = to.calls.echo(request).compress(Encoding::Gzip).await?;
    equal("answer", &reply.payload, &pattern(size, 0))
}
