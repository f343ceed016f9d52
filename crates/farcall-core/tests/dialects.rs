//! What one side says in any dialect, the other understands.

mod note;

use std::time::Duration;

use bytes::Bytes;
use farcall_core::{
    Answer, CallHead, Cardinality, ClientExchange, Code, Codec, Dialect, Encoding, Ending, Kind,
    Limits, Metadata, Method, Next, Outgoing, Protocol, Sender, ServerExchange, Status,
};
use farcall_wire::event::{RequestHead, RequestLine, ResponseHead};
use farcall_wire::fields::Fields;
use note::{CHAT, COLLECT, FOLLOW, Note, READ, TAKE};

static METHODS: [&Method; 4] = [&TAKE, &FOLLOW, &COLLECT, &CHAT];

/// All dialects that a method can be called in.
fn dialects(method: &Method) -> Vec<Dialect> {
    let mut dialects = Vec::new();
    for codec in [Codec::Proto, Codec::Json] {
        for protocol in [Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect] {
            dialects.push(Dialect::for_call(protocol, codec, method));
        }
        dialects.push(Dialect::for_call(Protocol::GrpcWeb, codec, method).text());
    }
    dialects
}

fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    let mut metadata = Metadata::new();
    for (name, value) in pairs {
        metadata.append(name, value).unwrap();
    }
    metadata.append_bin("raw-bin", [0, 1, 255]).unwrap();
    metadata
}

/// A head as an engine reports it.
fn request(fields: &Fields) -> RequestHead {
    let of = |name: &str| fields.get(name).unwrap();
    let line = RequestLine {
        method: of(":method"),
        scheme: of(":scheme"),
        authority: Some(of(":authority")),
        path: Some(of(":path")),
        protocol: None,
    };
    let mut regular = Fields::new();
    fields
        .iter()
        .filter(|field| !field.name.starts_with(b":"))
        .for_each(|field| regular.push_field(field));
    RequestHead::new(line, None, regular)
}

fn response(fields: &Fields) -> ResponseHead {
    let status = std::str::from_utf8(fields.get(":status").unwrap()).unwrap().parse().unwrap();
    let mut regular = Fields::new();
    fields
        .iter()
        .filter(|field| field.name != b":status")
        .for_each(|field| regular.push_field(field));
    ResponseHead::new(status, regular)
}

fn outgoing<'a>(
    method: &'a Method,
    metadata: &'a Metadata,
    encoding: Encoding,
    get: Option<&'a Bytes>,
) -> Outgoing<'a> {
    Outgoing {
        path: method.path,
        authority: "localhost",
        scheme: "http",
        metadata,
        timeout: Some(Duration::from_millis(1500)),
        encoding,
        get,
    }
}

fn client(dialect: Dialect, method: &Method) -> ClientExchange {
    let many = method.kind.streams_replies();
    let replies = if many { Cardinality::Many } else { Cardinality::One };
    ClientExchange::new(dialect, replies, &Limits::default())
}

/// The server's exchange for what a client asks, its requests received in pieces of `piece` bytes.
fn ask(
    client: &ClientExchange,
    method: &Method,
    encoding: Encoding,
    requests: &[Note],
    piece: usize,
) -> (ServerExchange, CallHead) {
    let metadata = metadata(&[("tenant", "acme")]);
    let fields = client.request_head(&outgoing(method, &metadata, encoding, None));
    let (mut server, head) =
        ServerExchange::accept(request(&fields), Some(method), &Limits::default()).unwrap();
    let sender = client.sender(encoding);
    for note in requests {
        let bytes = sender.envelope(note, true).unwrap();
        for chunk in bytes.chunks(piece) {
            server.receive(Bytes::copy_from_slice(chunk), false);
        }
    }
    server.receive(Bytes::new(), true);
    (server, head)
}

/// Gives a reply to a client in pieces of `piece` bytes.
fn answer(client: &mut ClientExchange, reply: &Answer, piece: usize) -> Option<Metadata> {
    let ends = reply.body.is_none() && reply.trailers.is_none();
    let metadata = client.receive_head(response(&reply.head), ends).unwrap();
    if let Some(body) = &reply.body {
        for chunk in body.chunks(piece) {
            client.receive(Bytes::copy_from_slice(chunk), false);
        }
        if reply.trailers.is_none() {
            client.receive(Bytes::new(), true);
        }
    }
    if let Some(trailers) = &reply.trailers {
        client.receive_trailers(trailers.clone().into_owned());
    }
    metadata
}

