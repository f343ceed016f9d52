//! A stand-in for the `farcall` crate: the names that generated code uses, with just enough behind them to compile it and
//! to see what it does. Sends nothing.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use real::json;
pub use {buffa, buffa_types, serde};

/// What a handler or a call fails with.
#[derive(Debug, PartialEq, Eq)]
pub struct Status;
pub type Result<T, E = Status> = std::result::Result<T, E>;

#[derive(Debug, Default)]
pub struct Call;
#[derive(Debug)]
pub struct Inbound<T>(PhantomData<T>);
#[derive(Debug)]
pub struct Outbound<T>(PhantomData<T>);

/// A call that was made and is never sent: it tells what it would be.
#[derive(Debug)]
pub struct Pending<T> {
    pub method: &'static Method,
    reply: PhantomData<fn() -> T>,
}

impl<T> Future for Pending<T> {
    type Output = Result<T>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<T>> {
        Poll::Ready(Err(Status))
    }
}

#[derive(Clone, Debug)]
pub struct Channel;

impl From<Service> for Channel {
    fn from(_: Service) -> Self {
        Self
    }
}

#[derive(Debug)]
pub struct Service {
    pub name: &'static str,
    pub methods: Vec<&'static Method>,
    pub descriptors: &'static [u8],
}

#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    pub service: &'static str,
    pub name: &'static str,
    pub path: &'static str,
    pub kind: Kind,
    pub idempotency: Idempotency,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unary,
    ClientStreaming,
    ServerStreaming,
    Bidirectional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    Unknown,
    NoSideEffects,
    Idempotent,
}

pub mod stub {
    use super::{
        Call, Channel, Inbound, Kind, Method, Outbound, Pending, PhantomData, Result, Service,
    };
    use buffa::Message;
    use buffa::type_registry::TypeRegistry;
    pub use real::stub::register;

    pub struct Protos {
        descriptors: &'static [u8],
        types: fn(&mut TypeRegistry),
    }

    impl Protos {
        pub const fn new(descriptors: &'static [u8], types: fn(&mut TypeRegistry)) -> Self {
            Self { descriptors, types }
        }

        pub fn register_types(&self) {
            (self.types)(&mut TypeRegistry::new());
        }
    }

    pub trait Unary<S> {
        type Request: Message;
        type Reply: Message;
        fn call(
            service: &S,
            request: Self::Request,
            call: &mut Call,
        ) -> impl Future<Output = Result<Self::Reply>> + Send;
    }

    pub trait ServerStreaming<S> {
        type Request: Message;
        type Reply: Message;
        fn call(
            service: &S,
            request: Self::Request,
            replies: &mut Outbound<Self::Reply>,
            call: &mut Call,
        ) -> impl Future<Output = Result<()>> + Send;
    }

    pub trait ClientStreaming<S> {
        type Request: Message;
        type Reply: Message;
        fn call(
            service: &S,
            requests: &mut Inbound<Self::Request>,
            call: &mut Call,
        ) -> impl Future<Output = Result<Self::Reply>> + Send;
    }

    pub trait Bidirectional<S> {
        type Request: Message;
        type Reply: Message;
        fn call(
            service: &S,
            requests: &mut Inbound<Self::Request>,
            replies: &mut Outbound<Self::Reply>,
            call: &mut Call,
        ) -> impl Future<Output = Result<()>> + Send;
    }

    pub struct ServiceBuilder<S> {
        name: &'static str,
        methods: Vec<&'static Method>,
        descriptors: &'static [u8],
        _service: S,
    }

    impl<S: Send + Sync + 'static> ServiceBuilder<S> {
        pub fn new(name: &'static str, service: S) -> Self {
            Self { name, methods: Vec::new(), descriptors: &[], _service: service }
        }

        pub fn protos(mut self, protos: &'static Protos) -> Self {
            protos.register_types();
            self.descriptors = protos.descriptors;
            self
        }

        pub fn unary<M: Unary<S>>(self, method: &'static Method) -> Self {
            self.add(method, Kind::Unary)
        }

        pub fn server_streaming<M: ServerStreaming<S>>(self, method: &'static Method) -> Self {
            self.add(method, Kind::ServerStreaming)
        }

        pub fn client_streaming<M: ClientStreaming<S>>(self, method: &'static Method) -> Self {
            self.add(method, Kind::ClientStreaming)
        }

        pub fn bidirectional<M: Bidirectional<S>>(self, method: &'static Method) -> Self {
            self.add(method, Kind::Bidirectional)
        }

        fn add(mut self, method: &'static Method, kind: Kind) -> Self {
            assert_eq!(method.kind, kind, "{}", method.path);
            self.methods.push(method);
            self
        }

        pub fn build(self) -> Service {
            Service { name: self.name, methods: self.methods, descriptors: self.descriptors }
        }
    }

    pub fn unary<Request, Reply>(
        _: &Channel,
        method: &'static Method,
        _: Request,
    ) -> Pending<Reply> {
        Pending { method, reply: PhantomData }
    }

    pub fn server_streaming<Request, Reply>(
        _: &Channel,
        method: &'static Method,
        _: Request,
    ) -> Pending<Inbound<Reply>> {
        Pending { method, reply: PhantomData }
    }

    pub fn client_streaming<Request, Reply>(
        _: &Channel,
        method: &'static Method,
    ) -> Pending<(Outbound<Request>, Pending<Reply>)> {
        Pending { method, reply: PhantomData }
    }

    pub fn bidirectional<Request, Reply>(
        _: &Channel,
        method: &'static Method,
    ) -> Pending<(Outbound<Request>, Inbound<Reply>)> {
        Pending { method, reply: PhantomData }
    }
}
