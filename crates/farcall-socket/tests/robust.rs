//! Robust reads and writes: all bytes, or how far they came.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use farcall_socket::robust::{ReadError, asynchronous, blocking};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a stream does next when it is read or written.
#[derive(Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    Interrupted,
    Reset,
}

/// A stream that follows a script when it is read, and takes at most so many bytes per write. At its end the reads end.
struct Script {
    steps: VecDeque<Step>,
    written: Vec<u8>,
    room: VecDeque<io::Result<usize>>,
}

fn script(steps: impl IntoIterator<Item = Step>) -> Script {
    Script { steps: steps.into_iter().collect(), written: Vec::new(), room: VecDeque::new() }
}

fn bytes(bytes: &[u8]) -> Step {
    Step::Bytes(bytes.to_vec())
}

impl Read for Script {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.steps.pop_front() {
            None => Ok(0),
            Some(Step::Interrupted) => Err(io::ErrorKind::Interrupted.into()),
            Some(Step::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Step::Bytes(mut bytes)) => {
                let count = bytes.len().min(to.len());
                to[..count].copy_from_slice(&bytes[..count]);
                if count < bytes.len() {
                    self.steps.push_front(Step::Bytes(bytes.split_off(count)));
                }
                Ok(count)
            }
        }
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.pop_front().unwrap_or(Ok(usize::MAX))?;
        let count = room.min(bytes.len());
        self.written.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.read(to.initialize_unfilled())?;
        to.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A script never waits, so that one poll finishes any future on it.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut cx = Context::from_waker(std::task::Waker::noop());
    match Box::pin(future).as_mut().poll(&mut cx) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a script does not wait"),
    }
}

/// How a read ended, comparable.
#[derive(Debug, PartialEq)]
enum End {
    Ended(usize, usize),
    Failed(usize, io::ErrorKind),
    TooLong(usize),
}

fn end(error: ReadError) -> End {
    match error {
        ReadError::Ended { got, wanted } => End::Ended(got, wanted),
        ReadError::Failed { got, error } => End::Failed(got, error.kind()),
        ReadError::LineTooLong { limit } => End::TooLong(limit),
        other => panic!("{other}"),
    }
}

/// The same read in all four ways; each must come to the same bytes and the same end.
fn read_exactly(steps: &[Step], wanted: usize) -> (Vec<u8>, Result<(), End>) {
    let source = || script(steps.iter().cloned());
    let read = |read: &mut dyn FnMut(&mut [u8]) -> Result<(), ReadError>| {
        let mut buffer = vec![0; wanted];
        let result = read(&mut buffer).map_err(end);
        (buffer, result)
    };
    let first = read(&mut |buffer| blocking::read_exactly(&mut source(), buffer));
    let others = [
        read(&mut |buffer| blocking::Buffered::new(source()).read_exactly(buffer)),
        read(&mut |buffer| now(asynchronous::read_exactly(&mut source(), buffer))),
        read(&mut |buffer| now(asynchronous::Buffered::new(source()).read_exactly(buffer))),
    ];
    for other in others {
        assert_eq!(other, first);
    }
    first
}

#[test]
fn a_read_of_n_bytes_brings_n_bytes_however_they_come() {
    let steps = [bytes(b"a"), Step::Interrupted, bytes(b"bc"), bytes(b"defg")];
    assert_eq!(read_exactly(&steps, 5), (b"abcde".to_vec(), Ok(())));
    assert_eq!(read_exactly(&[], 0), (Vec::new(), Ok(())));
}

