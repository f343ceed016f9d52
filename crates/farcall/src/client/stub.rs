//! The four kinds of call, from a client's stub to a link.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use farcall_core::{
    Deadline, Dialect, Encoding, Idempotency, Incoming, Kind, Limits, Message, Method, Protocol,
    Result, Sender, Status,
};
use tokio::sync::oneshot;

use crate::call::{Call, Wire};
use crate::client::channel::Channel;
use crate::client::request::ClientSide;
use crate::interceptor::{Next, Reply};
use crate::link::Link;
use crate::messages::{Inbound, Outbound, Verdict, before};
use crate::pending::{Pending, Prepared};

/// One request, one reply.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the message is handed over, as to any procedure"
)]
pub fn unary<Request: Message, Rep: Message>(
    channel: &Channel,
    method: &'static Method,
    request: Request,
) -> Pending<Rep> {
    Pending::new(channel, method, Some(encode(channel, method, &request)), |prepared| {
        Box::pin(async move {
            let limits = *prepared.channel.limits();
            let (incoming, reply) = Start::new(prepared)?.exchange().await?;
            Ok((incoming.decode_reply(&limits)?, reply))
        })
    })
}

/// One request, many replies.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the message is handed over, as to any procedure"
)]
pub fn server_streaming<Request: Message, Rep: Message>(
    channel: &Channel,
    method: &'static Method,
    request: Request,
) -> Pending<Inbound<Rep>> {
    Pending::new(channel, method, Some(encode(channel, method, &request)), |prepared| {
        Box::pin(async move {
            let mut open = Start::new(prepared)?.open().await?;
            Ok((open.inbound(), Reply::default()))
        })
    })
}

/// Many requests, one reply.
pub fn client_streaming<Request: Message, Rep: Message>(
    channel: &Channel,
    method: &'static Method,
) -> Pending<(Outbound<Request>, Pending<Rep>)> {
    Pending::new(channel, method, None, |prepared| {
        Box::pin(async move {
            let open = Start::new(prepared)?.open().await?;
            let outbound = open.outbound();
            let reply = Pending::running(Box::pin(async move {
                let limits = open.limits;
                let (incoming, reply) = open.only().await?;
                Ok((incoming.decode_reply(&limits)?, reply))
            }));
            Ok(((outbound, reply), Reply::default()))
        })
    })
}

/// Many requests, many replies.
pub fn bidirectional<Request: Message, Rep: Message>(
    channel: &Channel,
    method: &'static Method,
) -> Pending<(Outbound<Request>, Inbound<Rep>)> {
    Pending::new(channel, method, None, |prepared| {
        Box::pin(async move {
            let mut open = Start::new(prepared)?.open().await?;
            Ok(((open.outbound(), open.inbound()), Reply::default()))
        })
    })
}

fn encode<M: Message>(channel: &Channel, method: &Method, message: &M) -> Result<Bytes> {
    let dialect = channel.dialect(method);
    Sender::new(dialect, Encoding::Identity, channel.limits()).envelope(message, false)
}

impl Channel {
    /// In which words the method is called.
    fn dialect(&self, method: &Method) -> Dialect {
        Dialect::for_call(self.manner.protocol, self.manner.codec, method)
    }

    /// Whether the method is called by GET.
    fn gets(&self, method: &Method) -> bool {
        self.manner.get
            && self.manner.protocol == Protocol::Connect
            && method.kind == Kind::Unary
            && method.idempotency == Idempotency::NoSideEffects
    }
}

/// A call that is about to go through the interceptors.
struct Start {
    channel: Channel,
    call: Call,
    request: Option<Bytes>,
    options: Options,
}

/// What the interceptors do not see of a call.
#[derive(Clone, Copy)]
struct Options {
    wait_for_ready: bool,
    encoding: Encoding,
}

/// A call on its way: what the caller's handles are made of.
struct Open {
    link: Arc<Link>,
    guard: Guard,
    deadline: Option<Deadline>,
    limits: Limits,
    sender: Sender,
    verdict: Option<Verdict>,
}

impl Start {
    fn new(prepared: Prepared) -> Result<Self> {
        if let Some(refused) = prepared.refused {
            return Err(Status::invalid_argument(refused));
        }
        let limits = *prepared.channel.limits();
        let options =
            Options { wait_for_ready: prepared.wait_for_ready, encoding: prepared.encoding };
        let dialect = prepared.channel.dialect(prepared.method);
        let wire = Wire::new(Sender::new(dialect, options.encoding, &limits), limits, None);
        let call = Call::new(prepared.method, prepared.metadata, prepared.deadline, None, wire);
        let request = prepared.request.transpose()?;
        Ok(Self { channel: prepared.channel, call, request, options })
    }

