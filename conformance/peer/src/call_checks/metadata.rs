//! Metadata both ways: ASCII, binary, duplicates in order.

use farcall::{Code, Pending};

use super::{Checks, Subject};
use crate::metadata_entry::{MetadataEntry, by_key, is_binary, text, to_metadata};
use crate::proto::conformance::v1::{EchoMetadataReply, EchoMetadataRequest, FailRequest};
use crate::verdict::{Verdict, equal, fails_with};

pub(super) fn add(checks: &mut Checks) {
    checks.add("metadata reaches the server: ASCII, binary, duplicates in order", up);
    checks.add("initial and trailing metadata come back: ASCII, binary, duplicates in order", down);
    checks.add("6 KiB of metadata pass both ways", large);
    checks.add("trailing metadata goes with a failure", of_failure);
}

fn entry(key: &str, value: impl Into<Vec<u8>>) -> MetadataEntry {
    MetadataEntry { key: key.to_owned(), value: value.into() }
}

fn entries() -> Vec<MetadataEntry> {
    vec![
        entry("x-text", "plain"),
        entry("x-twice", "first"),
        entry("x-twice", "second"),
        entry("x-twice", "third"),
        entry("x-printable", (b'!'..=b'~').collect::<Vec<u8>>()),
        entry("x-inner-spaces", "a  b   c"),
        entry("x-every-byte-bin", (0..=255).collect::<Vec<u8>>()),
        entry("x-twice-bin", [0x00, 0x01]),
        entry("x-twice-bin", [0xff, 0xfe, 0xfd]),
        entry("x-one-bin", [0x80]),
        entry("x-comma-bin", ",,,"),
    ]
}

fn reversed(mut entries: Vec<MetadataEntry>) -> Vec<MetadataEntry> {
    entries.reverse();
    entries
}

/// The call with this metadata.
fn with<T>(call: Pending<T>, entries: &[MetadataEntry]) -> Verdict<Pending<T>> {
    entries.iter().try_fold(call, |call, entry| {
        Ok(if is_binary(entry) {
            call.metadata_bin(&entry.key, &entry.value)
        } else {
            call.metadata(&entry.key, text(entry)?)
        })
    })
}

/// Whether the server saw just these entries.
fn received(reply: &EchoMetadataReply, entries: &[MetadataEntry]) -> Verdict {
    let (got, expected) = (to_metadata(&reply.received)?, to_metadata(entries)?);
    equal("metadata", &by_key(&got), &by_key(&expected))
}

async fn up(to: Subject) -> Verdict {
    let call = to.calls.echo_metadata(EchoMetadataRequest::default());
    received(&with(call, &entries())?.await?, &entries())
}

async fn down(to: Subject) -> Verdict {
    let request = EchoMetadataRequest { initial: entries(), trailing: reversed(entries()) };
    let (_, beside) = to.calls.echo_metadata(request).with_metadata().await?;
    let initial = to_metadata(&entries())?;
    equal("initial metadata", &by_key(beside.metadata()), &by_key(&initial))?;
    let trailing = to_metadata(&reversed(entries()))?;
    equal("trailing metadata", &by_key(beside.trailers()), &by_key(&trailing))
}

async fn large(to: Subject) -> Verdict {
    let large: Vec<_> = (0..6).map(|n| entry(&format!("x-large-{n}"), [b'v'; 1000])).collect();
    let request = EchoMetadataRequest { trailing: large.clone(), ..EchoMetadataRequest::default() };
    let call = with(to.calls.echo_metadata(request), &large)?;
    let (reply, beside) = call.with_metadata().await?;
    received(&reply, &large)?;
    let expected = to_metadata(&large)?;
    equal("trailing metadata", &by_key(beside.trailers()), &by_key(&expected))
}

async fn of_failure(to: Subject) -> Verdict {
    let request = FailRequest {
        code: Code::FailedPrecondition.as_u32(),
        message: "no".into(),
        trailing: entries(),
        ..FailRequest::default()
    };
    let status = fails_with(Code::FailedPrecondition, to.calls.fail(request).await)?;
    let expected = to_metadata(&entries())?;
    equal("trailing metadata", &by_key(status.metadata()), &by_key(&expected))
}
