//! Descriptors: what happens when none are left, and that none leak into child processes. One test, in a process of its
//! own, because it takes all descriptors away.

use std::fs::File;
use std::time::Duration;

use farcall_socket::{Connection, Endpoint, Listener, Options, Socket};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::timeout;

/// CPU time of this thread, in ms.
fn cpu_time() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// Takes every descriptor that is left.
fn take_all_descriptors() -> Vec<File> {
    let limit = getrlimit(Resource::Nofile);
    let low = Rlimit { current: Some(200), ..limit };
    setrlimit(Resource::Nofile, low).unwrap();
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

fn assert_no_socket_survives_exec() {
    for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
        let fd = entry.unwrap();
        let target = std::fs::read_link(fd.path()).unwrap_or_default();
        if !target.to_string_lossy().starts_with("socket:") {
            continue;
        }
        let info = format!("/proc/self/fdinfo/{}", fd.file_name().display());
        let info = std::fs::read_to_string(info).unwrap();
        let flags = info.lines().find_map(|l| l.strip_prefix("flags:")).unwrap();
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        let (cloexec, nonblock) = (0o2_000_000, 0o4000);
        assert_eq!(flags & cloexec, cloexec);
        assert_eq!(flags & nonblock, nonblock);
    }
}

#[tokio::test]
async fn l10_without_descriptors_accept_waits_quietly_and_then_goes_on() {
    let options = Options::default();
    let place: Endpoint = "tcp://127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(&place, &options).await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Connection::connect(listener.endpoint(), &options).await.unwrap());
    }

    let blocking = Socket::listening_at(&place, &options).unwrap();
    let waiting = Socket::connected_to(&blocking.endpoint().unwrap(), &options).unwrap();

    let all = take_all_descriptors();
    assert!(listener.try_accept().is_err());
    let before = cpu_time();
    let window = Duration::from_millis(300);
    assert!(timeout(window, listener.accept()).await.is_err());
    let polled = std::future::poll_fn(|cx| listener.poll_accept(cx));
    assert!(timeout(window, polled).await.is_err());
    let used = cpu_time() - before;
    assert!(used <= 30, "{used} ms of CPU in 600 ms is more than 5 %");

    // A thread that blocks waits as quietly.
    assert!(blocking.try_accept().is_err());
    std::thread::scope(|scope| {
        let accepting = scope.spawn(|| {
            let before = cpu_time();
            blocking.accept().unwrap();
            cpu_time() - before
        });
        std::thread::sleep(window);
        assert!(!accepting.is_finished());
        drop(all);
        let used = accepting.join().unwrap();
        assert!(used <= 15, "{used} ms of CPU in 300 ms is more than 5 %");
    });
    drop((blocking, waiting));
    for client in &clients {
        let server = timeout(Duration::from_secs(3), listener.accept()).await.unwrap().unwrap();
        assert_eq!(*server.peer().address(), client.local().unwrap());
    }
    let _other = listener.try_clone().unwrap();
    let _client = Connection::connect(listener.endpoint(), &options).await.unwrap();
    let _drained = listener.try_accept().unwrap().unwrap();
    assert_no_socket_survives_exec();
}
