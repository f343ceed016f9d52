//! A service as the server sees it: a name, its methods, and for each the code that takes a call.
//!
//! Generated code builds services through [`crate::stub`]; nothing here knows a connection.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use farcall_core::{Encoding, Method, Result};

use crate::call::Call;
use crate::interceptor::{BoxFuture, Reply};
use crate::link::Link;

/// A service with its methods, ready to be added to a server.
#[derive(Clone)]
pub struct Service {
    name: &'static str,
    routes: Arc<[Route]>,
    descriptors: Option<&'static [u8]>,
    attendant: Option<Arc<dyn Attendant>>,
}

/// Something behind a service that has to do with the server as a whole.
pub(crate) trait Attendant: Send + Sync {
    /// The server is about to take calls for these services.
    fn begin(&self, services: &[Service]);

    /// The server takes no more calls; those under way are finished.
    fn end(&self) {}
}

/// One method and the code behind it.
pub(crate) struct Route {
    pub(crate) method: &'static Method,
    pub(crate) handler: Handler,
}

/// The code behind a method, its types erased: what it is given depends on which sides stream.
#[derive(Clone)]
pub(crate) enum Handler {
    /// One request, one reply.
    Unary(Arc<dyn Fn(BoxCall, Bytes) -> BoxFuture<Finished> + Send + Sync>),
    /// One request; the replies go through the link.
    Replies(Arc<dyn Fn(BoxCall, Bytes, Arc<Link>) -> BoxFuture<Finished> + Send + Sync>),
    /// The requests come through the link, and the replies go through it if there are many.
    Requests(Arc<dyn Fn(BoxCall, Arc<Link>) -> BoxFuture<Finished> + Send + Sync>),
}

/// A call on its way to its handler: it is large, and goes through some hands until it is at rest in the handler's future.
pub(crate) type BoxCall = Box<Call>;

/// How a handler ended.
pub(crate) struct Finished {
    /// What goes beside the replies.
    pub(crate) reply: Reply,
    /// How compressed replies are.
    pub(crate) encoding: Encoding,
    /// The reply's envelope when the method has one reply; none when the replies went through the link.
    pub(crate) result: Result<Option<Bytes>>,
}

impl Finished {
    pub(crate) fn new(mut call: BoxCall, result: Result<Option<Bytes>>) -> Self {
        Self { reply: call.take_reply(), encoding: call.reply_encoding(), result }
    }
}

impl Service {
    pub(crate) fn new(name: &'static str, routes: Vec<Route>) -> Self {
        Self { name, routes: routes.into(), descriptors: None, attendant: None }
    }

    pub(crate) fn with_descriptors(mut self, descriptors: Option<&'static [u8]>) -> Self {
        self.descriptors = descriptors;
        self
    }

    pub(crate) fn with_attendant(mut self, attendant: Arc<dyn Attendant>) -> Self {
        self.attendant = Some(attendant);
        self
    }

    pub(crate) fn attendant(&self) -> Option<&dyn Attendant> {
        self.attendant.as_deref()
    }

    /// The full name: package and service, `greet.v1.Greeter`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The methods, in the order of the .proto file.
    pub fn methods(&self) -> impl Iterator<Item = &'static Method> {
        self.routes.iter().map(|route| route.method)
    }

    /// The service's file and all that it imports, as the bytes of a `google.protobuf.FileDescriptorSet`. None for a service
    /// that was not generated from a file.
    #[doc(hidden)]
    pub fn descriptors(&self) -> Option<&'static [u8]> {
        self.descriptors
    }

    pub(crate) fn routes(&self) -> &[Route] {
        &self.routes
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods().map(|method| method.name).collect();
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("methods", &methods)
            .finish_non_exhaustive()
    }
}

/// What a server can add.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "expected a service",
    note = "turn the value that implements the service's trait into one: `.add(value.into_service())`"
)]
pub trait IntoService {
    /// The service itself.
    fn into_service(self) -> Service;
}

impl IntoService for Service {
    fn into_service(self) -> Service {
        self
    }
}
