//! A call as its client sees it, from before it is sent until its end.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use farcall_core::{
    Cardinality, ClientExchange, Deadline, Dialect, Encoding, Incoming, Limits, Metadata, Method,
    Outgoing, Result, Status,
};
use farcall_socket::Peer;
use farcall_wire::event::{ResponseHead, StreamId};
use farcall_wire::fields::Fields;
use farcall_wire::http2::ErrorCode;

use crate::client::connect::Origin;
use crate::interceptor::Reply;
use crate::link::{Link, Side, State, remember};
use crate::mailbox::Mailbox;

/// Bytes of requests kept so that a call that was not processed can be sent again. More than that, and it cannot.
const REPLAY_BOUND: usize = 256 * 1024;
/// How often one call is sent in all.
const ATTEMPTS: u32 = 5;

/// The client's part of a link.
pub(crate) struct ClientSide {
    method: &'static Method,
    metadata: Metadata,
    deadline: Option<Deadline>,
    /// A connection's batch may have begun before the call did.
    begun: Instant,
    encoding: Encoding,
    wait_for_ready: bool,
    /// The message of a request whose head carries it.
    query: Option<Bytes>,
    limits: Limits,
    pub(crate) exchange: ClientExchange,
    /// The reply's leading metadata, once it has come.
    head: Option<Metadata>,
    pub(crate) replay: Replay,
    attempts: u32,
    /// Whoever waits for the call to be on its way, to be answered or to be over.
    pub(crate) watchers: Vec<Waker>,
    /// Who the call was sent to; none while it has not been.
    peer: Option<Arc<Peer>>,
}

/// What has been sent, while it may have to be sent again.
#[derive(Default)]
pub(crate) struct Replay {
    sent: Vec<Bytes>,
    size: usize,
    finished: bool,
    /// The server has answered, or too much was sent: the call cannot be sent again.
    committed: bool,
}

impl Replay {
    pub(crate) fn keep(&mut self, data: &Bytes, finished: bool) {
        self.finished |= finished;
        if self.committed {
            return;
        }
        self.size += data.len();
        // One large message is kept, whatever its size: it is a handle on bytes that the queue holds as well.
        if self.size > REPLAY_BOUND && !self.sent.is_empty() {
            self.commit();
        } else {
            self.sent.push(data.clone());
        }
    }

    fn commit(&mut self) {
        self.committed = true;
        self.sent = Vec::new();
    }
}

impl ClientSide {
    pub(crate) fn new(
        method: &'static Method,
        metadata: Metadata,
        dialect: Dialect,
        limits: Limits,
    ) -> Self {
        Self {
            method,
            metadata,
            deadline: None,
            begun: Instant::now(),
            encoding: Encoding::Identity,
            wait_for_ready: false,
            query: None,
            exchange: ClientExchange::new(dialect, replies(method), &limits),
            limits,
            head: None,
            replay: Replay::default(),
            attempts: 0,
            watchers: Vec::new(),
            peer: None,
        }
    }

    pub(crate) fn with_deadline(mut self, deadline: Option<Deadline>) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    pub(crate) fn with_wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = wait;
        self
    }

    pub(crate) fn with_query(mut self, query: Option<Bytes>) -> Self {
        self.query = query;
        self
    }

    /// How the call ended, once it has.
    pub(crate) fn outcome(&self) -> Result<Metadata> {
        match self.exchange.outcome() {
            Some(Ok(trailers)) => Ok(trailers.clone()),
            Some(Err(status)) => Err(self.failed(status.clone())),
            None => Err(Status::internal("the replies ended before the call did")),
        }
    }

    /// The failure, with what had come before it.
    fn failed(&self, status: Status) -> Status {
        match &self.head {
            Some(head) if !head.is_empty() => status.with_leading_metadata(head.clone()),
            _ => status,
        }
    }

    fn reply(&self, trailers: Metadata) -> Reply {
        Reply::new(self.head.clone().unwrap_or_default(), trailers)
    }
}

