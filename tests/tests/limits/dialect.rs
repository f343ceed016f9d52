//! A call by hand over HTTP/1.1, in each protocol and codec.

use farcall::{Code, Codec, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A protocol, and how its messages are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    pub(crate) protocol: Protocol,
    pub(crate) codec: Codec,
}

/// A request that goes on the wire as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handmade<'a> {
    pub(crate) path: &'a str,
    /// Lines of the head.
    pub(crate) fields: &'a str,
    pub(crate) message: &'a [u8],
    pub(crate) is_zstd: bool,
}

impl Dialect {
    pub(crate) const fn proto(protocol: Protocol) -> Self {
        Self { protocol, codec: Codec::Proto }
    }

    /// JSON in all protocols.
    pub(crate) const JSON: [Self; 3] = [
        Self { protocol: Protocol::Grpc, codec: Codec::Json },
        Self { protocol: Protocol::GrpcWeb, codec: Codec::Json },
        Self { protocol: Protocol::Connect, codec: Codec::Json },
    ];

    pub(crate) fn content_type(self) -> String {
        let codec = self.codec.name();
        match self.protocol {
            Protocol::Grpc => format!("application/grpc+{codec}"),
            Protocol::GrpcWeb => format!("application/grpc-web+{codec}"),
            Protocol::Connect => format!("application/{codec}"),
        }
    }

    fn bytes(self, request: Handmade<'_>) -> Vec<u8> {
        let is_bare = self.protocol == Protocol::Connect;
        let (encoding, body) = if is_bare {
            ("content-encoding", request.message.to_vec())
        } else {
            ("grpc-encoding", envelope(u8::from(request.is_zstd), request.message))
        };
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: localhost\r\nconnection: close, te\r\nte: trailers\r\n\
             content-type: {}\r\ncontent-length: {}\r\n{}",
            request.path,
            self.content_type(),
            body.len(),
            request.fields
        );
        if request.is_zstd {
            head.push_str(encoding);
            head.push_str(": zstd\r\n");
        }
        head.push_str("\r\n");
        [head.into_bytes(), body].concat()
    }

    /// The whole answer to a request.
    pub(crate) async fn exchange(self, endpoint: &str, request: Handmade<'_>) -> String {
        let address = endpoint.strip_prefix("tcp://").unwrap();
        let (mut input, mut output) = TcpStream::connect(address).await.unwrap().into_split();
        let bytes = self.bytes(request);
        let mut answer = Vec::new();
        // A server that refuses early reads no further: what it says counts, not what it left.
        let _ = tokio::join!(output.write_all(&bytes), input.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// How a call ends.
    pub(crate) async fn call(self, endpoint: &str, request: Handmade<'_>) -> Result<(), Code> {
        let answer = self.exchange(endpoint, request).await;
        if self.protocol == Protocol::Connect {
            return match member(&answer, "code") {
                Some("resource_exhausted") => Err(Code::ResourceExhausted),
                Some("invalid_argument") => Err(Code::InvalidArgument),
                Some("internal") => Err(Code::Internal),
                Some(other) => panic!("another code: {other}"),
                None if answer.starts_with("HTTP/1.1 200 ") => Ok(()),
                None => panic!("{answer}"),
            };
        }
        let status = trailer(&answer, "grpc-status").unwrap_or_else(|| panic!("{answer}"));
        Code::from_u32(status.parse().unwrap()).map_or(Ok(()), Err)
    }
}

/// A message in its envelope.
pub(crate) fn envelope(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag][..], &length, message].concat()
}

/// The value of a field, wherever in the answer it is.
pub(crate) fn trailer<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let at = answer.find(&format!("{name}:"))? + name.len() + 1;
    answer[at..].split("\r\n").next().map(str::trim)
}

/// The value of a member that is a string without escapes.
pub(crate) fn member<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let begin = format!("\"{name}\":\"");
    let at = answer.find(&begin)? + begin.len();
    answer[at..].split('"').next()
}
