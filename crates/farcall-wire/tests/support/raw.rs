//! One engine against a peer that sends whatever a test wants.

use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use farcall_wire::hpack::{Decoder, Encoder, ListLimits};
use farcall_wire::http2::frame::{
    CLIENT_PREFACE, Continuation, Data, FrameHead, FrameKind, GoAway, Headers, Ping, Priority,
    PriorityFrame, RstStream, Setting, SettingId, Settings, WindowUpdate,
};
use farcall_wire::http2::{Config, Engine, ErrorCode, Role};
use farcall_wire::{Event, Fields, StreamId};

/// A frame that the engine sent, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Data { stream: u32, data: Vec<u8>, end: bool },
    Headers { stream: u32, fields: Fields, end: bool },
    Reset { stream: u32, code: ErrorCode },
    Settings(Vec<Setting>),
    SettingsAck,
    Ping { ack: bool, payload: [u8; 8] },
    GoAway { last: u32, code: ErrorCode, debug: String },
    WindowUpdate { stream: u32, increment: u32 },
    Priority,
}

/// An engine and its handmade peer.
pub(crate) struct Raw {
    pub(crate) engine: Engine,
    pub(crate) now: Instant,
    pub(crate) encoder: Encoder,
    decoder: Decoder,
    input: BytesMut,
    output: BytesMut,
    block: Option<(u32, bool, Vec<u8>)>,
}

impl Raw {
    /// A server whose peer has said nothing yet.
    pub(crate) fn silent_server(config: Config) -> Self {
        Self::engine(Role::Server, config)
    }

    /// A client whose peer has said nothing yet.
    pub(crate) fn silent_client(config: Config) -> Self {
        Self::engine(Role::Client, config)
    }

    /// A server past the greetings.
    pub(crate) fn server() -> Self {
        Self::server_with(Config::default())
    }

    /// A server past the greetings.
    pub(crate) fn server_with(config: Config) -> Self {
        let mut raw = Self::silent_server(config);
        raw.bytes(CLIENT_PREFACE);
        raw.greet();
        raw
    }

    /// A client past the greetings.
    pub(crate) fn client() -> Self {
        Self::client_with(Config::default())
    }

    /// A client past the greetings.
    pub(crate) fn client_with(config: Config) -> Self {
        let mut raw = Self::silent_client(config);
        raw.greet();
        raw
    }

    fn engine(role: Role, config: Config) -> Self {
        let now = Instant::now();
        Self {
            engine: Engine::new(role, config, now),
            now,
            encoder: Encoder::new(4096),
            decoder: Decoder::new(4096),
            input: BytesMut::new(),
            output: BytesMut::new(),
            block: None,
        }
    }

    fn greet(&mut self) {
        self.settings(&[]);
        self.frame(Settings::emit_ack);
        self.sent();
        self.events();
    }

