//! The two sides of one call, whatever protocol carries it.
//!
//! Each direction of a call is a [`Lane`]:
//!
//! ```text
//!            head                message
//!   Head ------------> Messages ---------.
//!    |                  |    ^-----------'
//!    | end              | end
//!    v                  v
//!   Ended <-------------'
//! ```
//!
//! A client's lane begins with its head, and it ends its lane when it has sent its messages. A server may end its lane
//! before any head: a reply that is a failure alone. A lane that carries [`Cardinality::One`] must have had exactly one
//! message when it ends well; a lane that ends in failure owes none. Nothing goes back.
//!
//! [`ServerExchange`] watches the client's lane, [`ClientExchange`] the server's. They take what an HTTP engine reports
//! and never call it; they hold what was received and not taken, and nothing else.

mod body;
mod client;
mod receiver;
mod sender;
mod server;

use std::error::Error;
use std::fmt;

pub use client::ClientExchange;
pub use receiver::{Incoming, Next};
pub use sender::Sender;
pub use server::ServerExchange;

/// How many messages a lane carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// Exactly one.
    One,
    /// Any number.
    Many,
}

/// One direction of a call: how far it has come.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    stage: Stage,
    cardinality: Cardinality,
    has_message: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Messages,
    Ended,
}

impl Lane {
    /// A lane at its beginning.
    pub fn new(cardinality: Cardinality) -> Self {
        Self { stage: Stage::Head, cardinality, has_message: false }
    }

    /// Says how many messages the lane carries, when that was not known at its beginning.
    pub fn expect(&mut self, cardinality: Cardinality) {
        self.cardinality = cardinality;
    }

    /// The head passes.
    ///
    /// # Errors
    /// It has passed before, or the lane has ended.
    pub fn head(&mut self) -> Result<(), OutOfOrder> {
        match self.stage {
            Stage::Head => self.stage = Stage::Messages,
            Stage::Messages => return Err(OutOfOrder::SecondHead),
            Stage::Ended => return Err(OutOfOrder::AfterEnd),
        }
        Ok(())
    }

    /// A message passes.
    ///
    /// # Errors
    /// The head has not passed, the lane has ended, or it carries one message and this is the second.
    pub fn message(&mut self) -> Result<(), OutOfOrder> {
        match self.stage {
            Stage::Head => return Err(OutOfOrder::BeforeHead),
            Stage::Ended => return Err(OutOfOrder::AfterEnd),
            Stage::Messages if self.has_message && self.cardinality == Cardinality::One => {
                return Err(OutOfOrder::SecondMessage);
            }
            Stage::Messages => self.has_message = true,
        }
        Ok(())
    }

    /// The lane ends well.
    ///
    /// # Errors
    /// It has ended before, or it carries one message and there was none. It is ended in any case.
    pub fn end(&mut self) -> Result<(), OutOfOrder> {
        let before = self.stage;
        self.stage = Stage::Ended;
        if before == Stage::Ended {
            return Err(OutOfOrder::AfterEnd);
        }
        if self.cardinality == Cardinality::One && !self.has_message {
            return Err(OutOfOrder::NoMessage);
        }
        Ok(())
    }

    /// The lane ends in failure, which it may at any time.
    pub fn fail(&mut self) {
        self.stage = Stage::Ended;
    }

    /// Whether the head has not passed yet, so that a failure can still be told in its place.
    pub fn is_at_head(&self) -> bool {
        self.stage == Stage::Head
    }

    /// Whether the lane has ended.
    pub fn is_ended(&self) -> bool {
        self.stage == Stage::Ended
    }
}

/// Something came that may not come now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfOrder {
    /// A message came before the head.
    BeforeHead,
    /// A head came after the head.
    SecondHead,
    /// A second message came where one is expected.
    SecondMessage,
    /// No message came where one is expected.
    NoMessage,
    /// Something came after the end.
    AfterEnd,
}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeHead => "expected the head, got a message",
            Self::SecondHead => "expected messages, got a second head",
            Self::SecondMessage => "expected one message, got two",
            Self::NoMessage => "expected one message, got none",
            Self::AfterEnd => "expected nothing after the end",
        })
    }
}

impl Error for OutOfOrder {}
