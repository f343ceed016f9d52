//! A call as the runner describes it: what to send, when to wait, when to cancel.

use std::future::Future;
use std::time::Duration;

use farcall::{Any, Channel, Encoding, Message, Outbound, Pending, Reply, Result, Status};

use super::replies::Replies;
use super::{any, error, headers};
use crate::proto::connectrpc::conformance::v1::client_compat_request::cancel::CancelTiming;
use crate::proto::connectrpc::conformance::v1::{
    BidiStreamRequest, ClientCompatRequest, ClientResponseResult, ClientStreamRequest, Compression,
    ConformancePayload, ConformanceServiceClient, StreamType,
};
use crate::verdict::Verdict;

/// Makes the call and tells what became of it.
///
/// # Errors
/// The call could not even be made: what is asked for is not there.
pub async fn run(channel: &Channel, case: &ClientCompatRequest) -> Verdict<ClientResponseResult> {
    let client = ConformanceServiceClient::new(channel.clone());
    let script = Script::of(case)?;
    Ok(match case.method.as_deref().unwrap_or_default() {
        "Unary" => {
            let request = message(case, Any::unpack)?;
            script.one(client.unary(request), |reply| reply.payload.into_option()).await
        }
        "IdempotentUnary" => {
            let request = message(case, Any::unpack)?;
            script.one(client.idempotent_unary(request), |reply| reply.payload.into_option()).await
        }
        "Unimplemented" => {
            let request = message(case, Any::unpack)?;
            script.one(client.unimplemented(request), |_| None).await
        }
        "ClientStream" => script.upload(&client, messages(case, Any::unpack)?).await,
        "ServerStream" => {
            let request = message(case, Any::unpack)?;
            let replies = script.prepare(client.server_stream(request)).await;
            match replies {
                Ok(replies) => {
                    let replies = Replies::new(replies, |reply| reply.payload.into_option());
                    script.download(replies).await
                }
                Err(status) => failed(&status),
            }
        }
        "BidiStream" => script.chat(&client, messages(case, Any::unpack)?).await,
        method => return Err(format!("no method is called {method}").into()),
    })
}

/// The messages of the case, each unpacked as what the method takes.
fn messages<M>(case: &ClientCompatRequest, unpack: fn(&Any) -> Option<M>) -> Verdict<Vec<M>> {
    let unpacked = case.request_messages.iter().map(|field| {
        let any = any::from_field(field.clone());
        unpack(&any).ok_or_else(|| format!("{} is not what the method takes", any.type_url).into())
    });
    unpacked.collect()
}

/// The one message of a call that has one.
fn message<M>(case: &ClientCompatRequest, unpack: fn(&Any) -> Option<M>) -> Verdict<M> {
    let mut messages = messages(case, unpack)?;
    match (messages.pop(), messages.len()) {
        (Some(message), 0) => Ok(message),
        _ => Err(format!("{} messages; expected one", case.request_messages.len()).into()),
    }
}

/// What holds for the whole call.
struct Script<'a> {
    case: &'a ClientCompatRequest,
    encoding: Encoding,
    /// Between messages.
    delay: Duration,
    full_duplex: bool,
    cancel: Cancel,
}

/// When to cancel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cancel {
    Never,
    BeforeCloseSend,
    AfterCloseSend(Duration),
    AfterReplies(usize),
}

impl<'a> Script<'a> {
    fn of(case: &'a ClientCompatRequest) -> Verdict<Self> {
        Ok(Self {
            case,
            encoding: encoding(case)?,
            delay: Duration::from_millis(case.request_delay_ms.into()),
            full_duplex: case.stream_type.as_known()
                == Some(StreamType::STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM),
            cancel: Cancel::of(case),
        })
    }

    fn prepare<T>(&self, mut call: Pending<T>) -> Pending<T> {
        for header in &self.case.request_headers {
            for value in &header.value {
                call = match headers::bytes(&header.name, value) {
                    Some(bytes) => call.metadata_bin(&header.name, bytes),
                    None => call.metadata(&header.name, value),
                };
            }
        }
        if let Some(timeout) = self.case.timeout_ms {
            call = call.timeout(Duration::from_millis(timeout.into()));
        }
        call.compress(self.encoding)
    }

    /// One message each way.
    async fn one<T>(
        &self,
        call: Pending<T>,
        payload: fn(T) -> Option<ConformancePayload>,
    ) -> ClientResponseResult {
        only(self.unless_cancelled(self.prepare(call).with_metadata()).await, payload)
    }

    /// Messages there, one back.
    async fn upload(
        &self,
        client: &ConformanceServiceClient,
        messages: Vec<ClientStreamRequest>,
    ) -> ClientResponseResult {
        let (mut requests, reply) = match self.prepare(client.client_stream()).await {
            Ok(opened) => opened,
            Err(status) => return failed(&status),
        };
        let unsent = self.send_all(&mut requests, messages).await;
        if self.cancel == Cancel::BeforeCloseSend {
            drop(requests);
        } else {
            // Why it could not be finished is told by the reply.
            let _ = requests.finish().await;
        }
        let ended = self.unless_cancelled(reply.with_metadata()).await;
        let result = only(ended, |reply| reply.payload.into_option());
        ClientResponseResult { num_unsent_requests: unsent, ..result }
    }

