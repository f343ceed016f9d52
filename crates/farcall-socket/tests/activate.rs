//! Handing sockets on to the next program. By itself in its process, because another thread would forbid it.

use std::fs;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::process::Command;

use farcall_socket::activate;

/// What is open at the numbers that the next program would have its sockets at.
fn open_there() -> Vec<Option<PathBuf>> {
    (3..6).map(|number| fs::read_link(format!("/proc/self/fd/{number}")).ok()).collect()
}

#[test]
fn a_program_with_another_thread_is_told_so_and_keeps_its_descriptors() {
    // The harness runs each test in a thread of its own.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let before = open_there();
    let error = activate(&mut Command::new("true"), &[("web", listener.as_fd())]);
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    assert_eq!(open_there(), before);
    assert!(listener.as_raw_fd() >= 3);
    assert!(listener.local_addr().is_ok());
}

#[test]
fn a_name_that_cannot_be_told_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for name in ["a:b", "a b", "a\n"] {
        let error = activate(&mut Command::new("true"), &[(name, listener.as_fd())]);
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}
