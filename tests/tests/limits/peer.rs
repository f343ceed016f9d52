//! A client of a live server that sends whatever a test wants, stream by stream: over HTTP/2, or over a WebSocket that
//! carries calls.

use std::collections::BTreeMap;

use bytes::{Buf, BytesMut};
use farcall_wire::Fields;
use farcall_wire::hpack::{Decoder, Encoder, ListLimits};
use farcall_wire::http2::ErrorCode;
use farcall_wire::http2::frame::{
    CLIENT_PREFACE, Data, FrameHead, FrameKind, GoAway, Headers, Ping, RstStream, Settings,
    WindowUpdate,
};
use farcall_wire::websocket::frame::{FrameHead as SocketHead, OpCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::websocket_support::raw::whole;
use crate::websocket_support::session;

/// What the streams are carried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Http2,
    WebSocket,
}

/// What the server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Head { stream: u32, status: String },
    Data { stream: u32, length: usize },
    Trailers { stream: u32 },
    Reset { stream: u32, code: ErrorCode },
    Credit { stream: u32, octets: u32 },
    Pong,
    Settings,
    SettingsAck,
    GoAway(ErrorCode),
    Other,
}

/// How a request was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(String),
    Reset(ErrorCode),
    /// The connection ended, for this reason.
    Gone(ErrorCode),
}

impl Seen {
    /// Neither an answer nor an end.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self, Self::Credit { .. } | Self::Settings | Self::SettingsAck | Self::Other)
    }
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status.to_string())
    }
}

/// A connection whose every byte is the test's.
pub(crate) struct Peer {
    carrier: Carrier,
    tcp: TcpStream,
    input: BytesMut,
    encoder: Encoder,
    decoder: Decoder,
    /// Credit that came on streams, until it is used.
    credit: BTreeMap<u32, usize>,
}

/// The head of a call.
pub(crate) fn call(path: &str) -> Fields {
    Fields::from_iter([
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ])
}

impl Peer {
    /// A connection that has been greeted.
    pub(crate) async fn connect(carrier: Carrier, endpoint: &str) -> Self {
        let address = endpoint.strip_prefix("tcp://").expect("an endpoint on TCP");
        let tcp = TcpStream::connect(address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let input = BytesMut::new();
        let (encoder, decoder) = (Encoder::new(4096), Decoder::new(4096));
        let mut peer = Self { carrier, tcp, input, encoder, decoder, credit: BTreeMap::new() };
        match carrier {
            Carrier::Http2 => peer.greet().await,
            Carrier::WebSocket => peer.upgrade().await,
        }
        peer
    }

    async fn greet(&mut self) {
        let mut out = BytesMut::from(CLIENT_PREFACE);
        Settings::emit(&[], &mut out);
        self.write(&out).await;
        while self.next().await != Some(Seen::Settings) {}
        self.frame(Settings::emit_ack).await;
        while self.next().await != Some(Seen::SettingsAck) {}
    }

    async fn upgrade(&mut self) {
        let request = "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-protocol: farcall.v1\r\n\r\n";
        self.write(request.as_bytes()).await;
        let end = loop {
            if let Some(at) = self.input.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert_ne!(self.tcp.read_buf(&mut self.input).await.unwrap(), 0);
        };
        let head = self.input.split_to(end);
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
    }

    /// Sends bytes. A server that has had enough may be gone: what it said is there to be read.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.tcp.write_all(bytes).await;
    }

    /// Sends a frame of HTTP/2.
    pub(crate) async fn frame(&mut self, emit: impl FnOnce(&mut BytesMut)) {
        let mut bytes = BytesMut::new();
        emit(&mut bytes);
        self.write(&bytes).await;
    }

    /// Sends a frame of HTTP/2 with any head; the length is the payload's.
    pub(crate) async fn any(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap();
        self.frame(|out| {
            FrameHead { length, kind: FrameKind::from_u8(kind), flags, stream }.emit(out);
            out.extend_from_slice(payload);
        })
        .await;
    }

