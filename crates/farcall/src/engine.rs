//! The engine of a connection, whichever protocol it speaks.
//!
//! The engines have one shape and no trait: this is the one place that tells them apart. What a connection is for is the
//! role's business, and no role asks which engine it has.

use std::fmt;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use farcall_wire::event::{Event, StreamId};
use farcall_wire::fields::Fields;
use farcall_wire::http1::Scheme;
use farcall_wire::http2::{ErrorCode, Gone, OpenError, Role};
use farcall_wire::websocket::{Session, SessionConfig};
use farcall_wire::{http1, http2};
use http::Version;

use crate::http::Single;

/// A protocol machine: bytes in, events out, commands in, bytes out.
pub(crate) enum Engine {
    Http1(Box<http1::Engine>),
    Http2(Box<http2::Engine>),
    WebSocket(Box<Session>),
    Single(Box<Single>),
}

/// Does the same with whichever engine it is.
macro_rules! each {
    ($self:expr, $engine:ident => $act:expr) => {
        match $self {
            Engine::Http1($engine) => $act,
            Engine::Http2($engine) => $act,
            Engine::WebSocket($engine) => $act,
            Engine::Single($engine) => $act,
        }
    };
}

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoken {
    /// HTTP/1.1, to a server within TLS or without.
    Http1(Scheme),
    Http2,
    /// Calls on a WebSocket that is open.
    CallsOverWebSocket,
}

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http1(_) => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::CallsOverWebSocket => "WebSocket",
        })
    }
}

impl Engine {
    /// The engine for what is spoken, at one end of it.
    pub(crate) fn new(spoken: Spoken, end: Role, now: Instant) -> Self {
        match spoken {
            Spoken::Http1(scheme) => {
                let config = http1::Config { scheme, ..http1::Config::default() };
                Self::Http1(Box::new(http1::Engine::new(end, config, now)))
            }
            Spoken::Http2 => {
                let config = http2::Config { extended_connect: true, ..http2::Config::default() };
                Self::Http2(Box::new(http2::Engine::new(end, config, now)))
            }
            Spoken::CallsOverWebSocket => {
                let mut config = SessionConfig::default();
                config.websocket.mask_seed = crate::client::lot();
                Self::WebSocket(Box::new(Session::new(end, config, now)))
            }
        }
    }

    /// The version of HTTP, as its types have it. Calls over a WebSocket are like those of HTTP/2.
    pub(crate) fn version(&self) -> Version {
        match self {
            Self::Http1(_) => Version::HTTP_11,
            Self::Http2(_) | Self::WebSocket(_) => Version::HTTP_2,
            Self::Single(engine) => engine.version(),
        }
    }

    /// Whether a stream can become another protocol at all.
    pub(crate) fn can_upgrade(&self) -> bool {
        !matches!(self, Self::Single(_))
    }

    /// Lets the stream become another protocol; `head` says which. From here on its data are that protocol's bytes.
    pub(crate) fn upgrade(&mut self, stream: StreamId, head: &Fields) {
        // An error means that the stream has ended meanwhile; its event is on the way.
        let _ = match self {
            Self::Http1(engine) => engine.upgrade(stream, head),
            Self::Http2(engine) => engine.send_head(stream, head, false),
            Self::WebSocket(engine) => engine.send_head(stream, head, false),
            Self::Single(engine) => engine.send_head(stream, head, false),
        };
    }
}

/// The driver's side: bytes and time.
impl Engine {
    /// Takes received bytes; what is left in `input` is the beginning of a frame.
    pub(crate) fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        each!(self, engine => engine.receive(input, now));
    }

    /// The peer sends nothing any more.
    pub(crate) fn receive_eof(&mut self, now: Instant) {
        each!(self, engine => engine.receive_eof(now));
    }

    /// Whether it is time to read from the peer.
    pub(crate) fn wants_input(&self) -> bool {
        each!(self, engine => engine.wants_input())
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        each!(self, engine => engine.poll_event())
    }

    /// Moves what may be sent to the output.
    pub(crate) fn fill(&mut self, now: Instant) {
        each!(self, engine => engine.fill(now));
    }

    /// Bytes for the peer.
    pub(crate) fn output(&mut self) -> &mut BytesMut {
        each!(self, engine => engine.output())
    }

    /// Bytes for the peer that have not been written, queued ones too.
    pub(crate) fn unsent(&self) -> usize {
        each!(self, engine => engine.unsent())
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        each!(self, engine => engine.next_timeout())
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        each!(self, engine => engine.handle_timeout(now));
    }

    /// Takes no new streams; those there are go on.
    pub(crate) fn drain(&mut self, now: Instant) {
        each!(self, engine => engine.drain(now));
    }

    /// Whether it was told to drain, and no stream is left.
    pub(crate) fn is_drained(&self) -> bool {
        each!(self, engine => engine.is_drained())
    }

    pub(crate) fn close(&mut self, code: ErrorCode, debug: &str, now: Instant) {
        each!(self, engine => engine.close(code, debug, now));
    }

    pub(crate) fn is_closed(&self) -> bool {
        each!(self, engine => engine.is_closed())
    }
}

/// The role's side: streams.
impl Engine {
    /// Begins a request.
    pub(crate) fn open(&mut self, head: &Fields, end: bool) -> Result<StreamId, OpenError> {
        each!(self, engine => engine.open(head, end))
    }

    /// How many requests could be begun now.
    pub(crate) fn open_room(&self) -> usize {
        each!(self, engine => engine.open_room())
    }

    pub(crate) fn send_head(
        &mut self,
        stream: StreamId,
        head: &Fields,
        end: bool,
    ) -> Result<(), Gone> {
        each!(self, engine => engine.send_head(stream, head, end))
    }

    pub(crate) fn send_data(
        &mut self,
        stream: StreamId,
        data: Bytes,
        end: bool,
    ) -> Result<(), Gone> {
        each!(self, engine => engine.send_data(stream, data, end))
    }

    pub(crate) fn send_trailers(&mut self, stream: StreamId, fields: &Fields) -> Result<(), Gone> {
        each!(self, engine => engine.send_trailers(stream, fields))
    }

    /// Bytes that the stream may be given to send.
    pub(crate) fn send_room(&self, stream: StreamId) -> usize {
        each!(self, engine => engine.send_room(stream))
    }

    /// Gives received bytes back to the peer's window.
    pub(crate) fn release(&mut self, stream: StreamId, credit: u32) {
        each!(self, engine => engine.release(stream, credit));
    }

    pub(crate) fn reset(&mut self, stream: StreamId, code: ErrorCode) {
        each!(self, engine => engine.reset(stream, code));
    }

    /// The requests of the stream come as somebody makes them: pauses between them are no sign of a peer that dribbles.
    pub(crate) fn allow_pauses(&mut self, stream: StreamId) {
        if let Self::Http1(engine) = self {
            engine.allow_stall(stream);
        }
    }

    /// Nobody here holds anything of the stream any more.
    pub(crate) fn done(&mut self, stream: StreamId) {
        each!(self, engine => engine.done(stream));
    }
}
