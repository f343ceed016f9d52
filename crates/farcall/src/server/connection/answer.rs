//! The words of a reply, on their way to the engine.
//!
//! Errors of the engine mean that the stream is gone and has no use for its answer; its event is on the way.

use std::borrow::Cow;

use bytes::Bytes;
use farcall_core::cors::Cors;
use farcall_core::{Answer, Dialect, Ending, Metadata, Refusal, Status};
use farcall_wire::event::StreamId;
use farcall_wire::fields::Fields;

use crate::engine::Engine;
use crate::link::Link;
use crate::service::Finished;

/// Whoever is to be answered: what it speaks, and from which page it asks when it is one that may need leave to read.
pub(super) struct Asker {
    pub(super) dialect: Dialect,
    /// Kept only where cross-origin requests are let in at all.
    pub(super) origin: Option<Box<[u8]>>,
}

impl Asker {
    /// Sends the head of a stream of replies.
    pub(super) fn send_head(
        &self,
        stream: StreamId,
        head: Cow<'static, Fields>,
        end: bool,
        cors: Option<&Cors>,
        engine: &mut Engine,
    ) {
        let _ = match cors {
            None => engine.send_head(stream, &head, end),
            Some(cors) => {
                let mut head = head;
                cors.decorate(self.origin.as_deref(), &mut head);
                engine.send_head(stream, &head, end)
            }
        };
    }

    /// Sends a whole reply.
    fn send(&self, stream: StreamId, answer: Answer, cors: Option<&Cors>, engine: &mut Engine) {
        let Answer { head, body, trailers } = answer;
        let ends_with_head = body.is_none() && trailers.is_none();
        self.send_head(stream, head, ends_with_head, cors, engine);
        if !ends_with_head {
            send_end(stream, Ending { body, trailers }, engine);
        }
    }

    /// Answers with a failure, before anything was sent.
    pub(super) fn fail(
        &self,
        stream: StreamId,
        status: &Status,
        cors: Option<&Cors>,
        engine: &mut Engine,
    ) {
        let nothing = Metadata::new();
        self.send(stream, self.dialect.failure(status, &nothing, &nothing), cors, engine);
    }

    /// Answers a request that breaks its protocol's rules.
    pub(super) fn refuse(
        stream: StreamId,
        mut refusal: Refusal,
        origin: Option<&[u8]>,
        cors: Option<&Cors>,
        engine: &mut Engine,
    ) {
        if let Some(cors) = cors {
            let mut head = Cow::Owned(refusal.head);
            cors.decorate(origin, &mut head);
            refusal.head = head.into_owned();
        }
        refuse(stream, refusal, engine);
    }

    /// Ends a stream of replies that has had its head.
    pub(super) fn end(
        &self,
        stream: StreamId,
        result: Result<(), &Status>,
        trailing: &Metadata,
        engine: &mut Engine,
    ) {
        send_end(stream, self.dialect.end(result, trailing), engine);
    }

    /// Sends what a handler has ended with.
    pub(super) fn finish(
        &self,
        stream: StreamId,
        link: Option<&Link>,
        finished: Finished,
        cors: Option<&Cors>,
        engine: &mut Engine,
    ) {
        let Some(link) = link else {
            let Finished { reply, encoding, result } = finished;
            let (metadata, trailing) = reply.into_parts();
            let answer = match result {
                Ok(message) => {
                    let message = message.unwrap_or_default();
                    self.dialect.whole(&metadata, encoding, message, &trailing)
                }
                Err(status) => self.dialect.failure(&status, &metadata, &trailing),
            };
            return self.send(stream, answer, cors, engine);
        };
        self.finish_stream(stream, link, finished, cors, engine);
    }

    fn finish_stream(
        &self,
        stream: StreamId,
        link: &Link,
        finished: Finished,
        cors: Option<&Cors>,
        engine: &mut Engine,
    ) {
        let (_, trailing) = finished.reply.into_parts();
        let waiting = link.take_outgoing(usize::MAX).map(|outgoing| outgoing.data);
        let (status, message) = match finished.result {
            Ok(message) => (Ok(()), message),
            Err(status) => (Err(status), None),
        };
        match (&status, link.take_head()) {
            (Err(status), Some((metadata, _))) if waiting.is_none() => {
                let answer = self.dialect.failure(status, &metadata, &trailing);
                return self.send(stream, answer, cors, engine);
            }
            (_, Some((metadata, encoding))) => {
                let head = self.dialect.response_head(&metadata, encoding);
                self.send_head(stream, head, false, cors, engine);
            }
            (_, None) => {}
        }
        for data in waiting.into_iter().chain(message) {
            let _ = engine.send_data(stream, data, false);
        }
        self.end(stream, status.as_ref().copied(), &trailing, engine);
    }
}

fn send_end(stream: StreamId, ending: Ending, engine: &mut Engine) {
    let Ending { body, trailers } = ending;
    let last = trailers.is_none();
    if body.is_some() || last {
        let _ = engine.send_data(stream, body.unwrap_or_default(), last);
    }
    if let Some(trailers) = trailers {
        let _ = engine.send_trailers(stream, &trailers);
    }
}

/// Answers a request that is no call.
pub(super) fn refuse(stream: StreamId, refusal: Refusal, engine: &mut Engine) {
    let body = refusal.body.filter(|body: &Bytes| !body.is_empty());
    let _ = engine.send_head(stream, &refusal.head, body.is_none());
    if let Some(body) = body {
        let _ = engine.send_data(stream, body, true);
    }
    engine.done(stream);
}