fn texts(mut next: impl FnMut() -> Next, limits: &Limits) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        match next() {
            Next::Message(message) => {
                texts.push(message.decode_request::<Note>(limits).unwrap().text);
            }
            Next::Pending => panic!("expected a message or the end"),
            Next::End => return texts,
        }
    }
}

#[test]
fn requests_cross_the_wire_in_every_dialect_and_encoding() {
    let limits = Limits::default();
    for method in METHODS {
        let many = method.kind.streams_requests();
        let notes: Vec<_> =
            (0..if many { 3 } else { 1 }).map(|n| Note::text("x".repeat(n * 100 + 7))).collect();
        for dialect in dialects(method) {
            for encoding in Encoding::ALL {
                for piece in [1, 7, 10_000] {
                    let client = client(dialect, method);
                    let (mut server, head) = ask(&client, method, *encoding, &notes, piece);
                    assert_eq!(server.dialect(), dialect);
                    assert_eq!(head.timeout, Some(Duration::from_millis(1500)), "{dialect:?}");
                    assert_eq!(head.encoding, *encoding);
                    assert_eq!(head.metadata.get("tenant"), Some("acme"));
                    assert_eq!(head.metadata.get_bin("raw-bin"), Some(vec![0, 1, 255]));
                    assert!(Encoding::ALL.iter().all(|encoding| head.accept.contains(*encoding)));
                    let received = texts(|| server.next_message().unwrap(), &limits);
                    let sent: Vec<_> = notes.iter().map(|note| note.text.clone()).collect();
                    assert_eq!(received, sent, "{dialect:?} {encoding}");
                }
            }
        }
    }
}

#[test]
fn streams_of_replies_cross_the_wire_in_every_dialect_and_encoding() {
    let limits = Limits::default();
    for method in [&FOLLOW, &CHAT] {
        for dialect in dialects(method) {
            for encoding in Encoding::ALL {
                for piece in [1, 5, 10_000] {
                    let mut client = client(dialect, method);
                    let leading = metadata(&[("shard", "7")]);
                    let trailing = metadata(&[("cost", "1"), ("cost", "2")]);
                    let head = dialect.response_head(&leading, *encoding);
                    let sender = Sender::new(dialect, *encoding, &limits);
                    let mut body = Vec::new();
                    for text in ["one", "", "three"] {
                        body.extend_from_slice(&sender.envelope(&Note::text(text), true).unwrap());
                    }
                    let Ending { body: end, trailers } = dialect.end(Ok(()), &trailing);
                    body.extend_from_slice(&end.unwrap_or_default());
                    let reply = Answer { head, body: Some(body.into()), trailers };
                    let metadata = answer(&mut client, &reply, piece).unwrap();
                    assert_eq!(metadata.get("shard"), Some("7"));
                    let received = texts(|| client.next_message().unwrap(), &limits);
                    assert_eq!(received, ["one", "", "three"], "{dialect:?} {encoding}");
                    let trailing = client.into_outcome().unwrap().unwrap();
                    assert_eq!(trailing.get_all("cost").collect::<Vec<_>>(), ["1", "2"]);
                    assert_eq!(trailing.get_bin("raw-bin"), Some(vec![0, 1, 255]));
                }
            }
        }
    }
}

#[test]
fn a_whole_reply_crosses_the_wire_in_every_dialect_and_encoding() {
    let limits = Limits::default();
    for method in [&TAKE, &COLLECT] {
        for dialect in dialects(method) {
            for (encoding, compress) in
                Encoding::ALL.iter().flat_map(|encoding| [(*encoding, false), (*encoding, true)])
            {
                let mut client = client(dialect, method);
                let sender = Sender::new(dialect, encoding, &limits);
                let note = Note::text("a reply that is long enough to be worth it");
                let message = sender.envelope(&note, compress).unwrap();
                let reply = dialect.whole(
                    &metadata(&[("shard", "7")]),
                    sender.announced(compress),
                    message,
                    &metadata(&[("cost", "3")]),
                );
                let leading = answer(&mut client, &reply, 9).unwrap();
                assert_eq!(leading.get_all("shard").collect::<Vec<_>>(), ["7"]);
                assert_eq!(leading.get("cost"), None, "{dialect:?}");
                let message = client.only_message().unwrap().unwrap();
                assert_eq!(message.decode_reply::<Note>(&limits).unwrap(), note);
                let trailing = client.into_outcome().unwrap().unwrap();
                assert_eq!(trailing.get("cost"), Some("3"), "{dialect:?}");
                assert_eq!(trailing.get("shard"), None);
            }
        }
    }
}

