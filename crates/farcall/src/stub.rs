//! What generated code names; users meet it only through generated code.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use farcall_core::{Kind, Message, Method, Result};

use crate::call::Call;
use crate::link::Link;
use crate::messages::{Inbound, Outbound};
use crate::service::{Finished, Handler, Route, Service};

pub use crate::protos::{Protos, any_from_json, any_to_json, register};

pub use crate::client::stub::{bidirectional, client_streaming, server_streaming, unary};

/// A method with one request and one reply.
pub trait Unary<S>: 'static {
    /// The request's type.
    type Request: Message;
    /// The reply's type.
    type Reply: Message;
    /// Runs the method.
    fn call(
        service: &S,
        request: Self::Request,
        call: &mut Call,
    ) -> impl Future<Output = Result<Self::Reply>> + Send;
}

/// A method with one request and many replies.
pub trait ServerStreaming<S>: 'static {
    /// The request's type.
    type Request: Message;
    /// The replies' type.
    type Reply: Message;
    /// Runs the method.
    fn call(
        service: &S,
        request: Self::Request,
        replies: &mut Outbound<Self::Reply>,
        call: &mut Call,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// A method with many requests and one reply.
pub trait ClientStreaming<S>: 'static {
    /// The requests' type.
    type Request: Message;
    /// The reply's type.
    type Reply: Message;
    /// Runs the method.
    fn call(
        service: &S,
        requests: &mut Inbound<Self::Request>,
        call: &mut Call,
    ) -> impl Future<Output = Result<Self::Reply>> + Send;
}

/// A method with many requests and many replies.
pub trait Bidirectional<S>: 'static {
    /// The requests' type.
    type Request: Message;
    /// The replies' type.
    type Reply: Message;
    /// Runs the method.
    fn call(
        service: &S,
        requests: &mut Inbound<Self::Request>,
        replies: &mut Outbound<Self::Reply>,
        call: &mut Call,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Puts a service together, one method after the other.
#[allow(missing_debug_implementations)]
pub struct ServiceBuilder<S> {
    name: &'static str,
    service: Arc<S>,
    routes: Vec<Route>,
    descriptors: Option<&'static [u8]>,
}

impl<S: Send + Sync + 'static> ServiceBuilder<S> {
    /// Begins the service called `name`, whose methods run on `service`.
    pub fn new(name: &'static str, service: S) -> Self {
        Self { name, service: Arc::new(service), routes: Vec::new(), descriptors: None }
    }

    /// Says what .proto files the service comes from.
    #[must_use]
    pub fn protos(mut self, protos: &'static Protos) -> Self {
        protos.register_types();
        self.descriptors = Some(protos.descriptors());
        self
    }

    /// Adds a method with one request and one reply.
    #[must_use]
    pub fn unary<M: Unary<S>>(self, method: &'static Method) -> Self {
        debug_assert_eq!(method.kind, Kind::Unary);
        let service = Arc::clone(&self.service);
        self.route(
            method,
            Handler::Unary(Arc::new(move |mut call, request| {
                let service = Arc::clone(&service);
                Box::pin(async move {
                    let result = run_unary::<S, M>(&service, &request, &mut call).await;
                    Finished::new(call, result.map(Some))
                })
            })),
        )
    }

    /// Adds a method with one request and many replies.
    #[must_use]
    pub fn server_streaming<M: ServerStreaming<S>>(self, method: &'static Method) -> Self {
        debug_assert_eq!(method.kind, Kind::ServerStreaming);
        let service = Arc::clone(&self.service);
        self.route(
            method,
            Handler::Replies(Arc::new(move |mut call, request, link| {
                let service = Arc::clone(&service);
                Box::pin(async move {
                    let result =
                        run_server_streaming::<S, M>(&service, &request, link, &mut call).await;
                    Finished::new(call, result.map(|()| None))
                })
            })),
        )
    }

    /// Adds a method with many requests and one reply.
    #[must_use]
    pub fn client_streaming<M: ClientStreaming<S>>(self, method: &'static Method) -> Self {
        debug_assert_eq!(method.kind, Kind::ClientStreaming);
        let service = Arc::clone(&self.service);
        self.route(
            method,
            Handler::Requests(Arc::new(move |mut call, link| {
                let service = Arc::clone(&service);
                Box::pin(async move {
                    let result = run_client_streaming::<S, M>(&service, link, &mut call).await;
                    Finished::new(call, result.map(Some))
                })
            })),
        )
    }

    /// Adds a method with many requests and many replies.
    #[must_use]
    pub fn bidirectional<M: Bidirectional<S>>(self, method: &'static Method) -> Self {
        debug_assert_eq!(method.kind, Kind::Bidirectional);
        let service = Arc::clone(&self.service);
        self.route(
            method,
            Handler::Requests(Arc::new(move |mut call, link| {
                let service = Arc::clone(&service);
                Box::pin(async move {
                    let mut requests = Inbound::on_server(Arc::clone(&link), call.wire().limits);
                    let mut replies = Outbound::on_server(link, call.wire().sender);
                    let result = M::call(&service, &mut requests, &mut replies, &mut call).await;
                    Finished::new(call, result.map(|()| None))
                })
            })),
        )
    }

    /// The service.
    pub fn build(self) -> Service {
        Service::new(self.name, self.routes).with_descriptors(self.descriptors)
    }

    fn route(mut self, method: &'static Method, handler: Handler) -> Self {
        self.routes.push(Route { method, handler });
        self
    }
}

async fn run_unary<S, M: Unary<S>>(service: &S, request: &Bytes, call: &mut Call) -> Result<Bytes> {
    let request = call.decode(request)?;
    let reply = M::call(service, request, call).await?;
    call.encode(&reply)
}

async fn run_server_streaming<S, M: ServerStreaming<S>>(
    service: &S,
    request: &Bytes,
    link: Arc<Link>,
    call: &mut Call,
) -> Result<()> {
    let request = call.decode(request)?;
    let mut replies = Outbound::on_server(link, call.wire().sender);
    M::call(service, request, &mut replies, call).await
}

async fn run_client_streaming<S, M: ClientStreaming<S>>(
    service: &S,
    link: Arc<Link>,
    call: &mut Call,
) -> Result<Bytes> {
    let mut requests = Inbound::on_server(link, call.wire().limits);
    let reply = M::call(service, &mut requests, call).await?;
    call.encode(&reply)
}