    /// One message there, messages back.
    async fn download<T: Message>(&self, mut replies: Replies<T>) -> ClientResponseResult {
        self.cancel_after_close_send(&mut replies).await;
        replies.take_all(self.cancel.replies()).await;
        replies.result
    }

    /// Messages both ways: by turns, or all there before the first is taken.
    async fn chat(
        &self,
        client: &ConformanceServiceClient,
        messages: Vec<BidiStreamRequest>,
    ) -> ClientResponseResult {
        let (mut requests, replies) = match self.prepare(client.bidi_stream()).await {
            Ok(opened) => opened,
            Err(status) => return failed(&status),
        };
        let mut replies = Replies::new(replies, |reply| reply.payload.into_option());
        let mut unsent = 0;
        if self.full_duplex {
            let count = messages.len();
            for (sent, message) in messages.into_iter().enumerate() {
                if !self.send(&mut requests, message).await {
                    unsent = number(count - sent);
                    break;
                }
                if !replies.take().await {
                    break;
                }
                if self.cancel == Cancel::AfterReplies(replies.count()) {
                    replies.cancel();
                }
            }
        } else {
            unsent = self.send_all(&mut requests, messages).await;
        }
        if self.cancel == Cancel::BeforeCloseSend {
            drop(requests);
        } else {
            let _ = requests.finish().await;
        }
        self.cancel_after_close_send(&mut replies).await;
        replies.take_all(self.cancel.replies()).await;
        ClientResponseResult { num_unsent_requests: unsent, ..replies.result }
    }

    /// Sends all messages; returns how many the server did not want.
    async fn send_all<T: Message>(&self, requests: &mut Outbound<T>, messages: Vec<T>) -> i32 {
        let count = messages.len();
        for (sent, message) in messages.into_iter().enumerate() {
            if !self.send(requests, message).await {
                return number(count - sent);
            }
        }
        0
    }

    async fn send<T: Message>(&self, requests: &mut Outbound<T>, message: T) -> bool {
        tokio::time::sleep(self.delay).await;
        requests.send(message).await.is_ok()
    }

    /// Awaits the end of a call whose only reply is awaited, or cancels it when its time has come.
    async fn unless_cancelled<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let Cancel::AfterCloseSend(delay) = self.cancel else { return call.await };
        let cancelled = || Err(Status::cancelled("the caller has cancelled the call"));
        tokio::time::timeout(delay, call).await.unwrap_or_else(|_| cancelled())
    }

    async fn cancel_after_close_send<T: Message>(&self, replies: &mut Replies<T>) {
        if let Cancel::AfterCloseSend(delay) = self.cancel {
            tokio::time::sleep(delay).await;
            replies.cancel();
        }
    }
}

impl Cancel {
    fn of(case: &ClientCompatRequest) -> Self {
        let Some(cancel) = case.cancel.as_option() else { return Self::Never };
        match &cancel.cancel_timing {
            Some(CancelTiming::BeforeCloseSend(_)) => Self::BeforeCloseSend,
            Some(CancelTiming::AfterNumResponses(replies)) => Self::AfterReplies(*replies as usize),
            Some(CancelTiming::AfterCloseSendMs(delay)) => {
                Self::AfterCloseSend(Duration::from_millis((*delay).into()))
            }
            None => Self::AfterCloseSend(Duration::ZERO),
        }
    }

    fn replies(self) -> Option<usize> {
        if let Self::AfterReplies(replies) = self { Some(replies) } else { None }
    }
}

/// The result of a call that has one reply at most.
fn only<T>(
    ended: Result<(T, Reply)>,
    payload: fn(T) -> Option<ConformancePayload>,
) -> ClientResponseResult {
    match ended {
        Ok((reply, beside)) => ClientResponseResult {
            response_headers: headers::from_metadata(beside.metadata()),
            response_trailers: headers::from_metadata(beside.trailers()),
            payloads: vec![payload(reply).unwrap_or_default()],
            ..ClientResponseResult::default()
        },
        Err(status) => failed(&status),
    }
}

fn failed(status: &Status) -> ClientResponseResult {
    ClientResponseResult {
        response_headers: headers::from_metadata(status.leading_metadata()),
        response_trailers: headers::from_metadata(status.metadata()),
        error: error::from_status(status).into(),
        ..ClientResponseResult::default()
    }
}

fn number(messages: usize) -> i32 {
    i32::try_from(messages).unwrap_or(i32::MAX)
}

fn encoding(case: &ClientCompatRequest) -> Verdict<Encoding> {
    match case.compression.as_known() {
        Some(Compression::COMPRESSION_IDENTITY | Compression::COMPRESSION_UNSPECIFIED) => {
            Ok(Encoding::Identity)
        }
        Some(Compression::COMPRESSION_GZIP) => Ok(Encoding::Gzip),
        Some(Compression::COMPRESSION_BR) => Ok(Encoding::Br),
        Some(Compression::COMPRESSION_ZSTD) => Ok(Encoding::Zstd),
        Some(Compression::COMPRESSION_DEFLATE) => Ok(Encoding::Deflate),
        Some(Compression::COMPRESSION_SNAPPY) => Ok(Encoding::Snappy),
        _ => Err(format!("compression {:?} is not known", case.compression).into()),
    }
}
