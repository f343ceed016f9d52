//! Descriptors passed over Unix sockets, and who is at the other end of one.

mod folder;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use farcall_socket::lifecycle::{SeqPacket, Stream};
use farcall_socket::{Connected, Connection, Listener, Options, Socket};
use folder::Folder;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

fn pair() -> (Socket<Connected>, Socket<Connected>) {
    Socket::<Connected, Stream>::pair().unwrap()
}

fn is_cloexec(descriptor: &OwnedFd) -> bool {
    let flags = rustix::io::fcntl_getfd(descriptor).unwrap();
    flags.contains(rustix::io::FdFlags::CLOEXEC)
}

#[test]
fn a_descriptor_arrives_with_its_bytes_and_leads_to_the_same_open_file() {
    let folder = Folder::new();
    let path = folder.file("text");
    std::fs::write(&path, "one two").unwrap();
    let mut file = File::open(&path).unwrap();
    file.seek(std::io::SeekFrom::Start(4)).unwrap();

    let (left, right) = pair();
    assert_eq!(left.send_descriptors(b"here", &[file.as_fd()]).unwrap(), 4);
    drop(file);
    let mut buffer = [0; 16];
    let (length, descriptors) = right.receive_descriptors(&mut buffer, 1).unwrap();
    assert_eq!(&buffer[..length], b"here");
    assert!(descriptors.iter().all(is_cloexec));
    let mut text = String::new();
    let descriptor = descriptors.into_iter().next().unwrap();
    File::from(descriptor).read_to_string(&mut text).unwrap();
    assert_eq!(text, "two");
}

#[test]
fn without_descriptors_there_are_only_bytes_and_without_bytes_the_end() {
    let (left, right) = pair();
    left.send_descriptors(b"x", &[]).unwrap();
    let (length, descriptors) = right.receive_descriptors(&mut [0; 4], 4).unwrap();
    assert_eq!((length, descriptors.len()), (1, 0));
    drop(left);
    let (length, descriptors) = right.receive_descriptors(&mut [0; 4], 4).unwrap();
    assert_eq!((length, descriptors.len()), (0, 0));
}

#[test]
fn more_descriptors_than_there_is_room_for_are_all_closed() {
    for room in 0..4 {
        let (left, right) = pair();
        let (watched, other_end) = pair();
        let copies = [other_end.as_fd(); 5];
        left.send_descriptors(b"x", &copies).unwrap();
        drop(other_end);
        let error = right.receive_descriptors(&mut [0; 4], room).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        // The end of the bytes comes only when every copy is closed.
        assert_eq!((&watched).read(&mut [0; 1]).unwrap(), 0);
    }
}

#[test]
fn a_message_takes_253_descriptors_and_not_one_more() {
    let (left, right) = pair();
    let null = File::open("/dev/null").unwrap();
    let many: Vec<BorrowedFd<'_>> = vec![null.as_fd(); 254];
    let error = left.send_descriptors(b"x", &many).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = left.send_descriptors(b"", &many[..1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    left.send_descriptors(b"x", &many[..253]).unwrap();
    let (_, descriptors) = right.receive_descriptors(&mut [0; 1], 1000).unwrap();
    assert_eq!(descriptors.len(), 253);
}

#[test]
fn a_message_that_does_not_fit_is_refused_with_its_descriptors() {
    let (left, right) = Socket::<Connected, SeqPacket>::pair().unwrap();
    let null = File::open("/dev/null").unwrap();
    left.send_descriptors(b"too long", &[null.as_fd()]).unwrap();
    let error = right.receive_descriptors(&mut [0; 4], 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    left.send(b"next").unwrap();
    assert_eq!(right.receive(&mut [0; 4]).unwrap(), 4);
}

#[tokio::test]
async fn connections_pass_descriptors_and_other_transports_refuse() {
    let folder = Folder::new();
    let options = Options::default();
    let listener = Listener::bind(&folder::endpoint(&folder.file("x")), &options).await.unwrap();
    let client = Connection::connect(listener.endpoint(), &options).await.unwrap();
    let server = listener.accept().await.unwrap();
    let (mut ours, theirs) = pair();
    let receive = async {
        let mut buffer = [0; 8];
        server.receive_descriptors(&mut buffer, 2).await.unwrap()
    };
    let passed = [theirs.as_fd()];
    let send = client.send_descriptors(b"socket", &passed);
    let ((length, descriptors), sent) = tokio::join!(receive, send);
    assert_eq!((length, descriptors.len(), sent.unwrap()), (6, 1, 6));
    drop(theirs);
    ours.write_all(b"hi").unwrap();
    let mut buffer = [0; 2];
    rustix::io::read(&descriptors[0], &mut buffer).unwrap();
    assert_eq!(&buffer, b"hi");

    let (memory, _other) = Connection::pair();
    let error = memory.send_descriptors(b"x", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn the_other_process_is_a_descriptor_that_becomes_readable_when_it_ends() {
    let (left, right) = pair();
    let process = match left.peer_process() {
        Ok(process) => process,
        Err(error) => {
            println!("skipped: this kernel has no SO_PEERPIDFD ({error})");
            return;
        }
    };
    assert!(is_cloexec(&process));
    let mut poll_fd = [PollFd::new(&process, PollFlags::IN)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    assert_eq!(poll(&mut poll_fd, Some(&now)).unwrap(), 0, "this process has not ended");
    let credentials = left.peer().unwrap().credentials().unwrap();
    assert_eq!(credentials.pid, Some(std::process::id().cast_signed()));
    drop(right);
}

#[test]
fn a_tcp_socket_has_no_process_at_the_other_end() {
    let listening =
        Socket::listening_at(&"tcp://127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
    let endpoint = listening.endpoint().unwrap();
    let client = Socket::connected_to(&endpoint, &Options::default()).unwrap();
    assert!(client.peer_process().is_err());
    assert_eq!(client.peer().unwrap().credentials(), None);
}
