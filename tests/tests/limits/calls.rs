//! The columns of the protocols: what is bounded about messages and about how calls end.

use std::future::{Future, ready};

use farcall::buffa_types::google::protobuf::{ListValue, Value};
use farcall::health::{HealthCheckRequest, HealthClient};
use farcall::limits::Bound;
use farcall::stub::{ServiceBuilder, Unary};
use farcall::{
    Any, Call, Channel, ChannelConfig, Code, Codec, Idempotency, Inbound, Kind, Method, Outbound,
    Protocol, Result, Server, Service, Status,
};
use farcall_tests::{Probe, ProbeClient, Reply, Request, Running, Subject};

use crate::body::{Padding, base64, field, nested, window_descriptor};
use crate::canned::{answering, response};
use crate::cell::{live, number};
use crate::dialect::{Dialect, Handmade, envelope, member, trailer};

/// gRPC.
pub(crate) mod grpc {
    use super::*;

    const DIALECT: Dialect = Dialect::proto(Protocol::Grpc);

    cells! { Grpc:
        health_watches: "health watches on a connection" => |bound| health_watches(DIALECT, bound);
        message_received: "message received" => |bound| message_received(DIALECT, bound);
        message_sent: "message sent" => |bound| message_sent(DIALECT, bound);
        message_decompressed: "message decompressed" => |bound| decompressed(DIALECT, bound);
        zstd_window: "zstd window" => |bound| zstd_window(DIALECT, bound);
        depth: "depth of a message" => |bound| depth(DIALECT, bound);
        elements: "elements of a message, decoded" => |bound| elements(DIALECT, bound);
        unknown_fields: "unknown fields kept" => |bound| unknown_fields(DIALECT, bound);
        status_message: "status message" => |bound| status_message(DIALECT, bound);
        details_sent: "status details sent" => |bound| details_sent(DIALECT, bound);
        details_read: "status details read" => |bound| details_read(DIALECT, bound);
    }
}

/// gRPC-Web.
pub(crate) mod grpc_web {
    use super::*;

    const DIALECT: Dialect = Dialect::proto(Protocol::GrpcWeb);

    cells! { GrpcWeb:
        health_watches: "health watches on a connection" => |bound| health_watches(DIALECT, bound);
        metadata_bytes: "metadata in bytes" => |bound| end_in_bytes(DIALECT, bound);
        metadata_fields: "metadata in fields" => |bound| end_in_fields(DIALECT, bound);
        message_received: "message received" => |bound| message_received(DIALECT, bound);
        message_sent: "message sent" => |bound| message_sent(DIALECT, bound);
        message_decompressed: "message decompressed" => |bound| decompressed(DIALECT, bound);
        zstd_window: "zstd window" => |bound| zstd_window(DIALECT, bound);
        depth: "depth of a message" => |bound| depth(DIALECT, bound);
        elements: "elements of a message, decoded" => |bound| elements(DIALECT, bound);
        unknown_fields: "unknown fields kept" => |bound| unknown_fields(DIALECT, bound);
        status_message: "status message" => |bound| status_message(DIALECT, bound);
        details_sent: "status details sent" => |bound| details_sent(DIALECT, bound);
        details_read: "status details read" => |bound| details_read(DIALECT, bound);
    }
}

/// Connect.
pub(crate) mod connect {
    use super::*;

    const DIALECT: Dialect = Dialect::proto(Protocol::Connect);

    cells! { Connect:
        health_watches: "health watches on a connection" => |bound| health_watches(DIALECT, bound);
        metadata_bytes: "metadata in bytes" => |bound| end_in_bytes(DIALECT, bound);
        metadata_fields: "metadata in fields" => |bound| end_in_fields(DIALECT, bound);
        message_received: "message received" => |bound| message_received(DIALECT, bound);
        message_sent: "message sent" => |bound| message_sent(DIALECT, bound);
        message_decompressed: "message decompressed" => |bound| decompressed(DIALECT, bound);
        zstd_window: "zstd window" => |bound| zstd_window(DIALECT, bound);
        depth: "depth of a message" => |bound| depth(DIALECT, bound);
        elements: "elements of a message, decoded" => |bound| elements(DIALECT, bound);
        unknown_fields: "unknown fields kept" => |bound| unknown_fields(DIALECT, bound);
        details_sent: "status details sent" => |bound| details_sent(DIALECT, bound);
        details_read: "status details read" => |bound| details_read(DIALECT, bound);
        error_message: "error message" => error_message;
        error_body: "error body" => error_body;
        timeout_digits: "digits of a timeout" => timeout_digits;
    }
}

