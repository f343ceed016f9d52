//! One call, as handlers and interceptors see it.
//!
//! Carries what goes beside the messages: the method, metadata both ways, the deadline, who the peer is. It never
//! carries messages.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall_core::{
    Deadline, Encoding, Limits, Message, Metadata, MetadataError, Method, Result, Sender,
};
use farcall_socket::Peer;

use crate::interceptor::Reply;
use crate::link::Link;

/// One call: on a server the one being handled, in a client's interceptor the one about to be sent.
#[derive(Debug)]
pub struct Call {
    method: &'static Method,
    metadata: Metadata,
    deadline: Option<Deadline>,
    peer: Option<Arc<Peer>>,
    reply: Reply,
    extensions: Extensions,
    wire: Wire,
}

/// How the messages of a call go over the wire.
pub(crate) struct Wire {
    pub(crate) sender: Sender,
    pub(crate) limits: Limits,
    /// Whether the one request of the call came compressed.
    pub(crate) compressed: bool,
    /// Whether replies are to be compressed.
    pub(crate) compress: bool,
    /// The meeting point of a call that streams, on a server.
    pub(crate) link: Option<Arc<Link>>,
}

impl Call {
    /// A call, `peer` being who made it; none on a client.
    #[inline]
    pub(crate) fn new(
        method: &'static Method,
        metadata: Metadata,
        deadline: Option<Deadline>,
        peer: Option<Arc<Peer>>,
        wire: Wire,
    ) -> Self {
        let (reply, extensions) = (Reply::default(), Extensions::default());
        Self { method, metadata, deadline, peer, reply, extensions, wire }
    }

    /// What is called.
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// The request's metadata: on a server as the client sent it, in a client's interceptor as it will be sent.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, to be changed.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// When the call fails unless it is done; none: never.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// The time left until the deadline; none: there is no deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.remaining(Instant::now()))
    }

    /// Makes the deadline `timeout` from now, unless it is earlier already.
    pub fn limit_time(&mut self, timeout: Duration) {
        let deadline = Deadline::after(Instant::now(), timeout);
        self.deadline = Deadline::earliest(self.deadline, Some(deadline));
    }

    /// Who is at the other end. None in a client's interceptor: the call has no connection yet.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_deref()
    }

    /// Adds metadata that goes to the client before the first reply. On a server only; once a reply has been sent it is
    /// too late, and nothing happens.
    ///
    /// # Errors
    /// The name or the value cannot be sent.
    pub fn add_reply_metadata(&mut self, name: &str, value: &str) -> Result<(), MetadataError> {
        self.change_reply_metadata(|metadata| metadata.append(name, value))
    }

    /// Like [`add_reply_metadata`](Self::add_reply_metadata), for a value of bytes; the name ends in `-bin`.
    ///
    /// # Errors
    /// The name cannot be sent.
    pub fn add_reply_metadata_bin(
        &mut self,
        name: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<(), MetadataError> {
        self.change_reply_metadata(|metadata| metadata.append_bin(name, value))
    }

    fn change_reply_metadata(
        &mut self,
        change: impl FnOnce(&mut Metadata) -> Result<(), MetadataError>,
    ) -> Result<(), MetadataError> {
        match &self.wire.link {
            Some(link) => link.change_reply_metadata(change),
            None => change(self.reply.metadata_mut()),
        }
    }

    /// Sends the metadata that goes before the first reply now, rather than with the first reply: for a stream of replies
    /// whose first may be long in coming. On a server only, and of a call that streams.
    pub fn send_reply_metadata(&mut self) {
        if let Some(link) = &self.wire.link {
            link.send_head();
        }
    }

    /// Adds metadata that goes to the client after the last reply. On a server only.
    ///
    /// # Errors
    /// The name or the value cannot be sent.
    pub fn add_reply_trailer(&mut self, name: &str, value: &str) -> Result<(), MetadataError> {
        self.reply.trailers_mut().append(name, value)
    }

    /// All metadata that goes to the client after the last reply, to be changed. On a server only.
    pub fn reply_trailers_mut(&mut self) -> &mut Metadata {
        self.reply.trailers_mut()
    }

    /// Whether the one request of a unary or server-streaming call came compressed.
    pub fn request_compressed(&self) -> bool {
        self.wire.compressed
    }

    /// Compresses replies from here on, or no more, where the client can read it. The first reply of a stream must come
    /// after the first `true`. On a server only.
    pub fn compress_replies(&mut self, compress: bool) {
        self.wire.compress = compress;
        if let (Some(link), true) = (&self.wire.link, compress) {
            link.announce(self.wire.sender.encoding());
        }
    }

    /// A value that an interceptor has left for those further in.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// Leaves a value, one of each type, for those further in.
    pub fn set_extension<T: Send + Sync + 'static>(&mut self, value: T) {
        self.extensions.set(value);
    }

    pub(crate) fn encode<M: Message>(&self, reply: &M) -> Result<Bytes> {
        self.wire.sender.envelope(reply, self.wire.compress)
    }

    pub(crate) fn decode<M: Message>(&self, request: &Bytes) -> Result<M> {
        self.wire.sender.dialect().codec().decode_request(request, &self.wire.limits)
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// How the reply's head announces compression.
    pub(crate) fn reply_encoding(&self) -> Encoding {
        if self.wire.compress { self.wire.sender.encoding() } else { Encoding::Identity }
    }

    /// The reply so far, taken out.
    pub(crate) fn take_reply(&mut self) -> Reply {
        std::mem::take(&mut self.reply)
    }

    pub(crate) fn into_request(self) -> (Metadata, Option<Deadline>) {
        (self.metadata, self.deadline)
    }
}

impl Wire {
    pub(crate) fn new(sender: Sender, limits: Limits, link: Option<Arc<Link>>) -> Self {
        Self { sender, limits, compressed: false, compress: false, link }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("sender", &self.sender)
            .field("compress", &self.compress)
            .finish_non_exhaustive()
    }
}

/// Values by their type, one of each: a few, and mostly none.
#[derive(Default)]
struct Extensions(Vec<Box<dyn Any + Send + Sync>>);

impl Extensions {
    fn get<T: 'static>(&self) -> Option<&T> {
        self.0.iter().find_map(|value| value.downcast_ref())
    }

    fn set<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.retain(|value| !value.is::<T>());
        self.0.push(Box::new(value));
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}