#[test]
fn a_short_count_at_the_end_is_told_apart_from_an_error() {
    let ended = read_exactly(&[bytes(b"abc")], 5);
    assert_eq!(ended, (b"abc\0\0".to_vec(), Err(End::Ended(3, 5))));
    let failed = read_exactly(&[bytes(b"ab"), Step::Interrupted, bytes(b"c"), Step::Reset], 5);
    assert_eq!(failed, (b"abc\0\0".to_vec(), Err(End::Failed(3, io::ErrorKind::ConnectionReset))));
    let error = blocking::read_exactly(&mut script([]), &mut [0; 4]).unwrap_err();
    assert!(error.is_clean_end());
    assert_eq!(error.to_string(), "the other end closed after 0 of 4 bytes");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_large_read_goes_around_the_buffer_and_loses_nothing() {
    let all: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
    let steps: Vec<_> = all.chunks(777).map(bytes).collect();
    assert_eq!(read_exactly(&steps, 90_000), (all[..90_000].to_vec(), Ok(())));
}

#[test]
fn a_write_takes_all_bytes_or_says_how_many_it_took() {
    let rooms = || VecDeque::from([Ok(1), Err(io::ErrorKind::Interrupted.into()), Ok(2)]);
    let mut target = script([]);
    target.room = rooms();
    blocking::write_all(&mut target, b"abcdef").unwrap();
    target.room = rooms();
    now(asynchronous::write_all(&mut target, b"ghijkl")).unwrap();
    assert_eq!(target.written, b"abcdefghijkl");

    target.room = VecDeque::from([Ok(2), Err(io::ErrorKind::BrokenPipe.into())]);
    let error = blocking::write_all(&mut target, b"abc").unwrap_err();
    assert_eq!((error.written, error.error.kind()), (2, io::ErrorKind::BrokenPipe));
    target.room = VecDeque::from([Ok(2), Ok(0)]);
    let error = now(asynchronous::write_all(&mut target, b"abc")).unwrap_err();
    assert_eq!((error.written, error.error.kind()), (2, io::ErrorKind::WriteZero));
}

#[test]
fn a_line_keeps_its_end_and_the_last_one_may_have_none() {
    let steps = [bytes(b"on"), Step::Interrupted, bytes(b"e\n\nla"), bytes(b"st")];
    let mut source = blocking::Buffered::new(script(steps));
    let mut lines = Vec::new();
    while let Some(line) = source.read_line().unwrap() {
        lines.push(String::from_utf8(line).unwrap());
    }
    assert_eq!(lines, ["one\n", "\n", "last"]);
    assert!(source.read_line().unwrap().is_none());
}

#[test]
fn a_line_that_is_too_long_is_refused_and_can_still_be_read_as_bytes() {
    let mut source = blocking::Buffered::new(script([bytes(b"abcdef\nrest")])).line_limit(6);
    assert_eq!(source.read_line().map_err(end), Err(End::TooLong(6)));
    let mut line = [0; 7];
    source.read_exactly(&mut line).unwrap();
    assert_eq!(&line, b"abcdef\n");
    assert_eq!(source.read_line().unwrap().unwrap(), b"rest");
}

#[test]
fn a_line_without_end_takes_no_more_memory_than_its_limit() {
    let endless = io::repeat(b'x');
    let mut source = blocking::Buffered::new(endless).line_limit(4096);
    assert_eq!(source.read_line().map_err(end), Err(End::TooLong(4096)));
    assert!(source.buffered().len() <= 2 * 4096);
}

#[test]
fn a_line_that_fails_keeps_its_bytes_for_the_next_read() {
    let mut source = blocking::Buffered::new(script([bytes(b"ab"), Step::Reset, bytes(b"c\n")]));
    assert_eq!(
        source.read_line().map_err(end),
        Err(End::Failed(2, io::ErrorKind::ConnectionReset))
    );
    assert_eq!(source.read_line().unwrap().unwrap(), b"abc\n");
}

#[test]
fn what_was_read_too_early_is_handed_over_with_the_stream() {
    let mut source = blocking::Buffered::new(script([bytes(b"head\nbody")]));
    source.read_line().unwrap();
    let (_, unread) = source.into_parts();
    assert_eq!(unread, b"body");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Lines, counts and plain reads in any order, over chunks of any size.
    #[test]
    fn line_and_binary_reads_mix_without_losing_a_byte(
        all in vec(0u8..40, 0..4000),
        chunk in 1usize..2000,
        reads in vec((0u8..3, 0usize..600), 0..60),
    ) {
        let steps: Vec<_> = all.chunks(chunk).map(bytes).collect();
        let mut one = blocking::Buffered::new(script(steps.clone()));
        let mut two = asynchronous::Buffered::new(script(steps));
        let (mut got_one, mut got_two) = (Vec::new(), Vec::new());
        for (kind, count) in reads {
            match kind {
                0 => {
                    got_one.extend(one.read_line().unwrap().unwrap_or_default());
                    got_two.extend(now(two.read_line()).unwrap().unwrap_or_default());
                }
                1 => {
                    let mut buffer = vec![0; count];
                    let got = counted(one.read_exactly(&mut buffer), count);
                    got_one.extend_from_slice(&buffer[..got]);
                    let got = counted(now(two.read_exactly(&mut buffer)), count);
                    got_two.extend_from_slice(&buffer[..got]);
                }
                _ => {
                    let mut buffer = vec![0; count];
                    let got = one.read(&mut buffer).unwrap();
                    got_one.extend_from_slice(&buffer[..got]);
                    let got = now(tokio::io::AsyncReadExt::read(&mut two, &mut buffer)).unwrap();
                    got_two.extend_from_slice(&buffer[..got]);
                }
            }
        }
        one.read_to_end(&mut got_one).unwrap();
        now(tokio::io::AsyncReadExt::read_to_end(&mut two, &mut got_two)).unwrap();
        prop_assert_eq!(&got_one, &all);
        prop_assert_eq!(&got_two, &all);
    }
}

/// How many bytes a read brought.
fn counted(result: Result<(), ReadError>, wanted: usize) -> usize {
    match result.map_err(end) {
        Ok(()) => wanted,
        Err(End::Ended(got, _)) => got,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_timeout_of_the_socket_is_an_error_with_the_count_and_not_an_end() {
    let (mut near, far) = UnixStream::pair().unwrap();
    far.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    near.write_all(b"abc").unwrap();
    let mut far = blocking::Buffered::new(far);
    let result = far.read_exactly(&mut [0; 5]).map_err(end);
    assert_eq!(result, Err(End::Failed(3, io::ErrorKind::WouldBlock)));
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_no_byte() {
    let (mut near, far) = farcall_socket::Connection::pair();
    let mut far = asynchronous::Buffered::new(far);
    let soon = Duration::from_millis(1);
    asynchronous::write_all(&mut near, b"li").await.unwrap();
    assert!(tokio::time::timeout(soon, far.read_line()).await.is_err());
    assert!(tokio::time::timeout(soon, far.read_exactly(&mut [0; 4])).await.is_err());
    asynchronous::write_all(&mut near, b"ne\nrest").await.unwrap();
    assert_eq!(far.read_line().await.unwrap().unwrap(), b"line\n");
    let mut rest = [0; 4];
    far.read_exactly(&mut rest).await.unwrap();
    assert_eq!(&rest, b"rest");
}
