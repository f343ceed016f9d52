//! The fourteen core cases of the gRPC interop suite, as a client: each asserts what the suite's description asks for.

use std::time::{Duration, Instant};

use farcall::{Channel, Code, Inbound, Metadata, Outbound};

use crate::proto::grpc::testing::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingOutputCallRequest, StreamingOutputCallResponse,
    TestServiceClient, UnimplementedServiceClient,
};
use crate::test_service::{ECHO_INITIAL, ECHO_TRAILING};
use crate::verdict::{Verdict, equal, fails_with, holds};

const LARGE_REQUEST: usize = 271_828;
const LARGE_RESPONSE: i32 = 314_159;
const REQUEST_SIZES: [usize; 4] = [27_182, 8, 1_828, 45_904];
const RESPONSE_SIZES: [i32; 4] = [31_415, 9, 2_653, 58_979];
const SPECIAL_MESSAGE: &str =
    "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n";

/// Runs the case called `name`.
///
/// # Errors
/// What was not as the suite asks for, or that it has no such case.
pub async fn run(name: &str, channel: &Channel) -> Verdict {
    let client = &TestServiceClient::new(channel.clone());
    match name {
        "empty_unary" => equal("answer", &client.empty_call(Empty {}).await?, &Empty {}),
        "large_unary" => large(&client.unary_call(large_request()).await?),
        "client_streaming" => client_streaming(client).await,
        "server_streaming" => server_streaming(client).await,
        "ping_pong" => ping_pong(client).await,
        "empty_stream" => empty_stream(client).await,
        "timeout_on_sleeping_server" => timeout_on_sleeping_server(client).await,
        "cancel_after_begin" => cancel_after_begin(client).await,
        "cancel_after_first_response" => cancel_after_first_response(client).await,
        "status_code_and_message" => status_code_and_message(client).await,
        "special_status_message" => unary_status(client, SPECIAL_MESSAGE).await,
        "unimplemented_method" => {
            let result = client.unimplemented_call(Empty {}).await;
            fails_with(Code::Unimplemented, result).map(drop)
        }
        "unimplemented_service" => {
            let client = UnimplementedServiceClient::new(channel.clone());
            fails_with(Code::Unimplemented, client.unimplemented_call(Empty {}).await).map(drop)
        }
        "custom_metadata" => custom_metadata(client).await,
        _ => Err(format!("no case is called {name}").into()),
    }
}

fn zeros(size: usize) -> Payload {
    Payload { body: vec![0; size], ..Payload::default() }
}

fn large_request() -> SimpleRequest {
    SimpleRequest {
        response_size: LARGE_RESPONSE,
        payload: zeros(LARGE_REQUEST).into(),
        ..SimpleRequest::default()
    }
}

fn large(response: &SimpleResponse) -> Verdict {
    let expected = SimpleResponse { payload: zeros(LARGE_RESPONSE.try_into()?).into() };
    equal("answer", response, &expected)
}

/// A request for one answer.
fn duplex(response_size: i32, request_size: usize) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest {
        response_parameters: vec![ResponseParameters { size: response_size, interval_us: 0 }],
        payload: zeros(request_size).into(),
        ..StreamingOutputCallRequest::default()
    }
}

/// The next answer, which has to be there and to be `size` zeros.
async fn receives(replies: &mut Inbound<StreamingOutputCallResponse>, size: i32) -> Verdict {
    let expected = StreamingOutputCallResponse { payload: zeros(size.try_into()?).into() };
    equal("answer", &replies.receive().await?, &Some(expected))
}

async fn client_streaming(client: &TestServiceClient) -> Verdict {
    let (mut requests, reply) = client.streaming_input_call().await?;
    for size in REQUEST_SIZES {
        requests.send(StreamingInputCallRequest { payload: zeros(size).into() }).await?;
    }
    requests.finish().await?;
    equal("aggregated_payload_size", &reply.await?.aggregated_payload_size, &74_922)
}

async fn server_streaming(client: &TestServiceClient) -> Verdict {
    let response_parameters =
        RESPONSE_SIZES.map(|size| ResponseParameters { size, interval_us: 0 }).into();
    let request =
        StreamingOutputCallRequest { response_parameters, ..StreamingOutputCallRequest::default() };
    let mut replies = client.streaming_output_call(request).await?;
    for size in RESPONSE_SIZES {
        receives(&mut replies, size).await?;
    }
    equal("after the last answer", &replies.receive().await?, &None)
}

