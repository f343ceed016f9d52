//! `listen` and `connect` over UDP, which has no connections: every datagram stands for itself.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd};

use farcall::socket::DatagramSocket;
use farcall::socket::sockaddr::Sockaddr;
use farcall::{Endpoint, Options};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use crate::connect::named;
use crate::session::{Format, Input, LINE_BYTES, Manner, Output};
use crate::trace::{Ends, Trace};
use crate::{Result, hex};

/// The longest datagram that UDP can carry, and more.
const DATAGRAM_BYTES: usize = 64 * 1024;

/// What is done with each datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Send it back.
    Echo,
    /// Greet the sender by its address.
    Hello,
    /// Show it on standard output.
    Show,
    /// Leave it in the kernel's queue.
    Hold,
}

/// Binds and answers, for ever.
///
/// # Errors
/// The endpoint cannot be bound, or output cannot be written.
pub(crate) async fn serve(endpoint: &Endpoint, answer: Answer, trace: Trace) -> Result {
    let socket = DatagramSocket::bind(endpoint, &Options::default()).await?;
    let local = socket.local()?;
    trace.step("bind", &ends(&socket, None), "");
    writeln!(io::stderr(), "receiving at udp://{local}")?;
    if answer == Answer::Hold {
        return std::future::pending().await;
    }
    let mut buffer = vec![0; DATAGRAM_BYTES];
    loop {
        let received = match socket.receive(&mut buffer).await {
            Ok(received) => received,
            // An earlier answer found nobody; that says nothing about this socket.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(error) => return Err(error.into()),
        };
        let from = received.from;
        let bytes = buffer.get(..received.length).unwrap_or_default();
        trace.step("read", &ends(&socket, Some(from)), format!("{} bytes", bytes.len()));
        let reply = match answer {
            Answer::Echo => bytes.to_vec(),
            Answer::Hello => format!("hello, udp://{from}\n").into_bytes(),
            Answer::Show | Answer::Hold => {
                let mut stdout = tokio::io::stdout();
                stdout.write_all(bytes).await?;
                stdout.flush().await?;
                continue;
            }
        };
        // UDP promises nothing: a sender that cannot be answered is not waited for.
        if socket.send_to(&reply, &from).await.is_ok() {
            trace.step("write", &ends(&socket, Some(from)), format!("{} bytes", reply.len()));
        }
    }
}

/// Sends each piece of the input as a datagram, and shows what comes back, until each has been answered by one.
///
/// # Errors
/// Nobody receives at the other end, it was silent for too long, or input or output failed.
pub(crate) async fn converse(endpoint: &Endpoint, manner: Manner, input: &mut Input) -> Result {
    let socket = DatagramSocket::connect(endpoint, &Options::default()).await?;
    let ends = ends(&socket, socket.remote().ok());
    let trace = manner.trace;
    trace.step("connect", &ends, "nothing was sent by that");
    let mut output = Output::new(manner.format);
    let (mut pending, mut buffer) = (Vec::new(), vec![0; DATAGRAM_BYTES]);
    let (mut sent, mut answered, mut open) = (0_u64, 0_u64, true);
    while open || answered < sent {
        let silence = async {
            match manner.silence {
                Some(limit) if !open => tokio::time::sleep(limit).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            read = next(manner.format, input, &mut pending), if open => {
                read?;
                if pending.is_empty() {
                    open = false;
                    continue;
                }
                let mut bytes = std::mem::take(&mut pending);
                if manner.format == Format::Hex {
                    bytes = hex::parse(&bytes)?;
                }
                socket.send(&bytes).await.map_err(|error| named(endpoint, &error))?;
                sent += 1;
                trace.step("write", &ends, format!("{} bytes", bytes.len()));
            }
            received = socket.receive(&mut buffer) => {
                let length = received.map_err(|error| named(endpoint, &error))?.length;
                answered += 1;
                trace.step("read", &ends, format!("{length} bytes"));
                output.show(buffer.get(..length).unwrap_or_default()).await?;
            }
            () = silence => {
                let text = "the other end said nothing for too long";
                let error = io::Error::new(io::ErrorKind::TimedOut, text);
                return Err(named(endpoint, &error).into());
            }
        }
    }
    output.finish().await?;
    trace.step("close", &ends, "");
    Ok(())
}

/// The next piece of the input; empty at its end. A piece that is not whole yet stays in `pending`.
async fn next(format: Format, input: &mut Input, pending: &mut Vec<u8>) -> io::Result<()> {
    if format == Format::Raw {
        pending.extend_from_slice(input.fill_buf().await?);
        input.consume(pending.len());
        return Ok(());
    }
    input.take(LINE_BYTES).read_until(b'\n', pending).await?;
    Ok(())
}

fn ends(socket: &DatagramSocket, remote: Option<Sockaddr>) -> Ends {
    let local = socket.local().map(|local| local.to_string());
    let remote = remote.map_or("-".to_owned(), |remote| remote.to_string());
    let descriptor = socket.as_fd().as_raw_fd();
    Ends::new(descriptor, local.unwrap_or_else(|_| "-".to_owned()), &remote)
}
