//! The column of JSON: what is bounded about messages that are text, whatever the protocol.

use farcall::Code;
use farcall::limits::Bound;
use farcall_tests::{Probe, Request, Running, Subject};

use crate::calls;
use crate::cell::{live, number};
use crate::dialect::{Dialect, Handmade};

cells! { Json:
    message_received: "message received" => |bound| each(bound, calls::message_received);
    message_sent: "message sent" => |bound| calls::message_sent(Dialect::JSON[2], bound);
    message_decompressed: "message decompressed" => |bound| each(bound, calls::decompressed);
    zstd_window: "zstd window" => |bound| each(bound, calls::zstd_window);
    depth: "depth of a message" => |bound| each(bound, calls::depth);
    elements: "elements of a message, decoded" => |bound| each(bound, calls::elements);
    number_characters: "characters of a number" => |bound| each(bound, number_characters);
}

fn each(bound: Bound, probe: fn(Dialect, Bound)) {
    for dialect in Dialect::JSON {
        probe(dialect, bound);
    }
}

fn number_characters(dialect: Dialect, bound: Bound) {
    live(async {
        let subject = Subject::new();
        let server = farcall::Server::new().add(subject.clone().into_service());
        let running = Running::start(server, "tcp://127.0.0.1:0").await;
        for (length, ends) in
            [(number(bound), Ok(())), (number(bound) + 1, Err(Code::InvalidArgument))]
        {
            let message = format!(r#"{{"x":{}}}"#, "1".repeat(length));
            let request = Handmade {
                path: "/probe.v1.Probe/Unary",
                fields: "",
                message: message.as_bytes(),
                is_zstd: false,
            };
            assert_eq!(dialect.call(&running.endpoint, request).await, ends);
        }
        assert_eq!(subject.started(), 1);
        assert!(running.client().await.unary(Request::default()).await.is_ok());
    });
}