    /// One request, one reply.
    async fn exchange(self) -> Result<(Incoming, Reply)> {
        let Self { channel, call, request, options } = self;
        if channel.chain.is_empty() {
            return launch(&channel, call, request, options)?.only().await;
        }
        let message = Arc::new(Mutex::new(None));
        let place = Arc::clone(&message);
        let chain = Arc::clone(&channel.chain);
        let next = Next::new(chain, move |call| {
            Box::pin(async move {
                let (incoming, reply) = launch(&channel, call, request, options)?.only().await?;
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(incoming);
                Ok(reply)
            })
        });
        let reply = next.run(call).await?;
        let message = message.lock().unwrap_or_else(PoisonError::into_inner).take();
        let message =
            message.ok_or_else(|| Status::internal("an interceptor answered without a reply"))?;
        Ok((message, reply))
    }

    /// A call with a stream in it, as soon as it is on its way.
    async fn open(self) -> Result<Open> {
        let Self { channel, call, request, options } = self;
        if channel.chain.is_empty() {
            let open = launch(&channel, call, request, options)?;
            open.opened().await?;
            return Ok(open);
        }
        let (opened, open) = oneshot::channel();
        let chain = Arc::clone(&channel.chain);
        let next = Next::new(chain, move |call| {
            Box::pin(async move {
                let open = launch(&channel, call, request, options)?;
                let link = Arc::clone(&open.link);
                // Nobody there: the caller has dropped the call, and what is left of it cancels it.
                let _ = opened.send(open);
                poll_fn(|cx| link.poll_outcome(cx)).await
            })
        });
        let (verdict, verdict_to_come) = oneshot::channel();
        tokio::spawn(async move {
            let _ = verdict.send(next.run(call).await);
        });
        if let Ok(mut open) = open.await {
            open.opened().await?;
            open.verdict = Some(verdict_to_come);
            return Ok(open);
        }
        // The interceptors have ended the call before it began.
        match verdict_to_come.await {
            Ok(Err(status)) => Err(status),
            _ => Err(Status::internal("an interceptor answered a call without running it")),
        }
    }
}

/// Gives the call to the channel.
fn launch(channel: &Channel, call: Call, request: Option<Bytes>, options: Options) -> Result<Open> {
    let limits = *channel.limits();
    let method = call.method();
    let (metadata, deadline) = call.into_request();
    if deadline.is_some_and(|deadline| deadline.has_passed(std::time::Instant::now())) {
        return Err(Status::deadline_exceeded(format!(
            "{method}: the deadline had passed before the call was sent"
        )));
    }
    let sender = Sender::new(channel.dialect(method), options.encoding, &limits);
    let mut request = request.map(|request| sender.compress(request)).transpose()?;
    let query = if channel.gets(method) { request.replace(Bytes::new()) } else { None };
    let side = ClientSide::new(method, metadata, sender.dialect(), limits)
        .with_query(query)
        .with_deadline(deadline)
        .with_encoding(options.encoding)
        .with_wait_for_ready(options.wait_for_ready);
    let link = Arc::new(Link::on_client(side));
    if let Some(request) = request {
        link.send_only(request);
    }
    channel.routes.dispatch(Arc::clone(&link));
    let guard = Guard(Some(Arc::clone(&link)));
    Ok(Open { link, guard, deadline, limits, sender, verdict: None })
}

impl Open {
    async fn opened(&self) -> Result<()> {
        before(self.deadline, &self.link, poll_fn(|cx| self.link.poll_opened(cx))).await
    }

    async fn only(mut self) -> Result<(Incoming, Reply)> {
        let only = before(self.deadline, &self.link, poll_fn(|cx| self.link.poll_only(cx))).await;
        if only.is_ok() {
            self.guard.disarm();
        }
        match (self.verdict.take(), only) {
            (Some(verdict), only) => {
                let verdict = verdict.await;
                let reply = verdict.unwrap_or_else(|_| {
                    Err(Status::internal("an interceptor ended without a result"))
                })?;
                Ok((only?.0, reply))
            }
            (None, only) => only,
        }
    }

    fn inbound<T: Message>(&mut self) -> Inbound<T> {
        self.guard.disarm();
        Inbound::on_client(Arc::clone(&self.link), self.limits, self.deadline, self.verdict.take())
    }

    fn outbound<T: Message>(&self) -> Outbound<T> {
        let compress = self.sender.encoding() != Encoding::Identity;
        Outbound::on_client(Arc::clone(&self.link), self.sender, compress, self.deadline)
    }
}

/// Cancels the call when whoever waits for it stops waiting.
struct Guard(Option<Arc<Link>>);

impl Guard {
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(link) = &self.0 {
            link.cancel();
        }
    }
}
