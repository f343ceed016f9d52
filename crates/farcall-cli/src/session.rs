//! One connection between standard input and standard output.
//!
//! Both directions flow at the same time, so that neither end can wait for the other for ever.

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::time::Duration;

use farcall::socket::Connection;
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, Stdin, WriteHalf, split,
};
use tokio::sync::Notify;

use crate::hex::{self, Dump};
use crate::trace::{Ends, Trace};

/// The longest line that is gathered before it is passed on in parts, in bytes.
pub(crate) const LINE_BYTES: u64 = 1024 * 1024;
/// Bytes per read.
const READ_BYTES: usize = 64 * 1024;

/// How bytes are shown and typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// As they are.
    Raw,
    /// Line by line, and for each line a line is awaited.
    Line,
    /// As hexadecimal numbers.
    Hex,
}

/// What happens when input ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtInputEnd {
    /// Wait for the other end to close.
    Wait,
    /// Tell the other end, which can still answer.
    HalfClose,
    /// Tell the other end if anything was sent: who only listens must not hurry the other end.
    HalfCloseIfSent,
}

/// How a session is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) format: Format,
    pub(crate) at_input_end: AtInputEnd,
    /// Whether input from a file or a pipe is sent to its end after the other end closed its side.
    pub(crate) send_everything: bool,
    /// How long the other end may be silent once input has ended.
    pub(crate) silence: Option<Duration>,
    pub(crate) trace: Trace,
}

impl Manner {
    pub(crate) fn traced(self, trace: Trace) -> Self {
        Self { trace, ..self }
    }
}

/// Standard input, which can outlive a session.
pub(crate) type Input = BufReader<Stdin>;

pub(crate) fn standard_input() -> Input {
    BufReader::with_capacity(READ_BYTES, tokio::io::stdin())
}

struct Session {
    manner: Manner,
    ends: Ends,
    sent_lines: Cell<u64>,
    sent_bytes: Cell<u64>,
    input_ended: Cell<bool>,
    changed: Notify,
}

/// Holds the session until both directions have come to their ends.
///
/// # Errors
/// The connection broke, the other end was silent for too long, hexadecimal input is none, output cannot be written.
pub(crate) async fn hold(
    connection: Connection,
    manner: Manner,
    input: &mut Input,
) -> io::Result<()> {
    let session = Session {
        manner,
        ends: Ends::of(&connection),
        sent_lines: Cell::new(0),
        sent_bytes: Cell::new(0),
        input_ended: Cell::new(false),
        changed: Notify::new(),
    };
    let (mut reader, mut writer) = split(connection);
    let result = {
        let mut sending = std::pin::pin!(session.send(input, &mut writer));
        let mut receiving = std::pin::pin!(session.receive(&mut reader));
        tokio::select! {
            sent = &mut sending => match sent {
                Ok(()) => receiving.await,
                // The other end may have answered before it closed.
                Err(error) if is_gone(&error) => receiving.await,
                Err(error) => Err(error),
            },
            received = &mut receiving => {
                let by_hand = io::stdin().is_terminal();
                if received.is_ok() && session.manner.send_everything && !by_hand {
                    match sending.await {
                        Err(error) if is_gone(&error) => Ok(()),
                        sent => sent,
                    }
                } else {
                    received
                }
            }
        }
    };
    session.step("close", "");
    result
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl Session {
    fn step(&self, name: &str, detail: &str) {
        self.manner.trace.step(name, &self.ends, detail);
    }

    async fn send(&self, input: &mut Input, writer: &mut WriteHalf<Connection>) -> io::Result<()> {
        let result = self.send_all(input, writer).await;
        self.input_ended.set(true);
        self.changed.notify_one();
        result?;
        let half_close = match self.manner.at_input_end {
            AtInputEnd::Wait => false,
            AtInputEnd::HalfClose => true,
            AtInputEnd::HalfCloseIfSent => self.sent_bytes.get() > 0,
        };
        if half_close {
            writer.shutdown().await?;
            self.step("shutdown", "no more will be sent");
        }
        Ok(())
    }

    async fn send_all(
        &self,
        input: &mut Input,
        writer: &mut WriteHalf<Connection>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut line_number = 0_u64;
        loop {
            bytes.clear();
            if self.manner.format == Format::Raw {
                bytes.extend_from_slice(input.fill_buf().await?);
                input.consume(bytes.len());
            } else {
                (&mut *input).take(LINE_BYTES).read_until(b'\n', &mut bytes).await?;
            }
            if bytes.is_empty() {
                return Ok(());
            }
            line_number += 1;
            if self.manner.format == Format::Line && bytes.last() != Some(&b'\n') {
                // The last line is one, too, and whoever reads lines waits for its end.
                bytes.push(b'\n');
            }
            if self.manner.format == Format::Hex {
                bytes = hex::parse(&bytes).map_err(|problem| {
                    let text = format!("line {line_number} of the input: {problem}");
                    io::Error::new(io::ErrorKind::InvalidInput, text)
                })?;
            }
            // Before the line is on its way: its answer must not overtake the count.
            self.sent_lines.set(line_number);
            writer.write_all(&bytes).await?;
            self.sent_bytes.set(self.sent_bytes.get() + bytes.len() as u64);
            self.step("write", &format!("{} bytes", bytes.len()));
        }
    }

    async fn receive(&self, reader: &mut ReadHalf<Connection>) -> io::Result<()> {
        let mut output = Output::new(self.manner.format);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let answered = output.lines >= self.sent_lines.get();
            if self.manner.format == Format::Line && self.input_ended.get() && answered {
                break;
            }
            let read = tokio::select! {
                read = reader.read(&mut buffer) => read?,
                () = self.changed.notified() => continue,
                () = self.silence() => {
                    let text = "the other end said nothing for too long";
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
            };
            if read == 0 {
                self.step("read", "end of the bytes: the other end sends no more");
                break;
            }
            self.step("read", &format!("{read} bytes"));
            output.show(&buffer[..read]).await?;
        }
        output.finish().await
    }

    async fn silence(&self) {
        match self.manner.silence {
            Some(limit) if self.input_ended.get() => tokio::time::sleep(limit).await,
            _ => std::future::pending().await,
        }
    }
}

/// Standard output.
pub(crate) struct Output {
    format: Format,
    lines: u64,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    dump: Dump,
    stdout: tokio::io::Stdout,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        let (stdout, dump) = (tokio::io::stdout(), Dump::default());
        Self { format, lines: 0, line: Vec::new(), dump, stdout }
    }

    pub(crate) async fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.format {
            Format::Raw => self.write(bytes).await,
            Format::Hex => {
                let text = self.dump.lines(bytes);
                self.write(text.as_bytes()).await
            }
            Format::Line => {
                let ends = bytes.split_inclusive(|byte| *byte == b'\n');
                self.lines += ends.filter(|line| line.ends_with(b"\n")).count() as u64;
                self.line.extend_from_slice(bytes);
                let whole =
                    self.line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let whole =
                    if self.line.len() as u64 > LINE_BYTES { self.line.len() } else { whole };
                let lines: Vec<u8> = self.line.drain(..whole).collect();
                self.write(&lines).await
            }
        }
    }

    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        let mut rest = std::mem::take(&mut self.line);
        if !rest.is_empty() {
            rest.push(b'\n');
        }
        self.write(&rest).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stdout.write_all(bytes).await?;
        self.stdout.flush().await
    }
}
