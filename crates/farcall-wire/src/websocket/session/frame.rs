//! Binary messages as frames: a kind, a stream, a payload. `docs/websocket.md` is the description
//! for others.

use bytes::{BufMut, Bytes};

use super::block;
use crate::fields::Fields;
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
    pub(super) fn parse(mut message: Bytes) -> Result<Self, &'static str> {
        let Some([kind, a, b, c, d]) = message.first_chunk().copied() else {
            return Err("a message of less than 5 octets");
        };
        let stream = u32::from_be_bytes([a, b, c, d]);
        let mut payload = message.split_off(HEAD_SIZE);
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
    let flags = *payload.first()?;
    drop(payload.split_to(1));
    Some(flags & END != 0)
}

fn take_number(payload: &mut Bytes) -> Option<u32> {
    let number = u32::from_be_bytes(*payload.first_chunk()?);
    drop(payload.split_to(4));
    Some(number)
}

/// Octets of the largest message that is read: a full DATA frame, or fields above their limit, which
/// are answered and not fatal until they are four times too large.
pub(super) fn most_octets(limits: &Limits) -> usize {
    FLAGGED_SIZE + MAX_DATA.max((limits.max_header_list_size as usize).saturating_mul(4))
}

pub(super) fn emit_head(socket: &mut Engine, stream: u32, fields: &Fields, end: bool) {
    socket.push_binary(FLAGGED_SIZE + block::length(fields), |out| {
        out.put_u8(HEAD);
        out.put_u32(stream);
        out.put_u8(if end { END } else { 0 });
        block::emit(fields, out);
    });
}

pub(super) fn emit_trailers(socket: &mut Engine, stream: u32, fields: &Fields) {
    socket.push_binary(HEAD_SIZE + block::length(fields), |out| {
        out.put_u8(TRAILERS);
        out.put_u32(stream);
        block::emit(fields, out);
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
        out.put_u8(DATA);
        out.put_u32(stream);
        out.put_u8(if end { END } else { 0 });
        for piece in pieces {
            out.put_slice(piece);
        }
    });
}

pub(super) fn emit_reset(socket: &mut Engine, stream: u32, code: ErrorCode, reason: &str) {
    socket.push_binary(HEAD_SIZE + 4 + reason.len(), |out| {
        out.put_u8(RESET);
        out.put_u32(stream);
        out.put_u32(code.to_u32());
        out.put_slice(reason.as_bytes());
    });
}

pub(super) fn emit_credit(socket: &mut Engine, stream: u32, octets: u32) {
    socket.push_binary(HEAD_SIZE + 4, |out| {
        out.put_u8(CREDIT);
        out.put_u32(stream);
        out.put_u32(octets);
    });
}

pub(super) fn emit_goaway(socket: &mut Engine, last: u32, code: ErrorCode, text: &str) {
    socket.push_binary(HEAD_SIZE + 8 + text.len(), |out| {
        out.put_u8(GOAWAY);
        out.put_u32(0);
        out.put_u32(last);
        out.put_u32(code.to_u32());
        out.put_slice(text.as_bytes());
    });
}
