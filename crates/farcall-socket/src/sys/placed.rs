//! Descriptors at the numbers that the next program expects them at.

use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::{DupFlags, Errno, FdFlags};
use rustix::io::{dup2, dup3, fcntl_dupfd_cloexec, fcntl_getfd};

/// Replaces this program by the command, which has the sockets as descriptors `first`, `first + 1`, ... Returns only when
/// that fails; everything is as it was then.
///
/// # Errors
/// Always: why the program is still there. `Unsupported` when another thread runs: it could be using the very
/// descriptors whose numbers are needed.
pub(crate) fn exec(command: &mut Command, sockets: &[BorrowedFd<'_>], first: RawFd) -> io::Error {
    match try_exec(command, sockets, first) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn try_exec(
    command: &mut Command,
    sockets: &[BorrowedFd<'_>],
    first: RawFd,
) -> io::Result<std::convert::Infallible> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        let text = "another thread runs, and may be using the descriptors that are to be replaced";
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    let count = RawFd::try_from(sockets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let after = first.checked_add(count).ok_or(io::ErrorKind::InvalidInput)?;
    // Copies above the wanted numbers, so that placing one socket cannot overwrite another.
    let copy = |socket: &BorrowedFd<'_>| fcntl_dupfd_cloexec(socket, after);
    let copies: Vec<OwnedFd> = sockets.iter().map(copy).collect::<Result<_, _>>()?;
    let displaced: Vec<_> =
        (first..after).map(|number| Displaced::at(number, after)).collect::<Result<_, _>>()?;
    let placed = (first..after).zip(&copies).try_for_each(|(number, socket)| {
        // SAFETY: the number is not -1. The value never closes the descriptor (`ManuallyDrop`), and it is only a number
        // to `dup2`, which replaces what is open there, if anything is. Its owner, if it has one in this process, does
        // not run meanwhile: this is the only thread, and it puts everything back before it returns.
        let mut target = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
        dup2(socket, &mut target)
    });
    let error = match placed {
        Ok(()) => command.exec(),
        Err(error) => error.into(),
    };
    for displaced in displaced {
        displaced.put_back();
    }
    Err(error)
}

/// What was open at a number, if anything was.
struct Displaced {
    number: RawFd,
    before: Option<(OwnedFd, FdFlags)>,
}

impl Displaced {
    fn at(number: RawFd, after: RawFd) -> io::Result<Self> {
        // SAFETY: the number is not -1. It is asked about and copied, nothing else; where nothing is open the answer is
        // EBADF.
        let there = unsafe { BorrowedFd::borrow_raw(number) };
        let before = match fcntl_getfd(there) {
            Ok(flags) => Some((fcntl_dupfd_cloexec(there, after)?, flags)),
            Err(Errno::BADF) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { number, before })
    }

    fn put_back(self) {
        // SAFETY: the number is not -1, and what is open there is the copy that `exec` placed, which nothing else owns.
        let placed = unsafe { OwnedFd::from_raw_fd(self.number) };
        let Some((before, flags)) = self.before else {
            // Nothing was there: dropping closes the copy.
            return;
        };
        let mut target = ManuallyDrop::new(placed);
        let flags =
            if flags.contains(FdFlags::CLOEXEC) { DupFlags::CLOEXEC } else { DupFlags::empty() };
        // Both descriptors are open, so that the kernel has no reason to refuse.
        let _ = dup3(&before, &mut target, flags);
    }
}
