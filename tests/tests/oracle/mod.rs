//! An HTTP client that is not farcall's: hyper, on a pipe in memory or a socket.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use farcall::Endpoint;
use farcall::socket::Connection;
use http::{Request, Response, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

/// Bytes that the client takes before somebody reads them, over HTTP/2.
const WINDOW: u32 = 256 * 1024;

/// The body of a request.
pub(crate) type Outgoing = BoxBody<Bytes, io::Error>;

/// One connection.
pub(crate) struct Client {
    sender: Sender,
    tasks: Tasks,
}

/// What hyper does for the connection.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<Vec<AbortHandle>>>);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.lock().expect("no panic").push(tokio::spawn(task).abort_handle());
    }
}

enum Sender {
    Http1(http1::SendRequest<Outgoing>),
    Http2(http2::SendRequest<Outgoing>),
}

impl Client {
    pub(crate) async fn connect(endpoint: &str, version: Version) -> Self {
        let endpoint: Endpoint = endpoint.parse().expect("an endpoint");
        let pipe = Connection::connect(&endpoint, &farcall::Options::default()).await;
        let pipe = TokioIo::new(pipe.expect("the server listens"));
        let tasks = Tasks::default();
        // How the connection ends is seen by the requests on it.
        if version == Version::HTTP_2 {
            let mut builder = http2::Builder::new(tasks.clone());
            builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
            let (sender, driver) = builder.handshake(pipe).await.expect("HTTP/2");
            tasks.execute(driver);
            return Self { sender: Sender::Http2(sender), tasks };
        }
        let (sender, driver) = http1::handshake(pipe).await.expect("HTTP/1.1");
        tasks.execute(driver.with_upgrades());
        Self { sender: Sender::Http1(sender), tasks }
    }

    pub(crate) async fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> hyper::Result<Response<Incoming>> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => sender.send_request(request).await,
        }
    }

    /// Sends a request that is complete and reads all of the response.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Response<Bytes> {
        let request = self.request(method, path).body(full(body)).expect("a request");
        let response = self.send(request).await.expect("a response");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Response::from_parts(parts, body)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response<Bytes> {
        self.ask("GET", path, Bytes::new()).await
    }

    /// The beginning of a request in this connection's version.
    pub(crate) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let builder = Request::builder().method(method);
        match &self.sender {
            Sender::Http1(_) => builder.uri(path).header("host", "localhost"),
            Sender::Http2(_) => {
                builder.version(Version::HTTP_2).uri(format!("http://localhost{path}"))
            }
        }
    }

    /// Drops the connection without a word.
    pub(crate) fn vanish(self) {
        for task in self.tasks.0.lock().expect("no panic").drain(..) {
            task.abort();
        }
    }
}

/// A body that is there at once.
pub(crate) fn full(body: impl Into<Bytes>) -> Outgoing {
    Full::new(body.into()).map_err(|never| match never {}).boxed()
}

/// Lets all tasks of this thread go on until `value` does not change any more. Only where nothing depends on a kernel.
pub(crate) async fn settled(value: impl Fn() -> usize) -> usize {
    let (mut last, mut same) = (value(), 0);
    while same < 2000 {
        tokio::task::yield_now().await;
        let now = value();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}