    /// Bytes arrive.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.engine.receive(&mut self.input, self.now);
    }

    /// A frame arrives.
    pub(crate) fn frame(&mut self, emit: impl FnOnce(&mut BytesMut)) {
        let mut bytes = BytesMut::new();
        emit(&mut bytes);
        self.bytes(&bytes);
    }

    /// A frame with any head arrives; the length is the payload's.
    pub(crate) fn any(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap();
        self.frame(|out| {
            FrameHead { length, kind: FrameKind::from_u8(kind), flags, stream }.emit(out);
            out.extend_from_slice(payload);
        });
    }

    pub(crate) fn settings(&mut self, entries: &[(SettingId, u32)]) {
        let entries: Vec<Setting> =
            entries.iter().map(|&(id, value)| Setting { id, value }).collect();
        self.frame(|out| Settings::emit(&entries, out));
    }

    pub(crate) fn ping(&mut self) {
        self.frame(|out| Ping { ack: false, payload: *b"anything" }.emit(out));
    }

    pub(crate) fn block(&mut self, fields: &Fields) -> Vec<u8> {
        let mut block = BytesMut::new();
        self.encoder.encode(fields, &mut block);
        block.to_vec()
    }

    pub(crate) fn headers(&mut self, stream: u32, fields: &Fields, end: bool) {
        let block = self.block(fields);
        self.frame(|out| {
            Headers {
                stream,
                end_stream: end,
                end_headers: true,
                priority: None,
                block: &block,
                padding: None,
            }
            .emit(out);
        });
    }

    /// Like [`headers`](Self::headers), from pairs.
    pub(crate) fn pairs(&mut self, stream: u32, pairs: &[(&str, &str)], end: bool) {
        self.headers(stream, &pairs.iter().copied().collect(), end);
    }

    pub(crate) fn request(&mut self, stream: u32, end: bool) {
        self.headers(stream, &super::pair::request_head(), end);
    }

    pub(crate) fn data(&mut self, stream: u32, data: &[u8], end: bool) {
        self.frame(|out| Data { stream, end, data, padding: None }.emit(out));
    }

    pub(crate) fn continuation(&mut self, stream: u32, block: &[u8], end_headers: bool) {
        self.frame(|out| Continuation { stream, end_headers, block }.emit(out));
    }

    pub(crate) fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.frame(|out| RstStream { stream, code }.emit(out));
    }

    pub(crate) fn window_update(&mut self, stream: u32, increment: u32) {
        self.frame(|out| WindowUpdate { stream, increment }.emit(out));
    }

    pub(crate) fn goaway(&mut self, last_stream: u32, code: ErrorCode, debug: &[u8]) {
        self.frame(|out| GoAway { last_stream, code, debug }.emit(out));
    }

    pub(crate) fn priority(&mut self, stream: u32, dependency: u32) {
        let priority = Priority { dependency, exclusive: false, weight: 15 };
        self.frame(|out| PriorityFrame { stream, priority }.emit(out));
    }

    /// Time passes, in steps of what the engine waits for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..100_000 {
            match self.engine.next_timeout().filter(|next| *next <= end) {
                Some(next) => self.now = self.now.max(next),
                None => break,
            }
            self.engine.handle_timeout(self.now);
        }
        self.now = end;
        self.engine.handle_timeout(end);
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.engine.poll_event()).collect()
    }

    /// What the engine has sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<Sent> {
        self.engine.fill(self.now);
        let output = self.engine.output().split();
        self.output.unsplit(output);
        if self.output.starts_with(CLIENT_PREFACE) {
            self.output.advance(CLIENT_PREFACE.len());
        }
        let mut sent = Vec::new();
        while let Some(octets) = self.output.first_chunk() {
            let head = FrameHead::parse(*octets);
            self.output.advance(FrameHead::SIZE);
            let payload = self.output.split_to(head.length as usize);
            sent.extend(self.understand(head, &payload));
        }
        assert!(self.output.is_empty(), "a partial frame was sent");
        sent
    }

    fn understand(&mut self, head: FrameHead, payload: &[u8]) -> Option<Sent> {
        Some(match head.kind {
            FrameKind::Data => {
                let data = Data::parse(head, payload).unwrap();
                Sent::Data { stream: data.stream, data: data.data.to_vec(), end: data.end }
            }
            FrameKind::Headers => {
                let headers = Headers::parse(head, payload).unwrap();
                self.block = Some((headers.stream, headers.end_stream, headers.block.to_vec()));
                return headers.end_headers.then(|| self.decode());
            }
            FrameKind::Continuation => {
                let continuation = Continuation::parse(head, payload).unwrap();
                self.block.as_mut().unwrap().2.extend_from_slice(continuation.block);
                return continuation.end_headers.then(|| self.decode());
            }
            FrameKind::RstStream => {
                let reset = RstStream::parse(head, payload).unwrap();
                Sent::Reset { stream: reset.stream, code: reset.code }
            }
            FrameKind::Settings => match Settings::parse(head, payload).unwrap() {
                settings if settings.ack => Sent::SettingsAck,
                settings => Sent::Settings(settings.iter().collect()),
            },
            FrameKind::Ping => {
                let ping = Ping::parse(head, payload).unwrap();
                Sent::Ping { ack: ping.ack, payload: ping.payload }
            }
            FrameKind::GoAway => {
                let goaway = GoAway::parse(head, payload).unwrap();
                let debug = String::from_utf8_lossy(goaway.debug).into_owned();
                Sent::GoAway { last: goaway.last_stream, code: goaway.code, debug }
            }
            FrameKind::WindowUpdate => {
                let update = WindowUpdate::parse(head, payload).unwrap();
                Sent::WindowUpdate { stream: update.stream, increment: update.increment }
            }
            other => panic!("nobody sends {other:?}"),
        })
    }

    fn decode(&mut self) -> Sent {
        let (stream, end, block) = self.block.take().unwrap();
        let mut fields = Fields::new();
        let limits = ListLimits { max_fields: 1000, max_size: 1 << 20 };
        self.decoder.decode(&block, limits, &mut fields).unwrap();
        Sent::Headers { stream, fields, end }
    }

    /// The code of the GOAWAY that ended the connection; panics if it has not ended.
    pub(crate) fn fault(&mut self) -> ErrorCode {
        assert!(self.engine.is_closed(), "the connection goes on");
        let sent = self.sent();
        let Some(Sent::GoAway { code, .. }) = sent.last() else {
            panic!("no GOAWAY at the end of {sent:?}")
        };
        *code
    }

    /// The resets that were sent; panics if the connection has ended.
    pub(crate) fn resets(&mut self) -> Vec<(u32, ErrorCode)> {
        let sent = self.sent();
        assert!(!self.engine.is_closed(), "the connection has ended: {sent:?} {:?}", self.events());
        sent.into_iter()
            .filter_map(|frame| match frame {
                Sent::Reset { stream, code } => Some((stream, code)),
                _ => None,
            })
            .collect()
    }

    /// Answers a request with a head, a body and trailers, and is through with it.
    pub(crate) fn answer(&mut self, stream: u32, body: &'static [u8]) {
        let stream = StreamId(stream);
        self.engine.send_head(stream, &super::pair::response_head(), false).unwrap();
        self.engine.send_data(stream, body.into(), false).unwrap();
        self.engine.send_trailers(stream, &super::pair::status_trailers()).unwrap();
        self.engine.done(stream);
    }

    /// That the connection still works, by a whole call on stream `stream`.
    pub(crate) fn assert_alive(&mut self, stream: u32) {
        self.request(stream, true);
        let events = self.events();
        assert!(
            events.iter().any(
                |event| matches!(event, Event::Request { stream: seen, .. } if seen.0 == stream)
            ),
            "no request in {events:?}, {:?}",
            self.sent()
        );
        self.answer(stream, b"alive");
        let sent = self.sent();
        assert!(
            sent.iter().any(|frame| matches!(frame, Sent::Headers { stream: on, end: true, .. } if *on == stream)),
            "{sent:?}"
        );
    }
}
