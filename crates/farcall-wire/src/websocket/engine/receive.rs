//! Bytes to frames (RFC 6455 section 5.2), and which frame may come now.
//!
//! Payload is taken as it comes, unmasked in place: what is kept of an incomplete frame is what of it
//! has arrived, never what its header promises.

use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};

use super::Engine;
use crate::http2::Role;
use crate::websocket::error::Fault;
use crate::websocket::frame::{FrameHead, LengthError, MAX_CONTROL, OpCode, mask};
use crate::websocket::{CloseCode, Event};

/// The frame that is coming.
#[derive(Debug)]
pub(super) enum Reading {
    /// Its header; the octets of it that are here.
    Head { octets: [u8; FrameHead::MAX_SIZE], length: usize },
    /// Its payload; how many octets of it are here.
    Payload { head: FrameHead, arrived: usize },
}

impl Default for Reading {
    fn default() -> Self {
        Self::Head { octets: [0; FrameHead::MAX_SIZE], length: 0 }
    }
}

impl Engine {
    /// Takes all of `input`. What it means is in the events. Large messages that came in one piece
    /// are slices of `input`.
    pub fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        self.enter(now);
        if !input.is_empty() {
            self.timers.heard(now);
        }
        while !input.is_empty() && self.takes_input() {
            if let Err(fault) = self.receive_some(input) {
                self.fail(fault);
            }
        }
        input.clear();
    }

    /// A header, or a piece of payload.
    fn receive_some(&mut self, input: &mut BytesMut) -> Result<(), Fault> {
        let (head, arrived) = match &mut self.reading {
            Reading::Head { octets, length } => {
                let Some(head) = read_head(octets, length, input)? else { return Ok(()) };
                self.check_head(head)?;
                (head, 0)
            }
            Reading::Payload { head, arrived } => (*head, *arrived),
        };
        let length = head.length as usize;
        let size = input.len().min(length - arrived);
        if let Some(key) = head.mask {
            mask(&mut input[..size], key, arrived);
        }
        let complete = arrived + size == length;
        self.reading = if complete {
            Reading::default()
        } else {
            Reading::Payload { head, arrived: arrived + size }
        };
        if !head.opcode.is_control() {
            return self.receive_data(head, arrived == 0, complete, input, size);
        }
        self.control.extend_from_slice(&input[..size]);
        input.advance(size);
        if complete { self.receive_control(head.opcode) } else { Ok(()) }
    }

    /// What can be said from the header alone, before the payload is here.
    fn check_head(&mut self, head: FrameHead) -> Result<(), Fault> {
        if head.rsv23 != 0 {
            return Err(Fault::protocol("a frame with reserved bits set"));
        }
        if let OpCode::Reserved(number) = head.opcode {
            return Err(Fault::protocol(format!("a frame with the reserved opcode {number:#x}")));
        }
        match (self.role, head.mask) {
            (Role::Server, None) => {
                return Err(Fault::protocol("a frame of a client that is not masked"));
            }
            (Role::Client, Some(_)) => {
                return Err(Fault::protocol("a frame of a server that is masked"));
            }
            _ => {}
        }
        if head.opcode.is_control() { check_control(head) } else { self.begin_data(head) }
    }

    fn receive_control(&mut self, opcode: OpCode) -> Result<(), Fault> {
        let payload = std::mem::take(&mut self.control);
        match opcode {
            OpCode::Close => self.receive_close(&payload),
            OpCode::Ping => {
                self.count_ping()?;
                let payload = Bytes::from(payload);
                if self.pongs.len() >= self.config.limits.max_unsent_pongs.max(1) {
                    self.pongs.pop_back();
                }
                self.pongs.push_back(payload.clone());
                self.events.push_back(Event::Ping(payload));
                Ok(())
            }
            _ => {
                if !self.timers.answered() {
                    self.count_ping()?;
                }
                self.events.push_back(Event::Pong(payload.into()));
                Ok(())
            }
        }
    }

    fn count_ping(&mut self) -> Result<(), Fault> {
        if self.pings.take(self.now) {
            return Ok(());
        }
        Err(Fault::new(CloseCode::POLICY, "too many Pings or Pongs"))
    }
}

/// Collects a header across inputs; `None` while it is incomplete.
fn read_head(
    octets: &mut [u8; FrameHead::MAX_SIZE],
    length: &mut usize,
    input: &mut BytesMut,
) -> Result<Option<FrameHead>, Fault> {
    let kept = *length;
    let fresh = input.len().min(FrameHead::MAX_SIZE - kept);
    octets[kept..kept + fresh].copy_from_slice(&input[..fresh]);
    let parsed = FrameHead::parse(&octets[..kept + fresh]).map_err(|error| match error {
        LengthError::NotMinimal => Fault::protocol("a length in more octets than it needs"),
        LengthError::TooLarge => Fault::protocol("a length above 9223372036854775807"),
    })?;
    let Some((head, size)) = parsed else {
        *length = kept + fresh;
        input.advance(fresh);
        return Ok(None);
    };
    // A header is never shorter than what was not enough for it before.
    input.advance(size.saturating_sub(kept));
    Ok(Some(head))
}

/// RFC 6455 section 5.5.
fn check_control(head: FrameHead) -> Result<(), Fault> {
    if head.rsv1 {
        return Err(Fault::protocol("a control frame with a reserved bit set"));
    }
    if !head.fin {
        return Err(Fault::protocol("a control frame that is fragmented"));
    }
    if head.length > MAX_CONTROL as u64 {
        return Err(Fault::protocol(format!(
            "a control frame of {} octets, expected at most {MAX_CONTROL}",
            head.length
        )));
    }
    Ok(())
}