async fn ping_pong(client: &TestServiceClient) -> Verdict {
    let (mut requests, mut replies) = client.full_duplex_call().await?;
    for (request_size, response_size) in REQUEST_SIZES.into_iter().zip(RESPONSE_SIZES) {
        requests.send(duplex(response_size, request_size)).await?;
        receives(&mut replies, response_size).await?;
    }
    requests.finish().await?;
    equal("after the last answer", &replies.receive().await?, &None)
}

async fn empty_stream(client: &TestServiceClient) -> Verdict {
    let (mut requests, mut replies) = client.full_duplex_call().await?;
    requests.finish().await?;
    equal("answer", &replies.receive().await?, &None)
}

/// The deadline may pass at any step.
async fn timeout_on_sleeping_server(client: &TestServiceClient) -> Verdict {
    let started = Instant::now();
    let pending = client.full_duplex_call().timeout(Duration::from_millis(1));
    let result = async {
        let (mut requests, mut replies) = pending.await?;
        requests
            .send(StreamingOutputCallRequest {
                payload: zeros(27_182).into(),
                ..StreamingOutputCallRequest::default()
            })
            .await?;
        replies.receive().await
    };
    fails_with(Code::DeadlineExceeded, result.await)?;
    let took = started.elapsed();
    holds(took < Duration::from_secs(1), || format!("a deadline of 1 ms passed after {took:?}"))
}

async fn cancel_after_begin(client: &TestServiceClient) -> Verdict {
    let (requests, reply) = client.streaming_input_call().await?;
    drop(requests);
    fails_with(Code::Cancelled, reply.await).map(drop)
}

async fn cancel_after_first_response(client: &TestServiceClient) -> Verdict {
    let (mut requests, mut replies) = client.full_duplex_call().await?;
    requests.send(duplex(31_415, 27_182)).await?;
    receives(&mut replies, 31_415).await?;
    drop(requests);
    fails_with(Code::Cancelled, replies.receive().await).map(drop)
}

async fn status_code_and_message(client: &TestServiceClient) -> Verdict {
    const MESSAGE: &str = "test status message";
    unary_status(client, MESSAGE).await?;
    let (mut requests, mut replies) = client.full_duplex_call().await?;
    requests
        .send(StreamingOutputCallRequest {
            response_status: unknown(MESSAGE).into(),
            ..StreamingOutputCallRequest::default()
        })
        .await?;
    requests.finish().await?;
    let status = fails_with(Code::Unknown, replies.receive().await)?;
    equal("message", &status.message(), &MESSAGE)
}

async fn unary_status(client: &TestServiceClient, message: &str) -> Verdict {
    let request =
        SimpleRequest { response_status: unknown(message).into(), ..SimpleRequest::default() };
    let status = fails_with(Code::Unknown, client.unary_call(request).await)?;
    equal("message", &status.message(), &message)
}

fn unknown(message: &str) -> EchoStatus {
    EchoStatus { code: 2, message: message.to_owned() }
}

const INITIAL_VALUE: &str = "test_initial_metadata_value";
const TRAILING_VALUE: [u8; 3] = [0xab; 3];

async fn custom_metadata(client: &TestServiceClient) -> Verdict {
    let call = client
        .unary_call(large_request())
        .metadata(ECHO_INITIAL, INITIAL_VALUE)
        .metadata_bin(ECHO_TRAILING, TRAILING_VALUE);
    let (response, beside) = call.with_metadata().await?;
    large(&response)?;
    echoed(beside.metadata(), beside.trailers())?;

    let call = client
        .full_duplex_call()
        .metadata(ECHO_INITIAL, INITIAL_VALUE)
        .metadata_bin(ECHO_TRAILING, TRAILING_VALUE);
    let (requests, mut replies) = call.await?;
    one_large(requests, &mut replies).await?;
    let initial = replies.metadata().await?;
    echoed(&initial, &replies.trailers().ok_or("no trailers after the end")?)
}

async fn one_large(
    mut requests: Outbound<StreamingOutputCallRequest>,
    replies: &mut Inbound<StreamingOutputCallResponse>,
) -> Verdict {
    requests.send(duplex(LARGE_RESPONSE, LARGE_REQUEST)).await?;
    requests.finish().await?;
    receives(replies, LARGE_RESPONSE).await?;
    equal("after the last answer", &replies.receive().await?, &None)
}

fn echoed(initial: &Metadata, trailing: &Metadata) -> Verdict {
    let initial: Vec<_> = initial.get_all(ECHO_INITIAL).collect();
    equal("initial metadata", &initial, &vec![INITIAL_VALUE])?;
    let trailing: Vec<_> = trailing.get_all_bin(ECHO_TRAILING).collect();
    equal("trailing metadata", &trailing, &vec![TRAILING_VALUE.to_vec()])
}
