//! Calls that were provably not processed are sent again by themselves; nothing else is.

use std::time::Instant;

use bytes::{Buf, BytesMut};
use farcall::{Channel, Code};
use farcall_tests::{ProbeClient, Reply, Request};
use farcall_wire::event::{Event, StreamId};
use farcall_wire::fields::Fields;
use farcall_wire::http2::{Config, Engine, ErrorCode, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the scripted server does with a request.
#[derive(Clone, Copy)]
enum Act {
    Refuse,
    GoAwayBefore,
    Answer,
    BreakOff,
}

/// A server that acts on its connections' requests by the script, one act after the other.
async fn scripted(script: &'static [Act]) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut acts = script.iter();
        while acts.len() > 0 {
            let (connection, _) = listener.accept().await.unwrap();
            serve(connection, &mut acts).await;
        }
        script.len()
    });
    (endpoint, server)
}

async fn serve(mut connection: TcpStream, acts: &mut std::slice::Iter<'_, Act>) {
    let mut engine = Engine::new(Role::Server, Config::default(), Instant::now());
    let mut input = BytesMut::new();
    loop {
        while let Some(event) = engine.poll_event() {
            let Event::Request { stream, .. } = event else { continue };
            match acts.next() {
                Some(Act::Refuse) => engine.reset(stream, ErrorCode::RefusedStream),
                Some(Act::Answer) => answer(&mut engine, stream),
                Some(Act::GoAwayBefore) => {
                    // GOAWAY with last stream 0, by hand: nothing here was processed.
                    let frame = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                    connection.write_all(&frame).await.unwrap();
                    return;
                }
                Some(Act::BreakOff) | None => return,
            }
        }
        engine.fill(Instant::now());
        let output = engine.output();
        connection.write_all(output).await.unwrap();
        let written = output.len();
        output.advance(written);
        if acts.len() == 0 && engine.active_streams() == 0 {
            return;
        }
        match connection.read_buf(&mut input).await {
            Ok(0) | Err(_) => return,
            Ok(_) => engine.receive(&mut input, Instant::now()),
        }
    }
}

fn answer(engine: &mut Engine, stream: StreamId) {
    let head: Fields =
        [(":status", "200"), ("content-type", "application/grpc")].into_iter().collect();
    let trailers: Fields = [("grpc-status", "0")].into_iter().collect();
    engine.send_head(stream, &head, false).unwrap();
    engine.send_data(stream, vec![0, 0, 0, 0, 0].into(), false).unwrap();
    engine.send_trailers(stream, &trailers).unwrap();
    engine.done(stream);
}

async fn client(endpoint: &str) -> ProbeClient {
    ProbeClient::new(Channel::connect(endpoint).await.unwrap())
}

#[tokio::test]
async fn a_refused_stream_is_sent_again() {
    let (endpoint, server) = scripted(&[Act::Refuse, Act::Refuse, Act::Answer]).await;
    let reply = client(&endpoint).await.unary(Request::default()).await.unwrap();
    assert_eq!(reply, Reply::default());
    assert_eq!(server.await.unwrap(), 3);
}

#[tokio::test]
async fn a_stream_above_the_last_of_a_goaway_is_sent_again_on_another_connection() {
    let (endpoint, _server) = scripted(&[Act::GoAwayBefore, Act::Answer]).await;
    client(&endpoint).await.unary(Request::default()).await.unwrap();
}

#[tokio::test]
async fn a_stream_of_requests_that_was_refused_is_sent_again_whole() {
    let (endpoint, _server) = scripted(&[Act::Refuse, Act::Answer]).await;
    let client = client(&endpoint).await;
    let (mut requests, reply) = client.requests().await.unwrap();
    for number in 0..10 {
        // The call may have been answered already: the scripted server does not read.
        let _ = requests.send(Request { payload: vec![number], ..Request::default() }).await;
    }
    requests.finish().await.unwrap();
    reply.await.unwrap();
}

#[tokio::test]
async fn a_call_that_may_have_been_processed_is_not_sent_again() {
    let (endpoint, _server) = scripted(&[Act::BreakOff, Act::Answer]).await;
    let status = client(&endpoint).await.unary(Request::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains(&endpoint), "{status}");
}

#[tokio::test]
async fn a_server_that_refuses_for_ever_is_not_asked_for_ever() {
    let (endpoint, _server) = scripted(&[Act::Refuse; 20]).await;
    let status = client(&endpoint).await.unary(Request::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    assert!(status.message().contains("too often"), "{status}");
}