const UNARY: &str = "/probe.v1.Probe/Unary";

/// A method whose message is a list of anything, and keeps the fields that it does not know.
static TAKE: Method = Method {
    service: "limits.v1.Lists",
    name: "Take",
    path: "/limits.v1.Lists/Take",
    kind: Kind::Unary,
    idempotency: Idempotency::Unknown,
};

struct Lists;
struct Take;

impl Unary<Lists> for Take {
    type Request = ListValue;
    type Reply = ListValue;

    fn call(
        _: &Lists,
        _: ListValue,
        _: &mut Call,
    ) -> impl Future<Output = Result<ListValue>> + Send {
        ready(Ok(ListValue::default()))
    }
}

fn lists() -> Service {
    ServiceBuilder::new(TAKE.service, Lists).unary::<Take>(&TAKE).build()
}

/// Fails every call with the details it was made with.
struct Failing(Vec<Any>);

impl Probe for Failing {
    async fn unary(&self, _: Request, _: &mut Call) -> Result<Reply> {
        let status = Status::not_found("no such thing");
        Err(self.0.iter().cloned().fold(status, Status::with_any))
    }

    async fn replies(&self, _: Request, _: &mut Outbound<Reply>, _: &mut Call) -> Result<()> {
        Ok(())
    }

    async fn requests(&self, _: &mut Inbound<Request>, _: &mut Call) -> Result<Reply> {
        Ok(Reply::default())
    }

    async fn both(
        &self,
        _: &mut Inbound<Request>,
        _: &mut Outbound<Reply>,
        _: &mut Call,
    ) -> Result<()> {
        Ok(())
    }
}

async fn server(subject: &Subject) -> Running {
    let server = Server::new().add(subject.clone().into_service()).add(lists()).health();
    Running::start(server, "tcp://127.0.0.1:0").await
}

/// One message that is taken, one that is refused with this code before it reaches a handler, and another client that is
/// answered.
fn messages(dialect: Dialect, path: &str, pair: [Handmade<'_>; 2], code: Code) {
    live(async {
        let subject = Subject::new();
        let running = server(&subject).await;
        let [taken, refused] = pair.map(|request| Handmade { path, ..request });
        assert_eq!(dialect.call(&running.endpoint, taken).await, Ok(()), "{dialect:?}");
        let started = subject.started();
        assert_eq!(dialect.call(&running.endpoint, refused).await, Err(code), "{dialect:?}");
        assert_eq!(subject.started(), started);
        assert!(running.client().await.unary(Request::default()).await.is_ok());
    });
}

fn plain(message: &[u8]) -> Handmade<'_> {
    Handmade { path: "", fields: "", message, is_zstd: false }
}

fn compressed(message: &[u8]) -> Handmade<'_> {
    // The answer is to be read here.
    let fields = "accept-encoding: identity\r\ngrpc-accept-encoding: identity\r\n";
    Handmade { fields, is_zstd: true, ..plain(message) }
}

pub(crate) fn message_received(dialect: Dialect, bound: Bound) {
    let padding = |size| Padding::new(dialect.codec, size).plain();
    let (taken, refused) = (padding(number(bound)), padding(number(bound) + 1));
    messages(dialect, UNARY, [plain(&taken), plain(&refused)], Code::ResourceExhausted);
}

