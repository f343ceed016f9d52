//! Bytes from one connection to another, or back to where they came from, without a buffer while nothing comes.
//!
//! All relays of a thread read into one buffer, inside one poll. Only bytes that the other end does not take at once are
//! kept, and nothing is read until they are gone.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use farcall::socket::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::trace::{Ends, Trace};

/// As much as a socket's receive buffer usually holds; one per thread.
const BUFFER_BYTES: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER_BYTES].into());
}

/// One direction: bytes from the end numbered `from` to the end numbered `to`, which can be the same.
#[derive(Debug)]
pub(crate) struct Pump {
    from: u8,
    to: u8,
    phase: Phase,
    /// Read and not written yet.
    rest: Vec<u8>,
    trace: Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The end of the bytes was read and is to be passed on.
    Ending,
    Done,
}

impl Pump {
    pub(crate) fn new(from: u8, to: u8, trace: Trace) -> Self {
        Self { from, to, phase: Phase::Open, rest: Vec::new(), trace }
    }

    /// Ready when the end of the bytes has been passed on. `ends` are the same connections each time.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        ends: &mut [Connection],
    ) -> Poll<io::Result<()>> {
        loop {
            let to = &mut ends[usize::from(self.to)];
            if !self.rest.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.rest))?;
                self.tell("write", to, written);
                self.rest.drain(..written);
                if self.rest.is_empty() {
                    self.rest = Vec::new();
                }
                continue;
            }
            match self.phase {
                Phase::Open => ready!(BUFFER.with_borrow_mut(|b| self.poll_move(cx, ends, b)))?,
                Phase::Ending => {
                    match ready!(Pin::new(&mut *to).poll_shutdown(cx)) {
                        // It was reset meanwhile: there is nobody to pass the end on to.
                        Err(error) if error.kind() != io::ErrorKind::NotConnected => {
                            return Poll::Ready(Err(error));
                        }
                        _ => {}
                    }
                    self.trace_step("shutdown", to, "no more will be sent");
                    self.phase = Phase::Done;
                }
                Phase::Done => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Reads once, and writes what came as far as it is taken.
    fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        ends: &mut [Connection],
        buffer: &mut [u8],
    ) -> Poll<io::Result<()>> {
        let mut buffer = ReadBuf::new(buffer);
        let from = &mut ends[usize::from(self.from)];
        ready!(Pin::new(&mut *from).poll_read(cx, &mut buffer))?;
        let mut bytes = buffer.filled();
        if bytes.is_empty() {
            self.trace_step("read", from, "end of the bytes");
            self.phase = Phase::Ending;
        } else {
            self.tell("read", from, bytes.len());
        }
        let to = &mut ends[usize::from(self.to)];
        while !bytes.is_empty() {
            match Pin::new(&mut *to).poll_write(cx, bytes) {
                Poll::Ready(written) => {
                    let written = written?;
                    self.tell("write", to, written);
                    bytes = &bytes[written..];
                }
                Poll::Pending => {
                    self.rest = bytes.to_vec();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn tell(&self, name: &str, end: &Connection, count: usize) {
        if self.trace.is_on() {
            self.trace_step(name, end, &format!("{count} bytes"));
        }
    }

    fn trace_step(&self, name: &str, end: &Connection, detail: &str) {
        if self.trace.is_on() {
            self.trace.step(name, &Ends::of(end), detail);
        }
    }
}
