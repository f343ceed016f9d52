//! conformance.v1.Calls: every kind of call, every way to end.

use std::time::Duration;

use farcall::{Any, Call, Code, Inbound, Outbound, Result, Status};

use crate::metadata_entry::{self, MetadataEntry};
use crate::observed::{Observed, Record};
use crate::pattern::{pattern, payload_size};
use crate::proto::conformance::v1::{
    Calls, DownloadRequest, EchoMetadataReply, EchoMetadataRequest, EchoReply, EchoRequest,
    EndlessRequest, FailRequest, ObserveReply, ObserveRequest, SleepReply, SleepRequest,
    UploadReply,
};

/// Bytes of one answer of Endless.
const ENDLESS: usize = 1024;

/// The service as calls.proto tells it.
#[derive(Debug)]
pub struct JudgedCalls {
    observed: Observed,
}

impl JudgedCalls {
    /// The service; Observe tells what is in `observed`.
    pub fn new(observed: Observed) -> Self {
        Self { observed }
    }
}

impl Calls for JudgedCalls {
    async fn echo(&self, request: EchoRequest, call: &mut Call) -> Result<EchoReply> {
        call.compress_replies(request.compress);
        Ok(EchoReply { payload: request.payload })
    }

    async fn upload(
        &self,
        requests: &mut Inbound<EchoRequest>,
        _: &mut Call,
    ) -> Result<UploadReply> {
        let mut reply = UploadReply::default();
        while let Some(request) = requests.receive().await? {
            reply.messages += 1;
            reply.payload_bytes += request.payload.len() as u64;
        }
        Ok(reply)
    }

    async fn download(
        &self,
        request: DownloadRequest,
        replies: &mut Outbound<EchoReply>,
        call: &mut Call,
    ) -> Result<()> {
        call.compress_replies(request.compress);
        let size = payload_size(request.size)?;
        for n in 0..request.count as usize {
            replies.send(EchoReply { payload: pattern(size, n) }).await?;
        }
        Ok(())
    }

    async fn chat(
        &self,
        requests: &mut Inbound<EchoRequest>,
        replies: &mut Outbound<EchoReply>,
        call: &mut Call,
    ) -> Result<()> {
        let mut first = true;
        while let Some(request) = requests.receive().await? {
            if std::mem::take(&mut first) {
                call.compress_replies(request.compress);
            }
            replies.send(EchoReply { payload: request.payload }).await?;
        }
        Ok(())
    }

    async fn echo_metadata(
        &self,
        request: EchoMetadataRequest,
        call: &mut Call,
    ) -> Result<EchoMetadataReply> {
        for entry in &request.initial {
            add_initial(call, entry)?;
        }
        call.reply_trailers_mut().extend(&metadata_entry::to_metadata(&request.trailing)?);
        Ok(EchoMetadataReply { received: metadata_entry::from_metadata(call.metadata()) })
    }

    async fn fail(&self, request: FailRequest, _: &mut Call) -> Result<EchoReply> {
        Err(failure(request))
    }

    async fn fail_stream(
        &self,
        request: FailRequest,
        replies: &mut Outbound<EchoReply>,
        _: &mut Call,
    ) -> Result<()> {
        for _ in 0..request.messages {
            replies.send(EchoReply::default()).await?;
        }
        Err(failure(request))
    }

    async fn sleep(&self, request: SleepRequest, call: &mut Call) -> Result<SleepReply> {
        let left = call.remaining();
        tokio::time::sleep(Duration::from_millis(request.milliseconds.into())).await;
        let deadline_ms = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        Ok(SleepReply { deadline_ms })
    }

    async fn endless(
        &self,
        _: EndlessRequest,
        replies: &mut Outbound<EchoReply>,
        _: &mut Call,
    ) -> Result<()> {
        loop {
            replies.send(EchoReply { payload: vec![0; ENDLESS] }).await?;
        }
    }

    async fn observe(&self, request: ObserveRequest, _: &mut Call) -> Result<ObserveReply> {
        let Record { state, calls } = self.observed.record(&request.call_id);
        Ok(ObserveReply { state: state.into(), calls })
    }
}

fn add_initial(call: &mut Call, entry: &MetadataEntry) -> Result<()> {
    if metadata_entry::is_binary(entry) {
        call.add_reply_metadata_bin(&entry.key, &entry.value)?;
    } else {
        call.add_reply_metadata(&entry.key, metadata_entry::text(entry)?)?;
    }
    Ok(())
}

/// The failure that the request describes, or why there is no such failure.
fn failure(request: FailRequest) -> Status {
    let Some(code) = Code::from_u32(request.code) else {
        return Status::invalid_argument(format!("{}: expected a code of 1 to 16", request.code));
    };
    let metadata = match metadata_entry::to_metadata(&request.trailing) {
        Ok(metadata) => metadata,
        Err(status) => return status,
    };
    let details = request.details.into_iter();
    details
        .map(|detail| Any { type_url: detail.type_url, value: detail.value.into() })
        .fold(Status::new(code, request.message), Status::with_any)
        .with_metadata(metadata)
}
