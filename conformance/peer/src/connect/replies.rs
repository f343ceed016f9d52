//! The replies of a stream, taken one by one into the result that the runner wants.

use farcall::{Inbound, Message, Status};

use super::{error, headers};
use crate::proto::connectrpc::conformance::v1::{ClientResponseResult, ConformancePayload};

/// The receiving side of a call and what has come of it so far.
pub(super) struct Replies<T> {
    /// None: the call is over.
    inbound: Option<Inbound<T>>,
    head_taken: bool,
    payload: fn(T) -> Option<ConformancePayload>,
    pub(super) result: ClientResponseResult,
}

impl<T: Message> Replies<T> {
    pub(super) fn new(inbound: Inbound<T>, payload: fn(T) -> Option<ConformancePayload>) -> Self {
        let result = ClientResponseResult::default();
        Self { inbound: Some(inbound), head_taken: false, payload, result }
    }

    /// How many have come.
    pub(super) fn count(&self) -> usize {
        self.result.payloads.len()
    }

    /// Takes the next. False: the call is over.
    pub(super) async fn take(&mut self) -> bool {
        let Some(inbound) = &mut self.inbound else { return false };
        if !self.head_taken {
            self.head_taken = true;
            // Without a head the call has failed, and receive() says how.
            if let Ok(metadata) = inbound.metadata().await {
                self.result.response_headers = headers::from_metadata(&metadata);
            }
        }
        match inbound.receive().await {
            Ok(Some(reply)) => {
                self.result.payloads.push((self.payload)(reply).unwrap_or_default());
                return true;
            }
            Ok(None) => {
                let trailers = inbound.trailers().unwrap_or_default();
                self.result.response_trailers = headers::from_metadata(&trailers);
            }
            Err(status) => self.fail(&status),
        }
        self.inbound = None;
        false
    }

    /// Takes all that is left.
    pub(super) async fn take_all(&mut self, stop_after: Option<usize>) {
        while self.take().await {
            if stop_after == Some(self.count()) {
                self.cancel();
            }
        }
    }

    /// Cancels the call, unless it is over.
    pub(super) fn cancel(&mut self) {
        if self.inbound.take().is_some() {
            self.fail(&Status::cancelled("the caller has cancelled the call"));
        }
    }

    fn fail(&mut self, status: &Status) {
        self.result.error = error::from_status(status).into();
        self.result.response_trailers = headers::from_metadata(status.metadata());
    }
}