fn replies(method: &Method) -> Cardinality {
    if method.kind.streams_replies() { Cardinality::Many } else { Cardinality::One }
}

/// What a caller does with its call.
impl Link {
    /// Ready when the call is on its way.
    pub(crate) fn poll_opened(&self, cx: &Context<'_>) -> Poll<Result<()>> {
        self.poll_client(cx, |side| side.peer.is_some().then_some(()))
    }

    /// The reply's leading metadata.
    pub(crate) fn poll_head(&self, cx: &Context<'_>) -> Poll<Result<Metadata>> {
        self.poll_client(cx, |side| side.head.clone())
    }

    /// The one message of a reply that has exactly one, with what came beside it.
    pub(crate) fn poll_only(&self, cx: &Context<'_>) -> Poll<Result<(Incoming, Reply)>> {
        let mut state = self.lock();
        let Some(side) = state.client() else { return Poll::Pending };
        let message = match side.exchange.only_message() {
            Ok(message) => message,
            Err(status) => return Poll::Ready(Err(side.failed(status))),
        };
        match (message, side.exchange.outcome()) {
            (Some(message), Some(Ok(trailers))) => {
                let reply = side.reply(trailers.clone());
                Poll::Ready(Ok((message, reply)))
            }
            (_, Some(Err(status))) => Poll::Ready(Err(side.failed(status.clone()))),
            (None, Some(Ok(_))) => Poll::Ready(Err(Status::internal("the reply was taken before"))),
            (_, None) => {
                state.consume_all();
                remember(&mut state.reader, cx);
                Poll::Pending
            }
        }
    }

    /// How the call ended, once all messages have been taken or it has failed.
    pub(crate) fn poll_outcome(&self, cx: &Context<'_>) -> Poll<Result<Reply>> {
        self.poll_client(cx, |side| match side.exchange.outcome() {
            Some(Ok(trailers)) => Some(side.reply(trailers.clone())),
            _ => None,
        })
    }

    /// Ready with what `take` finds, or with the failure of the call.
    fn poll_client<T>(
        &self,
        cx: &Context<'_>,
        take: impl FnOnce(&mut ClientSide) -> Option<T>,
    ) -> Poll<Result<T>> {
        let mut state = self.lock();
        let Some(side) = state.client() else { return Poll::Pending };
        if let Some(found) = take(side) {
            return Poll::Ready(Ok(found));
        }
        if let Some(Err(status)) = side.exchange.outcome() {
            return Poll::Ready(Err(side.failed(status.clone())));
        }
        side.watchers.push(cx.waker().clone());
        Poll::Pending
    }

    /// The trailing metadata, once the call has ended well.
    pub(crate) fn trailers(&self) -> Option<Metadata> {
        match &self.lock().side {
            Side::Client(side) => side.exchange.outcome()?.as_ref().ok().cloned(),
            Side::Server(_) => None,
        }
    }

    pub(crate) fn waits_for_ready(&self) -> bool {
        matches!(&self.lock().side, Side::Client(side) if side.wait_for_ready)
    }
}

/// What a connection does with a call.
impl Link {
    /// The head of the request; none when the call was cancelled while it waited.
    pub(crate) fn request_head(&self, origin: &Origin, now: Instant) -> Option<Fields> {
        let mut state = self.lock();
        if state.is_cancelled() {
            return None;
        }
        let side = state.client()?;
        Some(side.exchange.request_head(&Outgoing {
            path: side.method.path,
            authority: &origin.authority,
            scheme: origin.scheme,
            metadata: &side.metadata,
            timeout: side.deadline.map(|deadline| deadline.remaining(now.max(side.begun))),
            encoding: side.encoding,
            get: side.query.as_ref(),
        }))
    }

    /// The call is on `stream`.
    pub(crate) fn opened(&self, mailbox: &Arc<Mailbox>, stream: StreamId, peer: &Arc<Peer>) {
        self.enter(mailbox, stream);
        self.update(|side| {
            side.attempts += 1;
            side.peer = Some(Arc::clone(peer));
        });
    }

