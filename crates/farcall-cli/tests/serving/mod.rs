//! A server in the test's own process, on a thread of its own, for the command to call.
#![allow(dead_code)]

use std::thread::{self, JoinHandle};

use farcall::Server;
use tokio::runtime;
use tokio::sync::oneshot;

/// A server that ends with the test.
pub(crate) struct Serving {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(server: Server) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, bound) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = server.listen("tcp://127.0.0.1:0").shutdown_on(stopped);
                let bound = server.bind().await.unwrap();
                ready.send(bound.endpoint().to_string()).unwrap();
                bound.run().await.unwrap();
            });
        });
        let endpoint = bound.blocking_recv().unwrap();
        let address = endpoint.trim_start_matches("tcp://").to_owned();
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// The endpoint with another scheme.
    pub(crate) fn by(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(ended.is_some_and(|ended| ended.is_ok()), "the server's thread panicked");
        }
    }
}
