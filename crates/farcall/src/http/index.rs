//! The HTTP application of a server that was given none: tells whoever opens the port with something else than a call
//! what it has found.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body as _;
use tower_service::Service;

use crate::http::body::Body;
use crate::interceptor::BoxFuture;

const INDEX: &str =
    "This port takes remote procedure calls: gRPC, gRPC-Web, Connect and JSON over HTTP.\n";
const NOTHING: &str = "There is no such page here, and no such method.\n";

#[derive(Clone)]
pub(crate) struct Index;

impl Service<Request<Body>> for Index {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(answer(request))
    }
}

async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let known = [Method::GET, Method::HEAD, Method::POST].contains(request.method());
    let (status, text) = match request.uri().path() {
        "/" if known => (StatusCode::OK, INDEX),
        _ => (StatusCode::NOT_FOUND, NOTHING),
    };
    discard(request.into_body()).await;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    Ok(response)
}

/// Reads to the end, so that the answer is not given before the question is complete.
async fn discard(body: Body) {
    let mut body = pin!(body);
    while poll_fn(|cx| body.as_mut().poll_frame(cx)).await.is_some_and(|frame| frame.is_ok()) {}
}
