//! The health service, as gRPC's doc/health-checking.md has it.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use farcall::health::{Health, HealthCheckRequest, HealthClient, HealthListRequest, ServingStatus};
use farcall::{Channel, Code, Server};
use tokio::sync::oneshot;

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

/// A server with nothing but health, and what stops it.
async fn server(health: Health) -> (HealthClient, oneshot::Sender<()>) {
    let (stop, stopped) = oneshot::channel();
    let server = Server::new().add(health).listen("tcp://127.0.0.1:0").shutdown_on(stopped);
    let bound = server.bind().await.unwrap();
    let endpoint = bound.endpoint().to_string();
    tokio::spawn(bound.run());
    (HealthClient::new(Channel::connect(endpoint).await.unwrap()), stop)
}

#[tokio::test]
async fn every_service_and_the_server_as_a_whole_serve_from_the_start() {
    let client = HealthClient::new(Server::new().health().in_process());
    for service in ["", "grpc.health.v1.Health"] {
        let reply = client.check(of(service)).await.unwrap();
        assert_eq!(reply.status, ServingStatus::SERVING, "{service:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_not_known_is_not_found() {
    let client = HealthClient::new(Server::new().health().in_process());
    let status = client.check(of("nobody.Knows")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains("nobody.Knows"), "{status}");
    let long = client.check(of(&"x".repeat(513))).await.unwrap_err();
    assert_eq!(long.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_was_said_before_the_server_began_stands() {
    let health = Health::new();
    health.set("grpc.health.v1.Health", ServingStatus::NOT_SERVING);
    let client = HealthClient::new(Server::new().add(health.clone()).in_process());
    let reply = client.check(of("grpc.health.v1.Health")).await.unwrap();
    assert_eq!(reply.status, ServingStatus::NOT_SERVING);
    assert_eq!(health.get(""), Some(ServingStatus::SERVING));
}

#[tokio::test]
async fn a_list_tells_all_services_but_not_more_than_a_hundred() {
    let health = Health::new();
    let client = HealthClient::new(Server::new().add(health.clone()).in_process());
    let list = client.list(HealthListRequest {}).await.unwrap();
    let mut names: Vec<_> = list.statuses.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["", "grpc.health.v1.Health"]);
    for number in 0..99 {
        health.set(format!("service.{number}"), ServingStatus::SERVING);
    }
    let status = client.list(HealthListRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_watch_tells_the_state_and_each_change_of_it() {
    let health = Health::new();
    let client = HealthClient::new(Server::new().add(health.clone()).in_process());
    let mut states = client.watch(of("a.B")).await.unwrap();
    let mut next = async || states.receive().await.unwrap().unwrap().status;
    assert_eq!(next().await, ServingStatus::SERVICE_UNKNOWN);
    health.set("a.B", ServingStatus::SERVING);
    assert_eq!(next().await, ServingStatus::SERVING);
    // What stays as it is, and what is another's, is not told.
    health.set("a.B", ServingStatus::SERVING);
    health.set("c.D", ServingStatus::NOT_SERVING);
    health.set("a.B", ServingStatus::NOT_SERVING);
    assert_eq!(next().await, ServingStatus::NOT_SERVING);
}

#[tokio::test]
async fn a_server_that_stops_serves_nothing_and_its_watches_end() {
    let health = Health::new();
    let (client, stop) = server(health.clone()).await;
    let mut states = client.watch(of("")).await.unwrap();
    assert_eq!(states.receive().await.unwrap().unwrap().status, ServingStatus::SERVING);
    stop.send(()).unwrap();
    let last = tokio::time::timeout(Duration::from_secs(5), async {
        assert_eq!(states.receive().await.unwrap().unwrap().status, ServingStatus::NOT_SERVING);
        states.receive().await.unwrap_err()
    });
    assert_eq!(last.await.unwrap().code(), Code::Unavailable);
    health.set("", ServingStatus::SERVING);
    assert_eq!(health.get(""), Some(ServingStatus::NOT_SERVING));
}

#[tokio::test]
async fn a_connection_may_watch_eight_services() {
    let (client, _stop) = server(Health::new()).await;
    let mut watches = Vec::new();
    for _ in 0..8 {
        let mut states = client.watch(of("")).await.unwrap();
        states.receive().await.unwrap().unwrap();
        watches.push(states);
    }
    let refused = match client.watch(of("")).await {
        Ok(mut states) => states.receive().await.unwrap_err(),
        Err(status) => status,
    };
    assert_eq!(refused.code(), Code::ResourceExhausted);
    watches.pop();
    let again = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            if let Ok(mut states) = client.watch(of("")).await
                && states.receive().await.is_ok()
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    again.await.unwrap();
}
