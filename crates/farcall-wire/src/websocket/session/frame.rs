//! Binary messages as frames: a kind, a stream, a payload. `docs/websocket.md` is the description
//! for others.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::http2::ErrorCode;
use crate::limits::Limits;
use crate::websocket::Engine;

/// What each side may send on a new stream, in octets of DATA.
pub(super) const INITIAL_WINDOW: u32 = 64 * 1024;

/// The most that a window can be.
pub(super) const MAX_WINDOW: u32 = 0x7fff_ffff;

/// The highest stream number.
pub(super) const MAX_STREAM_ID: u32 = 0x7fff_ffff;

/// Octets of one DATA frame's data.
const MAX_DATA: usize = INITIAL_WINDOW as usize;

/// Octets before the payload, and with the flags behind them.
const HEAD_SIZE: usize = 5;
const FLAGGED_SIZE: usize = HEAD_SIZE + 1;

/// The sender's half of the stream ends.
const END: u8 = 0x01;

const HEAD: u8 = 1;
const DATA: u8 = 2;
const TRAILERS: u8 = 3;
const RESET: u8 = 4;
const CREDIT: u8 = 5;
const GOAWAY: u8 = 6;

/// One message, understood.
#[derive(Debug)]
pub(super) enum Frame {
    Head {
        stream: u32,
        end: bool,
        block: Bytes,
    },
    Data {
        stream: u32,
        end: bool,
        data: Bytes,
    },
    Trailers {
        stream: u32,
        block: Bytes,
    },
    Reset {
        stream: u32,
        code: ErrorCode,
    },
    Credit {
        stream: u32,
        octets: u32,
    },
    GoAway {
        last: u32,
        code: ErrorCode,
        text: Bytes,
    },
    /// A kind that this version does not know.
    Unknown,
}

impl Frame {
    /// Reads a message; an error says what was expected.
    pub(super) fn parse(message: Bytes) -> Result<Self, &'static str> {
        if message.len() < HEAD_SIZE {
            return Err("a message of less than 5 octets");
        }
        let mut payload = message;
        let (kind, stream) = (payload.get_u8(), payload.get_u32());
        if matches!(kind, HEAD..=CREDIT) && !(1..=MAX_STREAM_ID).contains(&stream) {
            return Err("a stream number that is not between 1 and 2147483647");
        }
        Ok(match kind {
            HEAD => {
                let end = take_flags(&mut payload).ok_or("HEAD without flags")?;
                Self::Head { stream, end, block: payload }
            }
            DATA => {
                let end = take_flags(&mut payload).ok_or("DATA without flags")?;
                Self::Data { stream, end, data: payload }
            }
            TRAILERS => Self::Trailers { stream, block: payload },
            RESET => {
                let code = take_number(&mut payload).ok_or("RESET without a code")?;
                Self::Reset { stream, code: ErrorCode::from_u32(code) }
            }
            CREDIT => {
                let octets = take_number(&mut payload).filter(|_| payload.is_empty());
                Self::Credit { stream, octets: octets.ok_or("CREDIT that is not one number")? }
            }
            GOAWAY => {
                let last = take_number(&mut payload).ok_or("GOAWAY without a last stream")?;
                let code = take_number(&mut payload).ok_or("GOAWAY without a code")?;
                Self::GoAway { last, code: ErrorCode::from_u32(code), text: payload }
            }
            _ => Self::Unknown,
        })
    }
}

/// The end flag; the other seven bits mean nothing yet.
fn take_flags(payload: &mut Bytes) -> Option<bool> {
    payload.try_get_u8().ok().map(|flags| flags & END != 0)
}

fn take_number(payload: &mut Bytes) -> Option<u32> {
    payload.try_get_u32().ok()
}

/// Octets of the largest message that is read: a full DATA frame, or fields above their limit, which
/// are answered and not fatal until they are four times too large.
pub(super) fn most_octets(limits: &Limits) -> usize {
    FLAGGED_SIZE + MAX_DATA.max((limits.max_header_list_size as usize).saturating_mul(4))
}

/// The `block` is as `block::emit` wrote it.
pub(super) fn emit_head(socket: &mut Engine, stream: u32, block: &[u8], end: bool) {
    socket.push_binary(FLAGGED_SIZE + block.len(), |out| {
        put_flagged(HEAD, stream, end, out);
        out.put_slice(block);
    });
}

/// The `block` is as `block::emit` wrote it.
pub(super) fn emit_trailers(socket: &mut Engine, stream: u32, block: &[u8]) {
    socket.push_binary(HEAD_SIZE + block.len(), |out| {
        put_head(TRAILERS, stream, out);
        out.put_slice(block);
    });
}

/// One DATA frame whose data is `pieces`, one behind the other: `length` octets together.
pub(super) fn emit_data<'a>(
    socket: &mut Engine,
    stream: u32,
    pieces: impl Iterator<Item = &'a [u8]>,
    length: usize,
    end: bool,
) {
    socket.push_binary(FLAGGED_SIZE + length, |out| {
        put_flagged(DATA, stream, end, out);
        for piece in pieces {
            out.put_slice(piece);
        }
    });
}

pub(super) fn emit_reset(socket: &mut Engine, stream: u32, code: ErrorCode, reason: &str) {
    socket.push_binary(HEAD_SIZE + 4 + reason.len(), |out| {
        put_head(RESET, stream, out);
        out.put_u32(code.to_u32());
        out.put_slice(reason.as_bytes());
    });
}

pub(super) fn emit_credit(socket: &mut Engine, stream: u32, octets: u32) {
    socket.push_binary(HEAD_SIZE + 4, |out| {
        put_head(CREDIT, stream, out);
        out.put_u32(octets);
    });
}

pub(super) fn emit_goaway(socket: &mut Engine, last: u32, code: ErrorCode, text: &str) {
    socket.push_binary(HEAD_SIZE + 8 + text.len(), |out| {
        put_head(GOAWAY, 0, out);
        out.put_u32(last);
        out.put_u32(code.to_u32());
        out.put_slice(text.as_bytes());
    });
}

fn put_head(kind: u8, stream: u32, out: &mut BytesMut) {
    let [a, b, c, d] = stream.to_be_bytes();
    out.put_slice(&[kind, a, b, c, d]);
}

fn put_flagged(kind: u8, stream: u32, end: bool, out: &mut BytesMut) {
    let [a, b, c, d] = stream.to_be_bytes();
    out.put_slice(&[kind, a, b, c, d, if end { END } else { 0 }]);
}
