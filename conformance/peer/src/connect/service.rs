//! connectrpc.conformance.v1.ConformanceService: each request says how it wants to be answered.

use std::mem;
use std::time::Duration;

use farcall::{Any, Call, Inbound, Outbound, Result, Status};

use super::{any, error, headers};
use crate::proto::connectrpc::conformance::v1::conformance_payload::RequestInfo;
use crate::proto::connectrpc::conformance::v1::unary_response_definition::Response;
use crate::proto::connectrpc::conformance::v1::{
    BidiStreamRequest, BidiStreamResponse, ClientStreamRequest, ClientStreamResponse,
    ConformancePayload, ConformanceService, Error, Header, IdempotentUnaryRequest,
    IdempotentUnaryResponse, ServerStreamRequest, ServerStreamResponse, StreamResponseDefinition,
    UnaryRequest, UnaryResponse, UnaryResponseDefinition, UnimplementedRequest,
    UnimplementedResponse,
};

/// The service as the suite's service.proto tells it. Replies are compressed wherever the client can read them.
#[derive(Debug)]
pub struct JudgedConformance;

impl ConformanceService for JudgedConformance {
    async fn unary(&self, request: UnaryRequest, call: &mut Call) -> Result<UnaryResponse> {
        let info = Seen::of(call).with(Any::pack(&request)?);
        let payload = answer(request.response_definition.into_option(), info, call).await?;
        Ok(UnaryResponse { payload: payload.into() })
    }

    async fn idempotent_unary(
        &self,
        request: IdempotentUnaryRequest,
        call: &mut Call,
    ) -> Result<IdempotentUnaryResponse> {
        let info = Seen::of(call).with(Any::pack(&request)?);
        let payload = answer(request.response_definition.into_option(), info, call).await?;
        Ok(IdempotentUnaryResponse { payload: payload.into() })
    }

    async fn unimplemented(
        &self,
        _: UnimplementedRequest,
        _: &mut Call,
    ) -> Result<UnimplementedResponse> {
        Err(Status::unimplemented("nobody implements Unimplemented"))
    }

    async fn client_stream(
        &self,
        requests: &mut Inbound<ClientStreamRequest>,
        call: &mut Call,
    ) -> Result<ClientStreamResponse> {
        let mut info = Seen::of(call);
        let mut definition = None;
        while let Some(mut request) = requests.receive().await? {
            let seen = Any::pack(&request)?;
            if info.is_first() {
                definition = mem::take(&mut request.response_definition).into_option();
            }
            info = info.with(seen);
        }
        let payload = answer(definition, info, call).await?;
        Ok(ClientStreamResponse { payload: payload.into() })
    }

    async fn server_stream(
        &self,
        request: ServerStreamRequest,
        replies: &mut Outbound<ServerStreamResponse>,
        call: &mut Call,
    ) -> Result<()> {
        let info = Seen::of(call).with(Any::pack(&request)?);
        let Some(definition) = request.response_definition.into_option() else { return Ok(()) };
        let mut plan = Plan::of(definition, call)?;
        let mut info = Some(info);
        while let Some(data) = plan.next().await {
            let payload = payload(data, info.take());
            replies.send(ServerStreamResponse { payload: payload.into() }).await?;
        }
        plan.end(info)
    }

    async fn bidi_stream(
        &self,
        requests: &mut Inbound<BidiStreamRequest>,
        replies: &mut Outbound<BidiStreamResponse>,
        call: &mut Call,
    ) -> Result<()> {
        let mut info = Seen::of(call);
        let (mut plan, mut full_duplex) = (Plan::default(), false);
        while let Some(mut request) = requests.receive().await? {
            let seen = Any::pack(&request)?;
            if info.is_first() {
                full_duplex = request.full_duplex;
                let definition = mem::take(&mut request.response_definition).into_option();
                plan = Plan::of(definition.unwrap_or_default(), call)?;
            }
            info = info.with(seen);
            if full_duplex {
                // One answer for each request; where there is none the call has come to its end.
                let Some(data) = plan.next().await else { break };
                let payload = payload(data, Some(info.take()));
                replies.send(BidiStreamResponse { payload: payload.into() }).await?;
            }
        }
        let mut info = (!plan.begun).then_some(info);
        while let Some(data) = plan.next().await {
            let payload = payload(data, info.take());
            replies.send(BidiStreamResponse { payload: payload.into() }).await?;
        }
        plan.end(info)
    }
}

