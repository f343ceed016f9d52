//! Unix sockets: their files, their queues, and who is at the other end.

mod folder;

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use farcall_socket::{Address, BindErrorKind, ConnectErrorKind, Connection, Listener, Options};
use folder::{Folder, endpoint};
use tokio::time::timeout;

async fn bind(path: &Path) -> Listener {
    Listener::bind(&endpoint(path), &Options::default()).await.unwrap()
}

async fn bind_error(path: &Path) -> (BindErrorKind, String) {
    let error = Listener::bind(&endpoint(path), &Options::default()).await.unwrap_err();
    (error.kind(), error.to_string())
}

async fn connect_error(path: &Path) -> (ConnectErrorKind, String) {
    let error = Connection::connect(&endpoint(path), &Options::default()).await.unwrap_err();
    (error.kind(), error.to_string())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn l01_the_file_is_closed_to_others_unless_asked_for() {
    let folder = Folder::new();
    let path = folder.file("private");
    let _private = bind(&path).await;
    assert_eq!(mode(&path), 0o600);

    let path = folder.file("shared");
    let options = Options { unix_mode: 0o666, ..Options::default() };
    let _shared = Listener::bind(&endpoint(&path), &options).await.unwrap();
    assert_eq!(mode(&path), 0o666);
}

#[tokio::test]
async fn l01_a_folder_that_everybody_may_change_is_refused() {
    let folder = Folder::new();
    folder.set_mode(0o777);
    let (kind, text) = bind_error(&folder.file("x")).await;
    assert_eq!(kind, BindErrorKind::Permission);
    assert!(text.contains("everybody may write"), "{text}");
    assert!(!folder.file("x").exists());

    folder.set_mode(0o1777);
    bind(&folder.file("x")).await;
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let folder = Folder::new();
    let path = folder.file("x");
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(connect_error(&path).await.0, ConnectErrorKind::Refused);

    let listener = bind(&path).await;
    Connection::connect(listener.endpoint(), &Options::default()).await.unwrap();
    listener.accept().await.unwrap();
}

#[tokio::test]
async fn a_live_socket_is_in_use_even_when_its_queue_is_full() {
    let folder = Folder::new();
    let path = folder.file("x");
    let options = Options { backlog: Some(0), ..Options::default() };
    let listener = Listener::bind(&endpoint(&path), &options).await.unwrap();
    for _ in 0..2 {
        // The first probe takes the only place in the queue, the second finds it full.
        let (kind, text) = bind_error(&path).await;
        assert_eq!(kind, BindErrorKind::InUse);
        assert!(text.contains("another listener"), "{text}");
        assert!(text.contains(&endpoint(&path).to_string()), "{text}");
    }
    listener.accept().await.unwrap();
    let _client = Connection::connect(listener.endpoint(), &options).await.unwrap();
    listener.accept().await.unwrap();
}

#[tokio::test]
async fn l03_what_is_not_a_socket_is_never_removed() {
    let folder = Folder::new();
    let file = folder.file("file");
    fs::write(&file, "precious").unwrap();
    let link = folder.file("link");
    symlink(&file, &link).unwrap();
    let dangling = folder.file("dangling");
    symlink(folder.file("nowhere"), &dangling).unwrap();
    let directory = folder.file("directory");
    fs::create_dir(&directory).unwrap();

    for path in [&file, &link, &dangling, &directory] {
        let (kind, text) = bind_error(path).await;
        assert_eq!(kind, BindErrorKind::InUse);
        assert!(text.contains("not a socket"), "{text}");
        assert!(fs::symlink_metadata(path).is_ok());
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(!folder.file("nowhere").exists());
}

#[tokio::test]
async fn the_file_goes_with_the_last_clone() {
    let folder = Folder::new();
    let path = folder.file("x");
    let first = bind(&path).await;
    let second = first.try_clone().unwrap();
    drop(first);
    assert!(path.exists());
    let _client = Connection::connect(second.endpoint(), &Options::default()).await.unwrap();
    second.accept().await.unwrap();
    drop(second);
    assert!(!path.exists());
    assert_eq!(connect_error(&path).await.0, ConnectErrorKind::NotFound);
}

#[tokio::test]
async fn l03_a_file_that_replaced_ours_stays() {
    let folder = Folder::new();
    let path = folder.file("x");
    let old = bind(&path).await;
    fs::remove_file(&path).unwrap();
    // Many file systems give the new file the inode number of the removed one.
    let new = bind(&path).await;
    drop(old);
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    Connection::connect(new.endpoint(), &Options::default()).await.unwrap();
}

#[test]
fn l03_of_many_that_start_at_once_over_a_stale_file_one_wins() {
    let folder = Folder::new();
    for round in 0..20 {
        let path = folder.file(&format!("x{round}"));
        drop(UnixListener::bind(&path).unwrap());
        let start = std::sync::Barrier::new(6);
        let results: Vec<_> = std::thread::scope(|scope| {
            let starter = || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                start.wait();
                runtime
                    .block_on(Listener::bind(&endpoint(&path), &Options::default()))
                    .map(|listener| (runtime, listener))
            };
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(starter)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let winners = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(winners, 1);
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            assert_eq!(error.kind(), BindErrorKind::InUse, "{error}");
        }
    }
}

#[tokio::test]
async fn a_connect_to_a_full_queue_waits_for_a_place() {
    let folder = Folder::new();
    let path = folder.file("x");
    let options =
        Options { backlog: Some(1), connect_timeout: Duration::from_mins(1), ..Options::default() };
    let listener = Listener::bind(&endpoint(&path), &options).await.unwrap();
    let connect = || Connection::connect(listener.endpoint(), &options);
    let _first = connect().await.unwrap();
    let _second = connect().await.unwrap();
    // The kernel takes one more than the backlog, and no more.
    let mut third = Box::pin(connect());
    assert!(timeout(Duration::from_millis(20), &mut third).await.is_err());
    listener.accept().await.unwrap();
    third.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_stays_full_is_a_timeout() {
    let folder = Folder::new();
    let options = Options { backlog: Some(0), ..Options::default() };
    let listener = Listener::bind(&endpoint(&folder.file("x")), &options).await.unwrap();
    let _first = Connection::connect(listener.endpoint(), &options).await.unwrap();
    let error = Connection::connect(listener.endpoint(), &options).await.unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::Timeout);
    assert!(error.to_string().contains("queue is full"), "{error}");
}

#[tokio::test]
async fn l04_both_ends_know_the_user_and_the_process() {
    let folder = Folder::new();
    let path = folder.file("x");
    let listener = bind(&path).await;
    let client = Connection::connect(listener.endpoint(), &Options::default()).await.unwrap();
    let server = listener.accept().await.unwrap();
    let uid = rustix::process::getuid().as_raw();
    for end in [&client, &server] {
        let credentials = end.peer().credentials().unwrap();
        assert_eq!(credentials.uid, uid);
        assert_eq!(credentials.pid, Some(std::process::id().cast_signed()));
        let expected = format!("unix://{} (uid {uid}, pid {})", path.display(), std::process::id());
        assert_eq!(end.peer().to_string(), expected);
        assert_eq!(end.local().unwrap(), Address::Unix(path.as_path().into()));
    }
}

#[tokio::test]
async fn a_missing_file_and_a_missing_folder_are_not_found() {
    let folder = Folder::new();
    let nowhere = folder.file("no/such/folder");
    assert_eq!(bind_error(&nowhere).await.0, BindErrorKind::NotFound);
    let (kind, text) = connect_error(&nowhere).await;
    assert_eq!(kind, ConnectErrorKind::NotFound);
    assert!(text.contains(nowhere.to_str().unwrap()), "{text}");
}
