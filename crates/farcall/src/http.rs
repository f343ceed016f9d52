//! Plain HTTP beside the calls: the application that is mounted on a server, and a server as part of another.
//!
//! Bodies are streamed with backpressure both ways. Knows the `http` crate's types; what the bytes of a connection mean is
//! the engine's business.

mod app;
mod body;
mod flow;
mod head;
mod index;
mod mount;
mod single;
mod upgrade;

pub use body::Body;
pub use mount::{HttpService, ReplyBody, Replying};
pub use upgrade::{Upgrade, Upgraded};

pub(crate) use app::{Answering, App};
pub(crate) use flow::{Flow, Outgoing};
pub(crate) use head::{parse_response as response, request};
pub(crate) use index::Index;
pub(crate) use single::Single;
