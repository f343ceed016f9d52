//! What a connection does when it is old enough: it tells its client to call elsewhere, lets calls under way end, and ends
//! those that do not.

use std::time::Instant;

use ::http::Version;
use farcall_wire::http2::ErrorCode;

use super::{ServerConnection, Stage};
use crate::engine::Engine;
use crate::server::age::{Age, Step};

impl ServerConnection {
    /// The connection, which becomes so old.
    pub(crate) fn with_age(mut self, age: Age) -> Self {
        self.age = age;
        self
    }

    /// Acts on the age, if anything is due.
    pub(super) fn grow_older(&mut self, engine: &mut Engine, now: Instant) {
        match self.age.handle_timeout(now) {
            Some(Step::Leave) if self.can_announce(engine) => self.drain(engine, now),
            Some(Step::Leave) => self.drain_pipes(),
            Some(Step::End) => engine.close(ErrorCode::NoError, "the connection is too old", now),
            None => {}
        }
    }

    /// A request has come: on a connection that is leaving, it is the last.
    pub(super) fn take_leave(&self, engine: &mut Engine, now: Instant) {
        if self.age.is_leaving() {
            engine.drain(now);
        }
    }

    /// Whether the client hears of the end before it happens. HTTP/1.1 says it only in the head of a response (RFC 9112
    /// section 9.6): to close between two requests, or behind a response that did not say so, could meet the next request
    /// on its way, and nobody would know whether it was processed.
    fn can_announce(&self, engine: &Engine) -> bool {
        engine.version() != Version::HTTP_11 || self.stages.values().any(Stage::is_unanswered)
    }
}

impl Stage {
    /// Whether the head of the response is still to come.
    fn is_unanswered(&self) -> bool {
        match self {
            Self::Collecting(_) => true,
            Self::Running { link, .. } => link.as_ref().is_none_or(|link| !link.head_sent()),
            // It may have been sent.
            Self::Page { .. } | Self::Leaving => false,
        }
    }
}