    /// Fields as HTTP/2 has them.
    pub(crate) fn block(&mut self, fields: &Fields) -> Vec<u8> {
        let mut block = BytesMut::new();
        self.encoder.encode(fields, &mut block);
        block.to_vec()
    }

    /// Sends a message of a WebSocket.
    async fn message(&mut self, message: &[u8]) {
        self.write(&whole(OpCode::Binary, message).bytes()).await;
    }

    /// Begins a stream.
    pub(crate) async fn request(&mut self, stream: u32, fields: &Fields, end: bool) {
        if self.carrier == Carrier::WebSocket {
            let lines: String = fields
                .iter()
                .map(|field| [field.name, b": ", field.value, b"\n"].concat())
                .map(|line| String::from_utf8(line).unwrap())
                .collect();
            return self.message(&session::head(stream, end, &lines)).await;
        }
        let block = self.block(fields);
        // As many CONTINUATION frames as it takes: a frame has 16 KiB at most.
        let pieces: Vec<&[u8]> = block.chunks(16_384).collect();
        for (number, piece) in pieces.iter().enumerate() {
            let last = u8::from(number + 1 == pieces.len()) << 2;
            let (kind, flags) = if number == 0 { (1, u8::from(end) | last) } else { (9, last) };
            self.any(kind, flags, stream, piece).await;
        }
    }

    pub(crate) async fn data(&mut self, stream: u32, data: &[u8], end: bool) {
        if self.carrier == Carrier::WebSocket {
            return self.message(&session::data(stream, end, data)).await;
        }
        self.frame(|out| Data { stream, end, data, padding: None }.emit(out)).await;
    }

    pub(crate) async fn reset(&mut self, stream: u32) {
        let code = ErrorCode::Cancel;
        if self.carrier == Carrier::WebSocket {
            return self.message(&session::reset(stream, code.to_u32(), "")).await;
        }
        self.frame(|out| RstStream { stream, code }.emit(out)).await;
    }

    /// What the server sends next; none when it has closed.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        loop {
            let seen = match self.carrier {
                Carrier::Http2 => self.parse_frame(),
                Carrier::WebSocket => self.parse_message(),
            };
            if let Some(Seen::Credit { stream, octets }) = seen {
                *self.credit.entry(stream).or_default() += octets as usize;
            }
            if seen.is_some() {
                return seen;
            }
            // A reset behind the last words does not make them worse.
            if self.tcp.read_buf(&mut self.input).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// How the request on this stream is taken.
    pub(crate) async fn answer(&mut self, wanted: u32) -> Answer {
        loop {
            match self.next().await {
                Some(Seen::Head { stream, status }) if stream == wanted => {
                    return Answer::Status(status);
                }
                Some(Seen::Reset { stream, code }) if stream == wanted => {
                    return Answer::Reset(code);
                }
                Some(Seen::GoAway(code)) if code != ErrorCode::NoError => {
                    return Answer::Gone(code);
                }
                Some(_) => {}
                None => panic!("no last words"),
            }
        }
    }

