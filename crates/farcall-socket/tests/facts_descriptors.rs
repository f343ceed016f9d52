//! Facts about sockets as descriptors: each test is named after the sentence that it proves.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use farcall_socket::lifecycle::Stream;
use farcall_socket::{Connected, Family, Options, Socket};
use rustix::fs::{FileType, SeekFrom, fstat, seek};
use rustix::io::{Errno, dup, pread, read, write};

fn pair() -> (Socket<Connected>, Socket<Connected>) {
    let socket = Socket::stream(Family::Ipv4, &Options::default()).unwrap();
    let listening = socket.bind(&"127.0.0.1:0".parse().unwrap()).unwrap().listen().unwrap();
    let socket = Socket::stream(Family::Ipv4, &Options::default()).unwrap();
    let client = socket.connect(&listening.local().unwrap()).unwrap();
    (client, listening.accept().unwrap())
}

/// For the tests that look at numbers: another test must not open a descriptor at the same time.
static NUMBERS: Mutex<()> = Mutex::new(());

#[test]
fn sockets_and_files_share_one_descriptor_table() {
    let _alone = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let file = File::open("/dev/null").unwrap();
    let socket = Socket::stream(Family::Ipv4, &Options::default()).unwrap();
    let (file_number, socket_number) = (file.as_raw_fd(), socket.as_raw_fd());
    assert_ne!(file_number, socket_number);

    let target = |number| std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
    assert_eq!(target(file_number).to_str(), Some("/dev/null"));
    assert!(target(socket_number).to_str().unwrap().starts_with("socket:["));

    // The number of a socket that was closed is the next file's.
    drop(socket);
    let next = File::open("/dev/null").unwrap();
    assert_eq!(next.as_raw_fd(), socket_number);
}

#[test]
fn a_socket_is_read_and_written_like_a_file() {
    let _alone = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let (client, server) = pair();
    assert_eq!(write(&client, b"plain").unwrap(), 5);
    let mut bytes = [0; 16];
    assert_eq!(read(&server, &mut bytes).unwrap(), 5);
    assert_eq!(&bytes[..5], b"plain");
    let mode = fstat(&server).unwrap().st_mode;
    assert_eq!(FileType::from_raw_mode(mode), FileType::Socket);
}

#[test]
fn seeking_fails_with_espipe() {
    let _alone = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let (client, _server) = pair();
    assert_eq!(seek(&client, SeekFrom::Current(0)).unwrap_err(), Errno::SPIPE);
    assert_eq!(pread(&client, &mut [0_u8; 4], 0).unwrap_err(), Errno::SPIPE);
}

#[test]
fn the_other_end_sees_end_of_file_only_after_the_last_duplicate_is_closed() {
    let _alone = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    for (mut client, server) in [pair(), Socket::<Connected, Stream>::pair().unwrap()] {
        let first = dup(&server).unwrap();
        let second = server.as_fd().try_clone_to_owned().unwrap();
        drop(server);
        drop(first);
        // Not closed: bytes still go both ways.
        write(&second, b"still here").unwrap();
        let mut bytes = [0; 10];
        client.read_exact(&mut bytes).unwrap();
        client.write_all(b"x").unwrap();
        assert_eq!(read(&second, &mut [0; 1]).unwrap(), 1);
        drop(second);
        assert_eq!(client.read(&mut bytes).unwrap(), 0);
    }
}

#[test]
fn every_socket_is_close_on_exec_in_each_state() {
    let _alone = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_cloexec = |descriptor: &BorrowedFd<'_>| {
        let flags = rustix::io::fcntl_getfd(descriptor).unwrap();
        flags.contains(rustix::io::FdFlags::CLOEXEC)
    };
    let socket = Socket::stream(Family::Ipv4, &Options::default()).unwrap();
    assert!(is_cloexec(&socket.as_fd()));
    let bound = socket.bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let listening = bound.listen().unwrap();
    assert!(is_cloexec(&listening.as_fd()));
    let socket = Socket::stream(Family::Ipv4, &Options::default()).unwrap();
    let client = socket.connect(&listening.local().unwrap()).unwrap();
    assert!(is_cloexec(&client.as_fd()));
    assert!(is_cloexec(&listening.accept().unwrap().as_fd()));
    let (left, right) = Socket::<Connected, Stream>::pair().unwrap();
    assert!(is_cloexec(&left.as_fd()) && is_cloexec(&right.as_fd()));
    assert!(is_cloexec(&OwnedFd::from(left).as_fd()));
}
