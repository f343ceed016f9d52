//! What protobuf's conformance suite judges: messages in, the same messages out, by the codecs that calls use.
//!
//! The runner writes requests to standard input and reads responses from standard output, each behind four bytes of length,
//! least significant first. Every request is a call to a service in this process. No case is known here by its name.

mod payload;
mod proto {
    //! The suite's messages and the service that takes them.
    farcall::include_protos!();
}

use std::io::{self, Read, Write};

use farcall::buffa::Message;
use farcall::{Call, Server, Status};
use proto::conformance::conformance_response::Result as Outcome;
use proto::conformance::{ConformanceRequest, ConformanceResponse, FailureSet};
use proto::judge::{Testee, TesteeClient};
use proto::protobuf_test_messages::proto2::TestAllTypesProto2;
use proto::protobuf_test_messages::proto3::TestAllTypesProto3;

/// Bytes of one case; a call takes no more.
const MAX_CASE: usize = 4 * 1024 * 1024;

struct Judged;

impl Testee for Judged {
    async fn judge(
        &self,
        request: ConformanceRequest,
        _: &mut Call,
    ) -> farcall::Result<ConformanceResponse> {
        let outcome = match request.message_type.as_str() {
            // The first question: which cases are expected to fail. None.
            "conformance.FailureSet" => {
                Outcome::ProtobufPayload(FailureSet::default().encode_to_vec())
            }
            "protobuf_test_messages.proto2.TestAllTypesProto2" => {
                payload::judge::<TestAllTypesProto2>(&request)
            }
            "protobuf_test_messages.proto3.TestAllTypesProto3" => {
                payload::judge::<TestAllTypesProto3>(&request)
            }
            other => Outcome::Skipped(format!("no message {other} is judged here")),
        };
        Ok(ConformanceResponse { result: Some(outcome), ..Default::default() })
    }

    async fn proto2(
        &self,
        _: TestAllTypesProto2,
        _: &mut Call,
    ) -> farcall::Result<TestAllTypesProto2> {
        Err(Status::unimplemented("never called"))
    }

    async fn proto3(
        &self,
        _: TestAllTypesProto3,
        _: &mut Call,
    ) -> farcall::Result<TestAllTypesProto3> {
        Err(Status::unimplemented("never called"))
    }
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = TesteeClient::new(Server::new().add(Judged.into_service()).in_process());
        let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
        while let Some(request) = read_case(&mut input)? {
            let request =
                ConformanceRequest::decode_from_slice(&request).map_err(io::Error::other)?;
            let response = client.judge(request).await.map_err(io::Error::other)?.encode_to_vec();
            let length = u32::try_from(response.len()).map_err(io::Error::other)?;
            output.write_all(&length.to_le_bytes())?;
            output.write_all(&response)?;
            output.flush()?;
        }
        Ok(())
    })
}

/// The next request; none at the end of the input.
fn read_case(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_CASE {
        return Err(io::Error::other(format!("a case of {length} bytes")));
    }
    let mut request = vec![0; length];
    input.read_exact(&mut request)?;
    Ok(Some(request))
}
