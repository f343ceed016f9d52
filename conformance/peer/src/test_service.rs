//! grpc.testing.TestService: the server's side of the gRPC interop suite.

use std::time::Duration;

use farcall::{Call, Code, Inbound, Outbound, Result, Status};

use crate::pattern::payload_size;
use crate::proto::grpc::testing::{
    EchoStatus, Empty, Payload, ResponseParameters, SimpleRequest, SimpleResponse,
    StreamingInputCallRequest, StreamingInputCallResponse, StreamingOutputCallRequest,
    StreamingOutputCallResponse, TestService,
};

/// Metadata that comes back before the first answer.
pub const ECHO_INITIAL: &str = "x-grpc-test-echo-initial";
/// Metadata that comes back after the last answer.
pub const ECHO_TRAILING: &str = "x-grpc-test-echo-trailing-bin";

/// The service as the suite describes it.
#[derive(Debug)]
pub struct JudgedTestService;

impl TestService for JudgedTestService {
    async fn empty_call(&self, _: Empty, _: &mut Call) -> Result<Empty> {
        Ok(Empty {})
    }

    async fn unary_call(&self, request: SimpleRequest, call: &mut Call) -> Result<SimpleResponse> {
        echo_metadata(call)?;
        echo_status(request.response_status.as_option())?;
        known(request.response_type.is_known())?;
        Ok(SimpleResponse { payload: zeros(request.response_size)?.into() })
    }

    async fn streaming_output_call(
        &self,
        request: StreamingOutputCallRequest,
        replies: &mut Outbound<StreamingOutputCallResponse>,
        _: &mut Call,
    ) -> Result<()> {
        answer(&request, replies).await
    }

    async fn streaming_input_call(
        &self,
        requests: &mut Inbound<StreamingInputCallRequest>,
        _: &mut Call,
    ) -> Result<StreamingInputCallResponse> {
        let mut sum = 0_usize;
        while let Some(request) = requests.receive().await? {
            sum += request.payload.body.len();
        }
        let aggregated_payload_size = i32::try_from(sum).map_err(Status::out_of_range)?;
        Ok(StreamingInputCallResponse { aggregated_payload_size })
    }

    async fn full_duplex_call(
        &self,
        requests: &mut Inbound<StreamingOutputCallRequest>,
        replies: &mut Outbound<StreamingOutputCallResponse>,
        call: &mut Call,
    ) -> Result<()> {
        echo_metadata(call)?;
        while let Some(request) = requests.receive().await? {
            answer(&request, replies).await?;
        }
        Ok(())
    }

    async fn unimplemented_call(&self, _: Empty, _: &mut Call) -> Result<Empty> {
        Err(Status::unimplemented("nobody implements UnimplementedCall"))
    }
}

/// One answer for each that the request wants, or the status that it wants.
async fn answer(
    request: &StreamingOutputCallRequest,
    replies: &mut Outbound<StreamingOutputCallResponse>,
) -> Result<()> {
    echo_status(request.response_status.as_option())?;
    known(request.response_type.is_known())?;
    for ResponseParameters { size, interval_us } in &request.response_parameters {
        if let Ok(interval @ 1..) = u64::try_from(*interval_us) {
            tokio::time::sleep(Duration::from_micros(interval)).await;
        }
        replies.send(StreamingOutputCallResponse { payload: zeros(*size)?.into() }).await?;
    }
    Ok(())
}

fn echo_metadata(call: &mut Call) -> Result<()> {
    let initial: Vec<_> = call.metadata().get_all(ECHO_INITIAL).map(str::to_owned).collect();
    for value in initial {
        call.add_reply_metadata(ECHO_INITIAL, &value)?;
    }
    let trailing: Vec<_> = call.metadata().get_all_bin(ECHO_TRAILING).collect();
    for value in trailing {
        call.reply_trailers_mut().append_bin(ECHO_TRAILING, value)?;
    }
    Ok(())
}

/// Ends the call with the status that the request asks for; code 0 asks for none.
fn echo_status(asked: Option<&EchoStatus>) -> Result<()> {
    match asked {
        Some(status) if status.code != 0 => {
            let code = u32::try_from(status.code).ok().and_then(Code::from_u32);
            Err(Status::new(code.unwrap_or(Code::Unknown), status.message.clone()))
        }
        _ => Ok(()),
    }
}

fn known(payload_type: bool) -> Result<()> {
    let refusal = || Status::invalid_argument("response_type: expected COMPRESSABLE");
    payload_type.then_some(()).ok_or_else(refusal)
}

fn zeros(size: i32) -> Result<Payload> {
    Ok(Payload { body: vec![0; payload_size(size)?], ..Payload::default() })
}