#[test]
fn a_message_can_be_compressed_after_it_was_encoded() {
    let limits = Limits::default();
    let note = Note::text("a text that is long enough, that is long enough");
    for method in METHODS {
        for dialect in dialects(method) {
            let plain = Sender::new(dialect, Encoding::Identity, &limits);
            for encoding in Encoding::ALL {
                let sender = Sender::new(dialect, *encoding, &limits);
                let encoded = plain.envelope(&note, false).unwrap();
                let compressed = sender.compress(encoded).unwrap();
                assert_eq!(compressed, sender.envelope(&note, true).unwrap(), "{dialect:?}");
            }
            if !dialect.is_bare() {
                let sender = Sender::new(dialect, Encoding::Gzip, &limits);
                assert!(sender.compress(Bytes::from_static(b"!")).is_err());
            }
        }
    }
}

#[test]
fn a_failure_crosses_the_wire_in_every_dialect() {
    for method in METHODS {
        for dialect in dialects(method) {
            for (leading, code) in [(false, Code::NotFound), (true, Code::Unimplemented)] {
                let leading = if leading { metadata(&[("shard", "7")]) } else { Metadata::new() };
                let detail = Note::text("why");
                let mut status =
                    Status::new(code, "no \"such\" thing: \u{1f480}\n").with_detail(&detail);
                status.metadata_mut().append("own", "1").unwrap();
                let reply = dialect.failure(&status, &leading, &metadata(&[("cost", "3")]));
                let mut client = client(dialect, method);
                let received = answer(&mut client, &reply, 11);
                let has_leading = received.is_some_and(|metadata| metadata.contains("shard"));
                assert_eq!(has_leading, leading.contains("shard"), "{dialect:?}");
                let failure = client.into_outcome().unwrap().unwrap_err();
                assert_eq!(failure.code(), code, "{dialect:?}");
                assert_eq!(failure.message(), status.message(), "{dialect:?}");
                assert_eq!(failure.detail::<Note>(), Some(detail), "{dialect:?}");
                assert_eq!(failure.metadata().get("own"), Some("1"), "{dialect:?}");
                assert_eq!(failure.metadata().get("cost"), Some("3"), "{dialect:?}");
                assert_eq!(failure.metadata().get_bin("raw-bin"), Some(vec![0, 1, 255]));
            }
        }
    }
}

#[test]
fn a_failure_behind_messages_crosses_the_wire_in_every_dialect() {
    for dialect in dialects(&FOLLOW) {
        let mut client = client(dialect, &FOLLOW);
        let sender = Sender::new(dialect, Encoding::Identity, &Limits::default());
        let mut body = sender.envelope(&Note::text("one"), false).unwrap().to_vec();
        let Ending { body: end, trailers } =
            dialect.end(Err(&Status::aborted("gone")), &metadata(&[("cost", "3")]));
        body.extend_from_slice(&end.unwrap_or_default());
        let head = dialect.response_head(&Metadata::new(), Encoding::Identity);
        answer(&mut client, &Answer { head, body: Some(body.into()), trailers }, 3);
        assert_eq!(texts(|| client.next_message().unwrap(), &Limits::default()), ["one"]);
        let failure = client.into_outcome().unwrap().unwrap_err();
        assert_eq!((failure.code(), failure.message()), (Code::Aborted, "gone"), "{dialect:?}");
        assert_eq!(failure.metadata().get("cost"), Some("3"));
    }
}

#[test]
fn every_code_crosses_the_wire_in_every_dialect() {
    for method in [&TAKE, &FOLLOW] {
        for (dialect, code) in dialects(method)
            .into_iter()
            .flat_map(|dialect| Code::ALL.into_iter().map(move |code| (dialect, code)))
        {
            let mut client = client(dialect, method);
            let (none, status) = (Metadata::new(), Status::new(code, "why"));
            answer(&mut client, &dialect.failure(&status, &none, &none), 100);
            let failure = client.into_outcome().unwrap().unwrap_err();
            assert_eq!((failure.code(), failure.message()), (code, "why"), "{dialect:?}");
        }
    }
}

#[test]
fn a_reply_that_is_cut_anywhere_is_no_success() {
    for method in [&TAKE, &FOLLOW] {
        for dialect in dialects(method) {
            let sender = Sender::new(dialect, Encoding::Identity, &Limits::default());
            let message = sender.envelope(&Note::text("hello"), false).unwrap();
            let none = Metadata::new();
            let reply = dialect.whole(&none, Encoding::Identity, message, &none);
            let body = reply.body.unwrap();
            for len in 0..body.len() {
                let mut client = client(dialect, method);
                client.receive_head(response(&reply.head), false).unwrap();
                client.receive(body.slice(..len), false);
                if dialect.is_bare() {
                    // Nothing but HTTP tells how long the body is.
                    client.receive_reset(2);
                } else {
                    client.receive(Bytes::new(), true);
                }
                let failure = client.outcome().unwrap().as_ref().unwrap_err();
                let expected = if dialect.protocol() == Protocol::Grpc {
                    Code::Unknown
                } else {
                    Code::Internal
                };
                assert_eq!(failure.code(), expected, "{dialect:?} cut at {len}: {failure}");
            }
        }
    }
}

