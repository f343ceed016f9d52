//! How calls went that carry an `x-call-id`.
//!
//! An interceptor stands around the handler; that the handler was stopped shows by the interceptor being dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farcall::{Call, Next, Reply, Result, Status};

pub use crate::proto::conformance::v1::observe_reply::State;

/// The name of the metadata that marks a call.
pub const CALL_ID: &str = "x-call-id";

/// Calls kept at once. Nobody ever forgets one, and a client chooses the ids.
const MAX_CALLS: usize = 10_000;

/// What is known of the calls with one id.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record {
    /// How the one that came last went.
    pub state: State,
    /// How many have come.
    pub calls: u32,
}

/// The record of each id. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Observed(Arc<Mutex<HashMap<String, Record>>>);

impl Observed {
    /// The interceptor: it keeps how the call goes.
    ///
    /// # Errors
    /// How the call failed; `RESOURCE_EXHAUSTED` when too many are kept.
    pub async fn around(observed: Arc<Self>, call: Call, next: Next) -> Result<Reply> {
        let Some(id) = call.metadata().get(CALL_ID).map(str::to_owned) else {
            return next.run(call).await;
        };
        let handling = observed.begin(id)?;
        let result = next.run(call).await;
        handling.finish();
        result
    }

    /// How the calls with this id went.
    pub fn record(&self, id: &str) -> Record {
        self.lock().get(id).copied().unwrap_or_default()
    }

    fn begin(&self, id: String) -> Result<Handling> {
        let mut records = self.lock();
        if records.len() >= MAX_CALLS {
            return Err(Status::resource_exhausted(format!("{MAX_CALLS} calls are kept already")));
        }
        let record = records.entry(id.clone()).or_default();
        record.state = State::STATE_RUNNING;
        record.calls += 1;
        Ok(Handling { observed: self.clone(), id, end: State::STATE_CANCELLED })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handler under way: dropped before its end, it was stopped.
struct Handling {
    observed: Observed,
    id: String,
    end: State,
}

impl Handling {
    fn finish(mut self) {
        self.end = State::STATE_FINISHED;
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        if let Some(record) = self.observed.lock().get_mut(&self.id) {
            record.state = self.end;
        }
    }
}
