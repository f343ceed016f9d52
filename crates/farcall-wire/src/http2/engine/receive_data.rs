//! DATA: the only frame under flow control (RFC 9113 sections 6.1 and 6.9).

use bytes::{Buf, Bytes, BytesMut};

use super::closed::Past;
use super::{Engine, Fault};
use crate::event::{Event, Side, StreamId};
use crate::http2::ErrorCode;
use crate::http2::frame::{Data, FrameHead};
use crate::stream::Half;

/// Padding that is this many times longer than the data it hides is noted.
const PADDING_RATIO: usize = 8;

/// What is to be done with a DATA frame.
enum Fate {
    /// It belongs to the content.
    Take,
    /// The stream is gone and the peer may not know.
    Drop,
    /// It is wrong.
    StreamError(ErrorCode, &'static str),
}

/// Where the data of a frame is within its payload, and what else it says.
struct Piece {
    stream: u32,
    start: usize,
    length: usize,
    credit: u32,
    end: bool,
}

impl Engine {
    /// A complete DATA frame is at the front of `input`: takes it from there.
    pub(super) fn receive_data(
        &mut self,
        head: FrameHead,
        input: &mut BytesMut,
    ) -> Result<(), Fault> {
        let size = FrameHead::SIZE + head.length as usize;
        let data = match Data::parse(head, &input[FrameHead::SIZE..size]) {
            Ok(data) => data,
            Err(error) => return self.frame_error(head, error),
        };
        let piece = Piece {
            stream: data.stream,
            start: FrameHead::SIZE + usize::from(data.padding.is_some()),
            length: data.data.len(),
            credit: head.length,
            end: data.end,
        };
        let padding = usize::from(data.padding.unwrap_or(0));
        if padding > PADDING_RATIO * piece.length.max(PADDING_RATIO) && !piece.end {
            self.glitch("frames of padding")?;
        }
        if self.is_idle(piece.stream) {
            return Err(Fault::protocol("DATA on an idle stream"));
        }
        self.receive_on_connection(piece.credit)?;
        self.pings_excused = true;
        self.count_empty(&piece)?;
        match self.fate(&piece)? {
            Fate::Take => {
                self.take_data(&piece, size, input);
                Ok(())
            }
            Fate::Drop => {
                input.advance(size);
                Ok(())
            }
            Fate::StreamError(code, reason) => {
                input.advance(size);
                self.stream_error(piece.stream, code, reason)
            }
        }
    }

    /// Frames that neither carry nor end anything: a few in a row are nobody's need.
    fn count_empty(&mut self, piece: &Piece) -> Result<(), Fault> {
        if piece.length > 0 || piece.end {
            self.empty_frames = 0;
            return Ok(());
        }
        self.empty_frames += 1;
        if self.empty_frames > self.config.limits.max_empty_frames {
            return Err(Fault::new(
                ErrorCode::EnhanceYourCalm,
                "too many empty DATA frames in a row",
            ));
        }
        Ok(())
    }

    /// Judges DATA by the state of its stream, and charges the stream's window and content-length.
    fn fate(&mut self, piece: &Piece) -> Result<Fate, Fault> {
        let Some(stream) = self.streams.get_mut(piece.stream) else {
            return self.fate_of_past(piece.stream);
        };
        match (stream.receive, stream.reset) {
            (Half::Body, _) => {}
            (Half::Head, _) => {
                return Ok(Fate::StreamError(ErrorCode::ProtocolError, "DATA before HEADERS"));
            }
            (Half::Ended, Some(Side::Local)) => return Ok(Fate::Drop),
            (Half::Ended, _) => {
                return Ok(Fate::StreamError(
                    ErrorCode::StreamClosed,
                    "DATA behind the end of a stream",
                ));
            }
        }
        // What is empty needs no window, though that may be below zero.
        if i64::from(piece.credit) > self.windows.window_of(&stream.window).max(0) {
            let reason = "more DATA than the stream's window allows";
            return Ok(Fate::StreamError(ErrorCode::FlowControlError, reason));
        }
        if let Some(left) = &mut stream.content_left {
            match left.checked_sub(piece.length as u64) {
                Some(rest) if rest == 0 || !piece.end => *left = rest,
                Some(_) => {
                    return Ok(Fate::StreamError(
                        ErrorCode::ProtocolError,
                        "less content than content-length says",
                    ));
                }
                None => {
                    return Ok(Fate::StreamError(
                        ErrorCode::ProtocolError,
                        "more content than content-length says",
                    ));
                }
            }
        }
        stream.window.held += piece.credit;
        if !piece.end
            && let Some(increment) = self.windows.due(&mut stream.window)
        {
            self.output.window_update(piece.stream, increment);
        }
        Ok(Fate::Take)
    }

    fn fate_of_past(&mut self, id: u32) -> Result<Fate, Fault> {
        match self.past.past(id) {
            Past::Reset(Side::Local) => Ok(Fate::Drop),
            Past::Forgotten => self.glitch("late DATA").map(|()| Fate::Drop),
            _ if self.ending.is_behind_last(id) => Ok(Fate::Drop),
            _ => Ok(Fate::StreamError(ErrorCode::StreamClosed, "DATA on a closed stream")),
        }
    }

    /// Takes the frame off `input` and tells the application.
    fn take_data(&mut self, piece: &Piece, size: usize, input: &mut BytesMut) {
        let stream = StreamId(piece.stream);
        if piece.length == 0 && !piece.end {
            input.advance(size);
            return self.release(stream, piece.credit);
        }
        let rest = size - piece.start - piece.length;
        input.advance(piece.start);
        let data = if piece.length == 0 {
            Bytes::new()
        } else if piece.length < self.config.limits.copy_below {
            let copy = Bytes::copy_from_slice(&input[..piece.length]);
            input.advance(piece.length);
            copy
        } else {
            input.split_to(piece.length).freeze()
        };
        input.advance(rest);
        if piece.end
            && let Some(entry) = self.streams.get_mut(piece.stream)
        {
            entry.receive = Half::Ended;
        }
        self.events.push_back(Event::Data { stream, data, credit: piece.credit, end: piece.end });
        if piece.end {
            self.settle_stream(piece.stream);
        }
    }
}