pub(crate) fn decompressed(dialect: Dialect, bound: Bound) {
    let padding = |size| Padding::new(dialect.codec, size).zstd(window_descriptor(1 << 20));
    let (taken, refused) = (padding(number(bound)), padding(number(bound) + 1));
    assert!(refused.len() < 1000, "what came is small");
    messages(dialect, UNARY, [compressed(&taken), compressed(&refused)], Code::ResourceExhausted);
}

pub(crate) fn zstd_window(dialect: Dialect, bound: Bound) {
    let descriptor = window_descriptor(number(bound));
    let padding = Padding::new(dialect.codec, 100);
    // The next larger window is an eighth larger.
    let (taken, refused) = (padding.zstd(descriptor), padding.zstd(descriptor + 1));
    messages(dialect, UNARY, [compressed(&taken), compressed(&refused)], Code::Internal);
}

pub(crate) fn depth(dialect: Dialect, bound: Bound) {
    // In JSON the message itself is a level.
    let itself = usize::from(dialect.codec == Codec::Json);
    let levels = number(bound) - itself;
    let (taken, refused) = (nested(dialect.codec, levels), nested(dialect.codec, levels + 1));
    messages(dialect, UNARY, [plain(&taken), plain(&refused)], Code::InvalidArgument);
}

pub(crate) fn elements(dialect: Dialect, bound: Bound) {
    let list = |count: usize| match dialect.codec {
        Codec::Proto => [0x0a, 0].repeat(count),
        Codec::Json => format!("[{}0]", "0,".repeat(count - 1)).into(),
    };
    let size = match dialect.codec {
        Codec::Proto => size_of::<Value>(),
        // The measure of an element in JSON, which is estimated before it is read.
        Codec::Json => 64,
    };
    let most = number(bound) / size;
    let (taken, refused) = (list(most), list(most + 1));
    messages(dialect, TAKE.path, [plain(&taken), plain(&refused)], Code::ResourceExhausted);
}

/// The message keeps what it does not know: field 7, zero, over and over.
fn unknown_fields(dialect: Dialect, bound: Bound) {
    let unknown = |count| [0x38, 0].repeat(count);
    let (taken, refused) = (unknown(number(bound)), unknown(number(bound) + 1));
    messages(dialect, TAKE.path, [plain(&taken), plain(&refused)], Code::ResourceExhausted);
}

/// Connect's timeout, of zeros so that it is no matter how long it takes.
fn timeout_digits(bound: Bound) {
    let timeout = |digits: usize| format!("connect-timeout-ms: {:0>digits$}\r\n", 60_000);
    let (taken, refused) = (timeout(number(bound)), timeout(number(bound) + 1));
    let pair = [&taken, &refused].map(|fields| Handmade { fields, ..plain(b"") });
    messages(Dialect::proto(Protocol::Connect), UNARY, pair, Code::InvalidArgument);
}

