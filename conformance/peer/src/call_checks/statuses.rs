//! Statuses: every code, messages that need escapes, details.

use farcall::{Any, Code, Idempotency, Kind, Method, Status, stub};

use super::messages::echo;
use super::{Checks, Subject};
use crate::proto::conformance::v1::{AbsentClient, Detail, EchoReply, EchoRequest, FailRequest};
use crate::verdict::{Verdict, equal, fails_with};

/// Codes as numbers, all but OK.
const CODES: std::ops::RangeInclusive<u32> = 1..=16;

/// What needs escapes in a header, and what does not.
const MESSAGE: &str = "100 % of na\u{ef}ve \t tests\r\nsay \u{263a} and \u{1f608} ";

/// A method that the service does not have.
static NOTHING: Method = Method {
    service: "conformance.v1.Calls",
    name: "Nothing",
    path: "/conformance.v1.Calls/Nothing",
    kind: Kind::Unary,
    idempotency: Idempotency::Unknown,
};

pub(super) fn add(checks: &mut Checks) {
    for code in CODES.filter_map(Code::from_u32) {
        let name = format!("unary fails with {} and details", code.name());
        checks.add(name, move |to| unary(to, code));
    }
    for code in CODES.filter_map(Code::from_u32) {
        let name = format!("a stream fails with {} and details after 3 messages", code.name());
        checks.add(name, move |to| stream(to, code));
    }
    checks.add("a failure without message and details is its code", bare);
    checks.add("an unknown service is UNIMPLEMENTED", unknown_service);
    checks.add("an unknown method is UNIMPLEMENTED", unknown_method);
}

/// One detail that every library knows, a google.protobuf.Duration of 3 s and 7 ns, and one that none does.
fn details() -> Vec<Any> {
    let known = "type.googleapis.com/google.protobuf.Duration";
    vec![
        Any { type_url: known.into(), value: vec![0x08, 3, 0x10, 7].into() },
        Any {
            type_url: "type.example/conformance.Unknown".into(),
            value: (0..=255).collect::<Vec<u8>>().into(),
        },
    ]
}

fn failure(code: Code, messages: u32) -> FailRequest {
    let details = details().into_iter();
    let details =
        details.map(|any| Detail { type_url: any.type_url, value: any.value.into() }).collect();
    FailRequest {
        code: code.as_u32(),
        message: MESSAGE.into(),
        details,
        messages,
        ..FailRequest::default()
    }
}

fn carries_details(status: &Status) -> Verdict {
    equal("message", &status.message(), &MESSAGE)?;
    equal("details", &status.details(), &details().as_slice())
}

async fn unary(to: Subject, code: Code) -> Verdict {
    carries_details(&fails_with(code, to.calls.fail(failure(code, 0)).await)?)
}

async fn stream(to: Subject, code: Code) -> Verdict {
    let mut replies = to.calls.fail_stream(failure(code, 3)).await?;
    for _ in 0..3 {
        equal("answer", &replies.receive().await?, &Some(EchoReply::default()))?;
    }
    carries_details(&fails_with(code, replies.receive().await)?)
}

async fn bare(to: Subject) -> Verdict {
    let request = FailRequest { code: Code::NotFound.as_u32(), ..FailRequest::default() };
    let status = fails_with(Code::NotFound, to.calls.fail(request).await)?;
    equal("message and details", &(status.message(), status.details()), &("", &[] as &[_]))
}

async fn unknown_service(to: Subject) -> Verdict {
    let absent = AbsentClient::new(to.channel);
    fails_with(Code::Unimplemented, absent.nothing(echo(Vec::new())).await).map(drop)
}

async fn unknown_method(to: Subject) -> Verdict {
    let call = stub::unary::<EchoRequest, EchoReply>(&to.channel, &NOTHING, echo(Vec::new()));
    fails_with(Code::Unimplemented, call.await).map(drop)
}
