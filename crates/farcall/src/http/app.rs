//! The HTTP application beside the services: what is no call is its.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Buf;
use farcall_wire::fields::Fields;
use http::{Request, Response};
use tower_service::Service;

use crate::http::body::Body;
use crate::http::flow::{Flow, Head};
use crate::http::head;
use crate::http::upgrade::Upgrade;
use crate::interceptor::BoxFuture;

/// Any tower service over HTTP, its types erased: takes a request and answers on the flow.
#[derive(Clone)]
pub(crate) struct App(Arc<Answer>);

type Answer = dyn Fn(Request<Body>, Arc<Flow>) -> BoxFuture<()> + Send + Sync;

impl App {
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        // Services need not be Sync; a clone takes no longer than the lock.
        let service = Mutex::new(service);
        Self(Arc::new(move |request, flow| {
            let service = service.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Box::pin(answer(service, request, flow))
        }))
    }

    /// The future that answers the request.
    pub(crate) fn run(&self, request: Request<Body>, flow: Arc<Flow>) -> Answering {
        Answering { future: (self.0)(request, Arc::clone(&flow)), flow }
    }
}

/// Lets the service answer and sends what it answers.
async fn answer<S, B>(mut service: S, request: Request<Body>, flow: Arc<Flow>)
where
    S: Service<Request<Body>, Response = Response<B>>,
    B: http_body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // What the error says is the application's business: nothing of it may go to the client.
    let is_ready = poll_fn(|cx| service.poll_ready(cx)).await.is_ok();
    let offer = request.extensions().get::<Upgrade>().map(Upgrade::offer);
    let response = if is_ready { service.call(request).await.ok() } else { None };
    let Some(response) = response else { return send_failure(&flow) };
    let switches = offer.is_some_and(|offer| offer.is_accepted_by(response.status()));
    match response.status() {
        _ if switches && flow.may_upgrade() => {
            let fields = head::emit_response(&response);
            flow.send_head(Head { fields, upgrade: true });
        }
        // Nobody would speak the other protocol, or nobody has asked for one, or it is no final response.
        status if switches || status.is_informational() => send_failure(&flow),
        _ => send(response, &flow).await,
    }
}

async fn send<B>(response: Response<B>, flow: &Flow)
where
    B: http_body::Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let fields = head::emit_response(&response);
    flow.send_head(Head { fields, upgrade: false });
    // An error of the body cannot be told any more: the response is cut off, which the client sees.
    match send_body(response.into_body(), flow).await {
        Ok(trailers) => flow.finish(trailers),
        Err(Broken) => flow.fail(),
    }
}

/// The body cannot be sent to its end.
struct Broken;

async fn send_body<B: http_body::Body>(body: B, flow: &Flow) -> Result<Option<Fields>, Broken> {
    let mut body = pin!(body);
    loop {
        // Both are wanted before the next piece is made: what nobody can take is not asked for.
        poll_fn(|cx| flow.poll_room(cx)).await.map_err(|_| Broken)?;
        let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await else {
            return Ok(None);
        };
        match frame.map_err(|_| Broken)?.into_data() {
            Ok(mut data) => flow.send(data.copy_to_bytes(data.remaining())),
            Err(frame) => {
                return Ok(frame.into_trailers().ok().map(|trailers| head::trailers(&trailers)));
            }
        }
    }
}

/// The service failed: with no head sent, that can still be told; else the response is cut off.
fn send_failure(flow: &Flow) {
    if flow.is_answered() {
        return flow.fail();
    }
    let fields = [(":status", "500"), ("content-length", "0")].into_iter().collect();
    flow.send_head(Head { fields, upgrade: false });
    flow.finish(None);
}

/// An answer under way. A panic in it is the failure of its request and of nothing else.
pub(crate) struct Answering {
    future: BoxFuture<()>,
    flow: Arc<Flow>,
}

impl Future for Answering {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The future is never polled again after a panic, so nobody sees what it left half done.
        let polled = panic::catch_unwind(AssertUnwindSafe(|| self.future.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| {
            send_failure(&self.flow);
            Poll::Ready(())
        })
    }
}