/// What is too large to be sent is not: by a client, and by a server.
pub(crate) fn message_sent(dialect: Dialect, bound: Bound) {
    let most = number(bound);
    live(async {
        let subject = Subject::new();
        let running = server(&subject).await;
        let channel = Channel::connect(&running.endpoint).await.unwrap();
        let client = ProbeClient::new(channel.protocol(dialect.protocol).codec(dialect.codec));
        // Around a text of some megabytes: a tag and four bytes of length, or a name and quotes.
        let around = if dialect.codec == Codec::Proto { 5 } else { r#"{"failMessage":""}"#.len() };
        let text =
            |size: usize| Request { fail_message: "a".repeat(size - around), ..Request::default() };
        assert!(client.unary(text(most)).await.is_ok());
        let status = client.unary(text(most + 1)).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(subject.started(), 1, "it was not sent");

        // A reply says more than its request: two bytes, or twelve; and Base64 is a multiple of four.
        let fits = match dialect.codec {
            Codec::Proto => most - 7,
            Codec::Json => (most - 26) / 4 * 3,
        };
        let payload = |size| Request { payload: vec![0; size], ..Request::default() };
        assert_eq!(client.unary(payload(fits)).await.unwrap().payload.len(), fits);
        let status = client.unary(payload(fits + 1)).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(subject.started(), 3, "its reply was not");
        assert!(client.unary(Request::default()).await.is_ok());
    });
}

fn health_watches(dialect: Dialect, bound: Bound) {
    let most = number(bound);
    live(async {
        let running = server(&Subject::new()).await;
        let config = ChannelConfig { max_connections: 1, ..ChannelConfig::default() };
        let channel = || {
            let channel = Channel::with_config(&running.endpoint, config.clone()).unwrap();
            HealthClient::new(channel.protocol(dialect.protocol))
        };
        let (client, other) = (channel(), channel());
        let watch = async |client: &HealthClient| {
            let mut states = client.watch(HealthCheckRequest::default()).await?;
            let first = states.receive().await?;
            Ok::<_, Status>((states, first))
        };
        let mut watches = Vec::new();
        for _ in 0..most {
            watches.push(watch(&client).await.unwrap());
        }
        let refused = watch(&client).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(client.check(HealthCheckRequest::default()).await.is_ok());
        assert!(watch(&other).await.is_ok(), "another connection has its own");
    });
}

/// What the server answers to a call that fails with so long a message.
async fn failure(dialect: Dialect, length: usize) -> String {
    let running = server(&Subject::new()).await;
    // Field 3: the code, field 4: the message.
    let message = [&[0x18, 5][..], &field(4, &vec![b'a'; length])].concat();
    dialect.exchange(&running.endpoint, Handmade { path: UNARY, ..plain(&message) }).await
}

fn status_message(dialect: Dialect, bound: Bound) {
    let most = number(bound);
    live(async {
        for (length, sent) in [(most, most), (most + 1, most)] {
            let answer = failure(dialect, length).await;
            assert_eq!(trailer(&answer, "grpc-status"), Some("5"));
            assert_eq!(trailer(&answer, "grpc-message").map(str::len), Some(sent));
        }
    });
}

fn error_message(bound: Bound) {
    let most = number(bound);
    live(async {
        for (length, sent) in [(most, most), (most + 1, most)] {
            let answer = failure(Dialect::proto(Protocol::Connect), length).await;
            assert_eq!(member(&answer, "code"), Some("not_found"));
            assert_eq!(member(&answer, "message").map(str::len), Some(sent));
        }
    });
}

/// Details that would not fit beside the metadata are left out; code and message go.
fn details_sent(dialect: Dialect, bound: Bound) {
    let most = number(bound);
    live(async {
        let sent = async |size: usize| {
            let detail = Any { type_url: "a/b".into(), value: vec![0; size].into() };
            let server = Server::new().add(Failing(vec![detail]).into_service());
            let running = Running::start(server, "tcp://127.0.0.1:0").await;
            let request = Handmade { path: UNARY, ..plain(b"") };
            let answer = dialect.exchange(&running.endpoint, request).await;
            assert!(answer.contains("no such thing"), "{answer}");
            match dialect.protocol {
                Protocol::Connect => member(&answer, "value").map(str::len),
                Protocol::Grpc | Protocol::GrpcWeb => {
                    trailer(&answer, "grpc-status-details-bin").map(str::len)
                }
            }
        };
        // Base64 has four characters for three bytes. Besides the value it has a code, the message and two lengths in
        // it; in Connect the type stands beside it.
        let fits = match dialect.protocol {
            Protocol::Connect => (most - "a/b".len()) * 3 / 4,
            Protocol::Grpc | Protocol::GrpcWeb => {
                most / 4 * 3 - (2 + 2 + "no such thing".len() + 3 + 5 + 3)
            }
        };
        assert!(sent(fits).await.is_some_and(|length| length + 8 > most));
        assert_eq!(sent(fits + 1).await, None);
    });
}

/// The failure that a client makes of a reply with so many details.
async fn read_details(dialect: Dialect, count: usize) -> Status {
    let answer = if dialect.protocol == Protocol::Connect {
        let details = vec![r#"{"type":"a.B","value":""}"#; count].join(",");
        let error = format!(r#"{{"code":"not_found","message":"m","details":[{details}]}}"#);
        response("404 Not Found", "content-type: application/json\r\n", error.as_bytes())
    } else {
        let any = field(1, b"a/b");
        let status = [field(2, b"m"), field(3, &any).repeat(count)].concat();
        let fields = format!(
            "content-type: {}\r\ngrpc-status: 5\r\ngrpc-message: m\r\ngrpc-status-details-bin: {}\r\n",
            dialect.content_type(),
            base64(&status)
        );
        response("200 OK", &fields, b"")
    };
    let (_, channel) = answering(answer).await;
    let client = ProbeClient::new(channel.protocol(dialect.protocol));
    client.unary(Request::default()).await.unwrap_err()
}

/// More details than the bound are not kept; the failure itself counts.
fn details_read(dialect: Dialect, bound: Bound) {
    let most = number(bound);
    live(async {
        let status = read_details(dialect, most).await;
        assert_eq!((status.code(), status.details().len()), (Code::NotFound, most), "{status}");
        let status = read_details(dialect, most + 1).await;
        assert_eq!((status.code(), status.message()), (Code::NotFound, "m"));
        assert!(status.details().len() <= most);
    });
}

/// An error that is too large is not read: the HTTP status says what it can.
fn error_body(bound: Bound) {
    let most = number(bound);
    live(async {
        for (size, message) in [(most, "enough"), (most + 1, "the server answered with HTTP")] {
            let mut error = br#"{"code":"not_found","message":"enough"}"#.to_vec();
            error.resize(size, b' ');
            let fields = "content-type: application/json\r\n";
            let (_, channel) = answering(response("404 Not Found", fields, &error)).await;
            let client = ProbeClient::new(channel.protocol(Protocol::Connect));
            let status = client.unary(Request::default()).await.unwrap_err();
            assert!(status.message().starts_with(message), "{status}");
        }
    });
}

/// A reply to a call that streams, with nothing but its end.
async fn ended(dialect: Dialect, end: &[u8]) -> Result<()> {
    let (kind, flag) = match dialect.protocol {
        Protocol::Connect => ("application/connect+proto", 2),
        _ => ("application/grpc-web+proto", 0x80),
    };
    let fields = format!("content-type: {kind}\r\n");
    let (_, channel) = answering(response("200 OK", &fields, &envelope(flag, end))).await;
    let client = ProbeClient::new(channel.protocol(dialect.protocol));
    let mut replies = client.replies(Request::default()).await?;
    assert!(replies.receive().await?.is_none());
    Ok(())
}

/// The end of a reply whose size is this.
fn end_in_bytes(dialect: Dialect, bound: Bound) {
    let most = number(bound);
    live(async {
        let end = |size: usize| {
            if dialect.protocol == Protocol::Connect {
                let around = r#"{"metadata":{"x":[""]}}"#.len();
                format!(r#"{{"metadata":{{"x":["{}"]}}}}"#, "a".repeat(size - around))
            } else {
                let around = "grpc-status: 0\r\nx: \r\n".len();
                format!("grpc-status: 0\r\nx: {}\r\n", "a".repeat(size - around))
            }
        };
        ended(dialect, end(most).as_bytes()).await.unwrap();
        let status = ended(dialect, end(most + 1).as_bytes()).await.unwrap_err();
        assert!(matches!(status.code(), Code::Internal | Code::ResourceExhausted), "{status}");
    });
}

/// The end of a reply with so many fields.
fn end_in_fields(dialect: Dialect, bound: Bound) {
    let most = number(bound);
    live(async {
        let end = |count: usize| match dialect.protocol {
            Protocol::Connect => {
                format!(r#"{{"metadata":{{"x":[{}]}}}}"#, vec![r#""""#; count].join(","))
            }
            _ => format!("grpc-status: 0\r\n{}", "x: y\r\n".repeat(count - 1)),
        };
        ended(dialect, end(most).as_bytes()).await.unwrap();
        let status = ended(dialect, end(most + 1).as_bytes()).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{status}");
    });
}