#[test]
fn what_flow_control_gets_back_is_what_came() {
    for dialect in dialects(&CHAT) {
        let end_is_trailers = dialect.protocol() == Protocol::Grpc;
        let sender = Sender::new(dialect, Encoding::Identity, &Limits::default());
        let mut body = Vec::new();
        for len in 0..20 {
            body.extend_from_slice(&sender.envelope(&Note::text("x".repeat(len)), false).unwrap());
        }
        let mut client = client(dialect, &CHAT);
        let head = dialect.response_head(&Metadata::new(), Encoding::Identity);
        client.receive_head(response(&head), false).unwrap();
        let (mut received, mut returned) = (0, 0);
        for chunk in body.chunks(13) {
            client.receive(Bytes::copy_from_slice(chunk), false);
            received += chunk.len();
            while let Next::Message(message) = client.next_message().unwrap() {
                returned += message.wire_len();
                assert!(returned <= received, "{dialect:?}");
            }
        }
        assert_eq!(returned, body.len(), "{dialect:?}");
        assert_eq!(client.pending(), 0);
        assert_eq!(end_is_trailers, dialect.end(Ok(()), &Metadata::new()).body.is_none());
    }
}

#[test]
fn a_connect_call_by_get_has_its_message_in_the_query() {
    let note = Note::text("a+b c/d&e=\u{e4}?\u{fb}\u{fe}");
    for codec in [Codec::Proto, Codec::Json] {
        for encoding in Encoding::ALL {
            let dialect = Dialect::for_call(Protocol::Connect, codec, &READ);
            let client = client(dialect, &READ);
            let message = client.sender(*encoding).envelope(&note, true).unwrap();
            let metadata = metadata(&[("tenant", "acme")]);
            let fields =
                client.request_head(&outgoing(&READ, &metadata, *encoding, Some(&message)));
            assert_eq!(fields.get(":method"), Some(&b"GET"[..]));
            assert!(fields.get("content-type").is_none());
            let head = request(&fields);
            assert_eq!(Protocol::of(&head), Some(Protocol::Connect));
            assert_eq!(farcall_core::method::call_path(&head), READ.path.as_bytes());
            let (mut server, head) =
                ServerExchange::accept(head, Some(&READ), &Limits::default()).unwrap();
            assert_eq!((server.dialect().codec(), head.encoding), (codec, *encoding));
            assert_eq!(head.metadata.get("tenant"), Some("acme"));
            assert!(server.is_ended());
            server.receive(Bytes::new(), true);
            let message = server.only_message().unwrap().unwrap();
            assert_eq!(message.wire_len(), 0);
            assert_eq!(message.decode_request::<Note>(&Limits::default()).unwrap(), note);
        }
    }
}

#[test]
fn connects_unary_form_is_for_unary_methods_alone() {
    for method in METHODS {
        let dialect = Dialect::for_call(Protocol::Connect, Codec::Json, method);
        assert_eq!(dialect.is_bare(), method.kind == Kind::Unary);
        for other in METHODS {
            let fields = client(dialect, method).request_head(&outgoing(
                other,
                &Metadata::new(),
                Encoding::Identity,
                None,
            ));
            let accepted =
                ServerExchange::accept(request(&fields), Some(other), &Limits::default());
            let suits = (method.kind == Kind::Unary) == (other.kind == Kind::Unary);
            assert_eq!(accepted.is_ok(), suits);
            if let Err(refusal) = accepted {
                assert_eq!(refusal.head.get(":status"), Some(&b"415"[..]));
                assert!(refusal.head.get("accept-post").is_some());
            }
        }
    }
}

#[test]
fn names_of_protocols_and_codecs_are_read_as_they_are_written() {
    for protocol in [Protocol::Grpc, Protocol::GrpcWeb, Protocol::Connect] {
        assert_eq!(protocol.to_string().parse(), Ok(protocol));
    }
    for codec in [Codec::Proto, Codec::Json] {
        assert_eq!(codec.to_string().parse(), Ok(codec));
    }
    let error = "soap".parse::<Protocol>().unwrap_err();
    assert_eq!(error.to_string(), "protocol \"soap\": expected grpc, grpc-web or connect");
    assert!("xml".parse::<Codec>().is_err());
}