    /// What the server has sent by the time that it has read everything.
    pub(crate) async fn settle(&mut self) -> Vec<Seen> {
        match self.carrier {
            Carrier::Http2 => {
                self.frame(|out| Ping { ack: false, payload: [7; 8] }.emit(out)).await;
            }
            Carrier::WebSocket => self.write(&whole(OpCode::Ping, b"settled").bytes()).await,
        }
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                Some(Seen::Pong) => return seen,
                Some(next) => seen.push(next),
                None => panic!("the server has closed, behind {seen:?}"),
            }
        }
    }

    /// What has been given back on a stream, now that the server has acted on everything: a PING is answered when it is
    /// read, and what was read with it is acted upon before the next one.
    pub(crate) async fn take_credit(&mut self, stream: u32) -> usize {
        for _ in 0..2 {
            let seen = self.settle().await;
            assert!(!seen.iter().any(|seen| matches!(seen, Seen::Reset { .. })), "{seen:?}");
        }
        self.credit.remove(&stream).unwrap_or(0)
    }

    /// Why the connection ends; panics if it goes on.
    pub(crate) async fn end(&mut self) -> ErrorCode {
        loop {
            match self.next().await {
                Some(Seen::GoAway(code)) if code != ErrorCode::NoError => return code,
                Some(_) => {}
                None => panic!("no last words"),
            }
        }
    }

    fn parse_frame(&mut self) -> Option<Seen> {
        let head = FrameHead::parse(*self.input.first_chunk()?);
        let size = FrameHead::SIZE + head.length as usize;
        if self.input.len() < size {
            return None;
        }
        let frame = self.input.split_to(size);
        let payload = &frame[FrameHead::SIZE..];
        Some(match head.kind {
            FrameKind::Headers => self.understand_headers(head, payload),
            FrameKind::Data => {
                let data = Data::parse(head, payload).unwrap();
                Seen::Data { stream: data.stream, length: data.data.len() }
            }
            FrameKind::RstStream => {
                let reset = RstStream::parse(head, payload).unwrap();
                Seen::Reset { stream: reset.stream, code: reset.code }
            }
            FrameKind::WindowUpdate => {
                let update = WindowUpdate::parse(head, payload).unwrap();
                Seen::Credit { stream: update.stream, octets: update.increment }
            }
            FrameKind::Settings if head.flags & 1 == 1 => Seen::SettingsAck,
            FrameKind::Settings => Seen::Settings,
            FrameKind::Ping if head.flags & 1 == 1 => Seen::Pong,
            FrameKind::GoAway => Seen::GoAway(GoAway::parse(head, payload).unwrap().code),
            _ => Seen::Other,
        })
    }

    fn understand_headers(&mut self, head: FrameHead, payload: &[u8]) -> Seen {
        let headers = Headers::parse(head, payload).unwrap();
        assert!(headers.end_headers, "no test asks for so much");
        let mut fields = Fields::new();
        let limits = ListLimits { max_fields: 1000, max_size: 1 << 20 };
        self.decoder.decode(headers.block, limits, &mut fields).unwrap();
        let stream = headers.stream;
        match fields.get(":status") {
            Some(status) => {
                Seen::Head { stream, status: String::from_utf8_lossy(status).into_owned() }
            }
            None => Seen::Trailers { stream },
        }
    }

    fn parse_message(&mut self) -> Option<Seen> {
        let (head, size) = SocketHead::parse(&self.input).unwrap()?;
        let length = usize::try_from(head.length).unwrap();
        if self.input.len() < size + length {
            return None;
        }
        self.input.advance(size);
        let mut payload = self.input.split_to(length);
        Some(match head.opcode {
            OpCode::Binary => {
                let (kind, stream) = (payload.get_u8(), payload.get_u32());
                understand_message(kind, stream, &mut payload)
            }
            OpCode::Pong => Seen::Pong,
            _ => Seen::Other,
        })
    }
}

/// A message of `docs/websocket.md`.
fn understand_message(kind: u8, stream: u32, payload: &mut BytesMut) -> Seen {
    match kind {
        1 => {
            let text = String::from_utf8_lossy(&payload[1..]).into_owned();
            let status = text.lines().find_map(|line| line.strip_prefix(":status: "));
            Seen::Head { stream, status: status.unwrap().to_owned() }
        }
        2 => Seen::Data { stream, length: payload.len() - 1 },
        3 => Seen::Trailers { stream },
        4 => Seen::Reset { stream, code: ErrorCode::from_u32(payload.get_u32()) },
        5 => Seen::Credit { stream, octets: payload.get_u32() },
        6 => {
            payload.advance(4);
            Seen::GoAway(ErrorCode::from_u32(payload.get_u32()))
        }
        _ => Seen::Other,
    }
}
