//! Running a handler: through the interceptors, in place or as a task, with its panics caught.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use farcall_core::{Encoding, Result, Status};
use farcall_wire::event::StreamId;
use tokio::task::AbortHandle;

use crate::http::Answering;
use crate::interceptor::{BoxFuture, Chain, Next, Reply};
use crate::link::Link;
use crate::mailbox::{Mailbox, Note};
use crate::service::{BoxCall, Finished, Handler};

/// A handler under way. A panic in it is the failure of its call and of nothing else.
pub(crate) struct Running(BoxFuture<Finished>);

impl Future for Running {
    type Output = Finished;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Finished> {
        // The future is never polled again after a panic, so nobody sees what it left half done.
        let polled = panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| {
            Poll::Ready(Finished::failed(Status::internal("the handler panicked")))
        })
    }
}

impl Finished {
    fn failed(status: Status) -> Self {
        Self { reply: Reply::default(), encoding: Encoding::Identity, result: Err(status) }
    }
}

/// Runs a method that takes one request.
pub(crate) fn run_one(
    chain: &Chain,
    handler: &Handler,
    call: BoxCall,
    request: Bytes,
    link: Option<Arc<Link>>,
) -> Running {
    match (handler, link) {
        (Handler::Unary(handler), _) => {
            let handler = Arc::clone(handler);
            run(chain, call, move |call| handler(call, request))
        }
        (Handler::Replies(handler), Some(link)) => {
            let handler = Arc::clone(handler);
            run(chain, call, move |call| handler(call, request, link))
        }
        (Handler::Replies(_), None) | (Handler::Requests(_), _) => misplaced(),
    }
}

/// Runs a method that takes many requests.
pub(crate) fn run_many(
    chain: &Chain,
    handler: &Handler,
    call: BoxCall,
    link: Arc<Link>,
) -> Running {
    match handler {
        Handler::Requests(handler) => {
            let handler = Arc::clone(handler);
            run(chain, call, move |call| handler(call, link))
        }
        Handler::Unary(_) | Handler::Replies(_) => misplaced(),
    }
}

fn misplaced() -> Running {
    let status = Status::internal("the method's description does not fit its handler");
    Running(Box::pin(async move { Finished::failed(status) }))
}

fn run(
    chain: &Chain,
    call: BoxCall,
    handler: impl FnOnce(BoxCall) -> BoxFuture<Finished> + Send + 'static,
) -> Running {
    if chain.is_empty() {
        // Making the future runs no code of the handler.
        return Running(handler(call));
    }
    Running(Box::pin(intercepted(Arc::clone(chain), call, handler)))
}

/// Runs the handler at the end of the chain; what comes out of the chain is how the call ended.
async fn intercepted(
    chain: Chain,
    call: BoxCall,
    handler: impl FnOnce(BoxCall) -> BoxFuture<Finished> + Send + 'static,
) -> Finished {
    let message = Arc::new(Mutex::new(None));
    let place = Arc::clone(&message);
    let next = Next::new(chain, move |call| {
        Box::pin(async move {
            let Finished { reply, encoding, result } = handler(Box::new(call)).await;
            match result {
                Ok(message) => {
                    *place.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some((message, encoding));
                    Ok(reply)
                }
                Err(mut status) => {
                    status.metadata_mut().extend(reply.trailers());
                    Err(status)
                }
            }
        })
    });
    let ended: Result<Reply> = next.run(*call).await;
    let message = message.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (ended, message) {
        (Ok(reply), Some((message, encoding))) => Finished { reply, encoding, result: Ok(message) },
        (Ok(_), None) => {
            Finished::failed(Status::internal("an interceptor answered without a reply"))
        }
        (Err(status), _) => Finished::failed(status),
    }
}

/// Makes a task of a handler that waits. Its end, or that it was aborted and is gone, is told to the mailbox.
pub(crate) fn spawn(running: Running, stream: StreamId, mailbox: &Arc<Mailbox>) -> AbortHandle {
    let mut farewell = Farewell { stream, mailbox: Arc::clone(mailbox), finished: None };
    let task = tokio::spawn(async move {
        let finished = running.await;
        farewell.finish(finished);
    });
    task.abort_handle()
}

/// The same for an answer of the HTTP application.
pub(crate) fn spawn_page(
    answering: Answering,
    stream: StreamId,
    mailbox: &Arc<Mailbox>,
) -> AbortHandle {
    let farewell = Farewell { stream, mailbox: Arc::clone(mailbox), finished: None };
    let task = tokio::spawn(async move {
        let _farewell = farewell;
        answering.await;
    });
    task.abort_handle()
}

/// Says when a handler's future is gone, however it went.
struct Farewell {
    stream: StreamId,
    mailbox: Arc<Mailbox>,
    finished: Option<Box<Finished>>,
}

impl Farewell {
    fn finish(&mut self, finished: Finished) {
        self.finished = Some(Box::new(finished));
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let _ = self.mailbox.push(Note::Ended(self.stream, self.finished.take()));
    }
}