    /// Takes the head of the reply. Returns whether the call is over with it.
    pub(crate) fn receive_head(&self, head: ResponseHead, end: bool) -> bool {
        self.update(|side| {
            side.replay.commit();
            if let Ok(Some(metadata)) = side.exchange.receive_head(head, end) {
                side.head = Some(metadata);
            }
        });
        end || self.is_over()
    }

    fn is_over(&self) -> bool {
        matches!(&self.lock().side, Side::Client(side) if side.exchange.outcome().is_some())
    }

    pub(crate) fn receive_trailers(&self, fields: Fields) {
        self.update(|side| side.exchange.receive_trailers(fields));
    }

    pub(crate) fn receive_reset(&self, code: ErrorCode, now: Instant) {
        // A server whose clock rings first can only say CANCEL: it means the deadline all the same.
        if code == ErrorCode::Cancel && self.is_late(now) {
            return self.fail(self.late());
        }
        self.update(|side| side.exchange.receive_reset(code.to_u32()));
    }

    fn is_late(&self, now: Instant) -> bool {
        let state = self.lock();
        let Side::Client(side) = &state.side else { return false };
        side.deadline.is_some_and(|deadline| deadline.has_passed(now))
    }

    fn late(&self) -> Status {
        let stage = self.stage();
        let text = match &self.lock().side {
            Side::Client(side) => format!("{}: {stage} {}", side.method, name(side.peer.as_ref())),
            Side::Server(_) => stage.to_owned(),
        };
        Status::deadline_exceeded(text)
    }

    /// The deadline has passed: the call is over.
    pub(crate) fn expire(&self) -> Status {
        let status = self.late();
        self.fail(status.clone());
        self.cancel();
        status
    }

    /// Ends the call; one that has its outcome keeps it.
    pub(crate) fn fail(&self, status: Status) {
        self.update(|side| side.exchange.fail(status));
    }

    /// What the call was about when something went wrong, for error messages.
    pub(crate) fn stage(&self) -> &'static str {
        let state = self.lock();
        match &state.side {
            Side::Client(side) if side.head.is_some() => "receiving the reply of",
            _ if state.finished && state.outgoing.is_empty() => "waiting for the reply of",
            _ => "sending the request to",
        }
    }

    /// Makes the call as it was before it was sent. False when it cannot be sent again; it has failed then.
    pub(crate) fn rewind(&self) -> bool {
        let mut state = self.lock();
        if state.is_cancelled() {
            return false;
        }
        state.leave();
        let finished = state.finished;
        let State { side: Side::Client(side), outgoing, .. } = &mut *state else { return false };
        if side.replay.committed || side.attempts >= ATTEMPTS {
            let why = if side.replay.committed {
                "it is too large to be sent again"
            } else {
                "it was sent too often"
            };
            let text =
                format!("{} was refused by {}; {why}", side.method, name(side.peer.as_ref()));
            drop(state);
            self.fail(Status::unavailable(text));
            return false;
        }
        let mut again = BytesMut::with_capacity(side.replay.size + outgoing.len());
        side.replay.sent.iter().for_each(|data| again.extend_from_slice(data));
        again.extend_from_slice(outgoing);
        *outgoing = again;
        side.replay = Replay::default();
        side.exchange =
            ClientExchange::new(side.exchange.dialect(), replies(side.method), &side.limits);
        debug_assert_eq!(state.finished, finished);
        true
    }

    fn update(&self, change: impl FnOnce(&mut ClientSide)) {
        let mut state = self.lock();
        let Some(side) = state.client() else { return };
        change(side);
        let wakers = state.take_wakers();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

fn name(peer: Option<&Arc<Peer>>) -> String {
    peer.map_or_else(|| "no peer".to_owned(), ToString::to_string)
}

impl State {
    fn client(&mut self) -> Option<&mut ClientSide> {
        match &mut self.side {
            Side::Client(side) => Some(side),
            Side::Server(_) => None,
        }
    }
}
