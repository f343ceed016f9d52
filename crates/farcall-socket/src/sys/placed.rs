//! Descriptors at the numbers that the next program expects them at.

use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::{DupFlags, Errno, FdFlags};
use rustix::io::{dup2, dup3, fcntl_dupfd_cloexec, fcntl_getfd};

use crate::inherited::FIRST;

/// Copies of sockets, above the numbers that they are wanted at, so that placing one cannot overwrite another.
#[derive(Debug)]
pub(super) struct Copies {
    sockets: Vec<OwnedFd>,
    after: RawFd,
}

impl Copies {
    pub(super) fn of(sockets: &[BorrowedFd<'_>]) -> io::Result<Self> {
        let count = RawFd::try_from(sockets.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let after = FIRST.checked_add(count).ok_or(io::ErrorKind::InvalidInput)?;
        let copy = |socket: &BorrowedFd<'_>| fcntl_dupfd_cloexec(socket, after);
        let sockets = sockets.iter().map(copy).collect::<Result<_, _>>()?;
        Ok(Self { sockets, after })
    }

    pub(super) fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Occupies the numbers that are free among the wanted ones, as long as the result lives.
    pub(super) fn occupy_wanted(&self) -> io::Result<Vec<OwnedFd>> {
        let mut occupied = Vec::new();
        while let Some(socket) = self.sockets.first() {
            let copy = fcntl_dupfd_cloexec(socket, FIRST)?;
            if copy.as_raw_fd() >= self.after {
                break;
            }
            occupied.push(copy);
        }
        Ok(occupied)
    }

    /// Puts the sockets at descriptors 3, 4 and so on, where they stay open over exec. Makes system calls and nothing
    /// else: it takes no lock, and allocates nothing.
    ///
    /// # Safety
    /// What was open at these numbers is closed. Whoever owned it must not run before it is there again.
    pub(super) unsafe fn place(&self) -> rustix::io::Result<()> {
        for (number, socket) in (FIRST..self.after).zip(&self.sockets) {
            // SAFETY: the number is not -1. The value never closes the descriptor (`ManuallyDrop`), and it is only a
            // number to `dup2`, which replaces what is open there, if anything is. The caller sees to its owner.
            let mut target = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
            dup2(socket, &mut target)?;
        }
        Ok(())
    }
}

/// Replaces this program by the command, which has the sockets as descriptors 3, 4, ... Returns only when that fails;
/// everything is as it was then.
///
/// # Errors
/// Always: why the program is still there. `Unsupported` when another thread runs: it could be using the very
/// descriptors whose numbers are needed.
pub(crate) fn exec(command: &mut Command, sockets: &[BorrowedFd<'_>]) -> io::Error {
    match try_exec(command, sockets) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn try_exec(
    command: &mut Command,
    sockets: &[BorrowedFd<'_>],
) -> io::Result<std::convert::Infallible> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        let text = "another thread runs, and may be using the descriptors that are to be replaced";
        return Err(io::Error::new(io::ErrorKind::Unsupported, text));
    }
    let copies = Copies::of(sockets)?;
    let numbers = FIRST..copies.after;
    let displaced: Vec<_> =
        numbers.map(|number| Displaced::at(number, copies.after)).collect::<Result<_, _>>()?;
    // SAFETY: this is the only thread, so that no owner of what is there runs before it is put back.
    let error = match unsafe { copies.place() } {
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
        // SAFETY: the number is not -1, and what is open there is the copy that was placed, which nothing else owns.
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
