//! The generated code compiles, in a crate that is strict, and does what the `.proto` says.

#![deny(warnings, missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
#![allow(clippy::unwrap_used)]

extern crate farcall as real;
extern crate self as farcall;

#[allow(missing_docs, unreachable_pub, unused, clippy::pedantic)]
mod runtime;
pub use runtime::*;

/// What `farcall::include_protos!()` includes, each in a tree of its own.
mod greet {
    include!("snapshots/greet.rs");
}
mod names {
    include!("snapshots/names.rs");
}
mod shop {
    include!("snapshots/shop.rs");
}

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use buffa::Message;
use greet::greet::v1::{Greeter, GreeterClient, HelloReply, HelloRequest, Number};

struct Hello;

impl Greeter for Hello {
    async fn say_hello(&self, request: HelloRequest, _: &mut Call) -> Result<HelloReply> {
        Ok(HelloReply { message: format!("Hello, {}!", request.name) })
    }

    async fn count_to(&self, _: Number, _: &mut Outbound<Number>, _: &mut Call) -> Result<()> {
        Ok(())
    }

    async fn sum(&self, _: &mut Inbound<Number>, _: &mut Call) -> Result<Number> {
        Err(Status)
    }

    async fn running_sum(
        &self,
        _: &mut Inbound<Number>,
        _: &mut Outbound<Number>,
        _: &mut Call,
    ) -> Result<()> {
        Ok(())
    }
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

#[test]
fn a_service_knows_its_methods() {
    let service = Hello.into_service();
    assert_eq!(service.name, "greet.v1.Greeter");
    let methods: Vec<_> = service
        .methods
        .iter()
        .map(|method| (method.path, method.kind, method.idempotency))
        .collect();
    assert_eq!(
        methods,
        [
            ("/greet.v1.Greeter/SayHello", Kind::Unary, Idempotency::NoSideEffects),
            ("/greet.v1.Greeter/CountTo", Kind::ServerStreaming, Idempotency::Unknown),
            ("/greet.v1.Greeter/Sum", Kind::ClientStreaming, Idempotency::Unknown),
            ("/greet.v1.Greeter/RunningSum", Kind::Bidirectional, Idempotency::Unknown),
        ]
    );
}

#[test]
fn shared_state_is_a_service_as_well() {
    let shared = Arc::new(Hello);
    let reply = ready(shared.say_hello(HelloRequest { name: "Ada".into() }, &mut Call));
    assert_eq!(reply.unwrap().message, "Hello, Ada!");
    assert_eq!(shared.into_service().name, "greet.v1.Greeter");
}

#[test]
fn a_client_is_made_of_a_channel_or_of_a_fake_service() {
    let client = GreeterClient::new(Channel);
    let fake = GreeterClient::new(Hello.into_service());
    assert_eq!(
        client.clone().say_hello(HelloRequest::default()).method,
        fake.say_hello(HelloRequest::default()).method
    );
    assert_eq!(fake.sum().method.name, "Sum");
    assert_eq!(ready(fake.count_to(Number { value: 3 })).unwrap_err(), Status);
}

#[test]
fn messages_go_over_the_wire_and_back() {
    let line = shop::shop::v1::order::Line {
        price: shop::r#type::v1::Money { cents: 7, ..Default::default() }.into(),
        ..Default::default()
    };
    let order = shop::shop::v1::Order { lines: vec![line], ..Default::default() };
    let bytes = order.encode_to_vec();
    assert_eq!(shop::shop::v1::Order::decode_from_slice(&bytes).unwrap(), order);
}

#[test]
fn a_service_without_a_package_is_called_by_its_bare_name() {
    let pending = shop::NotesClient::new(Channel).add(shop::Note::default());
    assert_eq!(pending.method.path, "/Notes/Add");
}

#[test]
fn names_that_mean_something_in_rust_can_be_called() {
    use names::names::{GreeterClient_, Nothing, SelfClient, matchClient};
    let client = GreeterClient_::new(Channel);
    let copy = client.clone();
    assert_eq!(copy.new_(Nothing {}).method.path, "/names.Greeter/New");
    assert_eq!(copy.r#match().method.name, "Match");
    assert_eq!(copy.self_(Nothing {}).method.name, "Self");
    assert_eq!(matchClient::new(Channel).r#match(Nothing {}).method.path, "/names.match/Match");
    assert_eq!(SelfClient::new(Channel).r#match(Nothing {}).method.path, "/names.Self/Match");
}