/// What has been seen of a request so far and not been told.
struct Seen {
    info: RequestInfo,
    requests: usize,
}

impl Seen {
    /// All that is known of a call before its first message. From here on replies are compressed.
    fn of(call: &mut Call) -> Self {
        call.compress_replies(true);
        let left = call.remaining().map(|left| i64::try_from(left.as_millis()).unwrap_or(i64::MAX));
        let info = RequestInfo {
            request_headers: headers::from_metadata(call.metadata()),
            timeout_ms: left,
            ..RequestInfo::default()
        };
        Self { info, requests: 0 }
    }

    fn is_first(&self) -> bool {
        self.requests == 0
    }

    fn with(mut self, request: Any) -> Self {
        self.info.requests.push(any::to_field(request));
        self.requests += 1;
        self
    }

    /// What there is to tell; later on there is only what has been seen since.
    fn take(&mut self) -> Self {
        Self { info: mem::take(&mut self.info), requests: self.requests }
    }
}

fn payload(data: Vec<u8>, seen: Option<Seen>) -> ConformancePayload {
    ConformancePayload { data, request_info: seen.map(|seen| seen.info).into() }
}

/// The one answer that a definition asks for.
async fn answer(
    definition: Option<UnaryResponseDefinition>,
    seen: Seen,
    call: &mut Call,
) -> Result<ConformancePayload> {
    let Some(definition) = definition else { return Ok(payload(Vec::new(), Some(seen))) };
    reply_with(call, &definition.response_headers, &definition.response_trailers)?;
    tokio::time::sleep(Duration::from_millis(definition.response_delay_ms.into())).await;
    match definition.response {
        Some(Response::Error(error)) => Err(failure(*error, Some(seen))?),
        Some(Response::ResponseData(data)) => Ok(payload(data, Some(seen))),
        None => Ok(payload(Vec::new(), Some(seen))),
    }
}

/// The failure asked for; it tells what was seen of the request, when nothing has told it before.
fn failure(error: Error, seen: Option<Seen>) -> Result<Status> {
    let status = error::to_status(error);
    Ok(match seen {
        Some(seen) => status.with_any(Any::pack(&seen.info)?),
        None => status,
    })
}

/// Sets the metadata that goes before and after the messages, however the call ends.
fn reply_with(call: &mut Call, leading: &[Header], trailing: &[Header]) -> Result<()> {
    for header in leading {
        for value in &header.value {
            match headers::bytes(&header.name, value) {
                Some(bytes) => call.add_reply_metadata_bin(&header.name, bytes)?,
                None => call.add_reply_metadata(&header.name, value)?,
            }
        }
    }
    call.reply_trailers_mut().extend(&headers::to_metadata(trailing)?);
    Ok(())
}

/// The answers of a stream that are still to be given, and how it ends.
#[derive(Default)]
struct Plan {
    data: std::vec::IntoIter<Vec<u8>>,
    delay: Duration,
    error: Option<Error>,
    /// An answer has been given.
    begun: bool,
}

impl Plan {
    fn of(definition: StreamResponseDefinition, call: &mut Call) -> Result<Self> {
        reply_with(call, &definition.response_headers, &definition.response_trailers)?;
        Ok(Self {
            data: definition.response_data.into_iter(),
            delay: Duration::from_millis(definition.response_delay_ms.into()),
            error: definition.error.into_option(),
            begun: false,
        })
    }

    /// The next answer, when its time has come.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let data = self.data.next()?;
        tokio::time::sleep(self.delay).await;
        self.begun = true;
        Some(data)
    }

    /// How the call ends. `seen` is what no answer has told.
    fn end(self, seen: Option<Seen>) -> Result<()> {
        match self.error {
            Some(error) => Err(failure(error, seen)?),
            None => Ok(()),
        }
    }
}
