//! A server's services inside of another HTTP server: a tower service, for example a fallback of axum's `Router`.
//!
//! No port, no connection and no task of its own: the call goes on while the other server waits for the response and
//! reads its body.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, Bytes};
use farcall_socket::{Address, Peer};
use farcall_wire::event::{RequestHead, RequestLine};
use farcall_wire::fields::Fields;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Sleep;
use tower_service::Service;

use crate::driver::Role;
use crate::engine::Engine;
use crate::http::head;
use crate::http::single::{Piece, Single};
use crate::mailbox::Mailbox;
use crate::server::{Connections, Guard, ServerConnection, Shared};

/// A server as a tower service: see [`Server::into_http_service`](crate::Server::into_http_service). Cheap to clone.
#[derive(Clone)]
pub struct HttpService {
    shared: Arc<Shared>,
    connections: Arc<Connections>,
    /// Who the requests come from, as far as this side of the other server knows.
    peer: Arc<Peer>,
}

impl HttpService {
    pub(crate) fn new(shared: Arc<Shared>, connections: Arc<Connections>) -> Self {
        let peer = Arc::new(Peer::from(Address::Memory(None)));
        Self { shared, connections, peer }
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpService")
    }
}

impl<B> Service<Request<B>> for HttpService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Replying;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Replying {
        let (parts, body) = request.into_parts();
        let peer = parts.extensions.get::<Arc<Peer>>().unwrap_or(&self.peer);
        let (shared, connections) = (Arc::clone(&self.shared), Arc::clone(&self.connections));
        let mailbox = Arc::new(Mailbox::default());
        let role =
            ServerConnection::new(shared, connections, Arc::clone(peer), mailbox, Guard::default());
        let ended = body.is_end_stream();
        let single = Single::new(request_head(&parts), parts.version, ended);
        let engine = Engine::Single(Box::new(single));
        let source: Source = Box::new(Pieces(Box::pin(body)));
        let source = (!ended).then_some(source);
        Replying(Some(Box::new(Under { role, engine, source, timer: None })))
    }
}

fn request_head(parts: &http::request::Parts) -> RequestHead {
    let mut fields = Fields::with_capacity(parts.headers.len(), 256);
    for (name, value) in &parts.headers {
        fields.push(name.as_str(), value.as_bytes());
    }
    let host = parts.headers.get(http::header::HOST).map(HeaderValue::as_bytes);
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes()).or(host);
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let line = RequestLine {
        method: parts.method.as_str().as_bytes(),
        scheme: parts.uri.scheme_str().unwrap_or("http").as_bytes(),
        authority,
        path: Some(path.as_bytes()),
        protocol: None,
    };
    RequestHead::new(line, None, fields)
}

/// The request's body, its types erased.
type Source = Box<dyn http_body::Body<Data = Bytes, Error = Broken> + Send + Unpin>;

/// The request's body cannot be read to its end.
struct Broken;

/// A body whose pieces and errors become ours.
struct Pieces<B>(Pin<Box<B>>);

impl<B: http_body::Body> http_body::Body for Pieces<B> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = ready!(self.0.as_mut().poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(|_| Broken)?;
            Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
        }))
    }
}

/// A request under way: driven by whoever waits for its response, then by whoever reads that.
struct Under {
    role: ServerConnection,
    engine: Engine,
    source: Option<Source>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Under {
    /// Goes on as far as it can.
    fn poll(&mut self, cx: &mut Context<'_>) {
        loop {
            let now = Instant::now();
            let read = self.read(cx);
            self.events(now);
            let worked = self.role.work(&mut self.engine, now);
            self.events(now);
            let resumed = self.role.settle(&mut self.engine);
            if read || worked || resumed {
                continue;
            }
            if self.timer_due(cx) {
                self.role.handle_timeout(&mut self.engine, Instant::now());
                continue;
            }
            if self.role.sleep(cx) {
                return;
            }
        }
    }

    fn events(&mut self, now: Instant) {
        while let Some(event) = self.engine.poll_event() {
            self.role.handle(event, &mut self.engine, now);
        }
    }

    /// Reads a piece of the request. Returns whether there was one.
    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        let (Some(source), Engine::Single(single)) = (&mut self.source, &mut self.engine) else {
            return false;
        };
        if !single.wants_body() {
            return false;
        }
        let Poll::Ready(frame) = Pin::new(source).poll_frame(cx) else { return false };
        match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                single.receive_data(data);
                return true;
            }
            Some(Ok(Err(frame))) => {
                single.receive_end(frame.into_trailers().ok().map(|map| head::trailers(&map)));
            }
            Some(Err(Broken)) => single.receive_reset(),
            None => single.receive_end(None),
        }
        self.source = None;
        true
    }

    fn timer_due(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(next) = self.role.next_timeout() else { return false };
        let next = next.into();
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
        if timer.deadline() != next {
            timer.as_mut().reset(next);
        }
        let rang = timer.as_mut().poll(cx).is_ready();
        if rang {
            self.timer = None;
        }
        rang
    }

    fn single(&mut self) -> Option<&mut Single> {
        match &mut self.engine {
            Engine::Single(single) => Some(single),
            _ => None,
        }
    }
}

/// A response on its way: ready when its head is.
pub struct Replying(Option<Box<Under>>);

impl Future for Replying {
    type Output = Result<Response<ReplyBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(under) = &mut self.0 else { return Poll::Pending };
        under.poll(cx);
        let Some(single) = under.single() else { return Poll::Pending };
        if let Some(fields) = single.take_head() {
            let body = ReplyBody(self.0.take());
            return Poll::Ready(Ok(head::parse_response(&fields, body)));
        }
        if !single.is_cut() {
            return Poll::Pending;
        }
        // Whoever took the request apart may have an answer of its own; this one says whose fault it is.
        self.0 = None;
        let mut response = Response::new(ReplyBody(None));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        Poll::Ready(Ok(response))
    }
}

impl fmt::Debug for Replying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replying")
    }
}

/// The body of a response: reading it lets the call go on, dropping it cancels the call.
pub struct ReplyBody(Option<Box<Under>>);

impl ReplyBody {
    /// The bytes that are left, when all are here and no trailers follow.
    fn rest(&self) -> Option<usize> {
        match self.0.as_ref().map(|under| &under.engine) {
            None => Some(0),
            Some(Engine::Single(single)) => single.rest(),
            Some(_) => None,
        }
    }
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(under) = &mut self.0 else { return Poll::Ready(None) };
        let mut piece = under.single().and_then(Single::take_piece);
        if piece.is_none() {
            under.poll(cx);
            piece = under.single().and_then(Single::take_piece);
        }
        let last = match piece {
            None => return Poll::Pending,
            Some(Piece::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(Piece::Trailers(fields)) => {
                head::headers(&fields).ok().map(|map| Ok(Frame::trailers(map)))
            }
            Some(Piece::End) => None,
            Some(Piece::Cut) => Some(Err(io::ErrorKind::ConnectionAborted.into())),
        };
        self.0 = None;
        Poll::Ready(last)
    }

    /// A reply that is nothing but a head must end with it: gRPC tells the status there (Trailers-Only).
    fn is_end_stream(&self) -> bool {
        self.rest() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.rest().map_or_else(SizeHint::new, |rest| SizeHint::with_exact(rest as u64))
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplyBody")
    }
}
