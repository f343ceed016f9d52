//! A client that has no stubs calls a generated service: it asks the server what there is, reads JSON into bytes by the
//! descriptors it was told, and sends those.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, OnceLock};

use buffa::{DecodeContext, DecodeError, DefaultInstance, EncodeSink, Message, SizeCache};
use buffa_descriptor::DescriptorPool;
use buffa_descriptor::generated::descriptor::{FileDescriptorProto, FileDescriptorSet};
use buffa_descriptor::reflect::DynamicMessage;
use farcall::json::{self, Json, Reader, Writer};
use farcall::reflection::{
    MessageRequest, MessageResponse, ServerReflectionClient, ServerReflectionRequest,
};
use farcall::{Call, Channel, Idempotency, Kind, Method, Server};

mod proto {
    include!("snapshots/json.rs");
}
use proto::json::v1::{Echo, Scalars, Shapes, WellKnown};

struct Parrot;

impl Echo for Parrot {
    async fn scalars(&self, request: Scalars, _: &mut Call) -> farcall::Result<Scalars> {
        Ok(request)
    }
    async fn well_known(&self, request: WellKnown, _: &mut Call) -> farcall::Result<WellKnown> {
        Ok(request)
    }
    async fn shapes(&self, request: Shapes, _: &mut Call) -> farcall::Result<Shapes> {
        Ok(request)
    }
}

/// A message of any type, as it is on the wire: bytes in a binary call, a value in a JSON call.
#[derive(Clone, Debug, Default, PartialEq)]
struct Raw {
    bytes: Vec<u8>,
    json: serde_json::Value,
}

impl DefaultInstance for Raw {
    fn default_instance() -> &'static Self {
        static DEFAULT: OnceLock<Raw> = OnceLock::new();
        DEFAULT.get_or_init(Raw::default)
    }
}

impl Message for Raw {
    fn compute_size(&self, _: &mut SizeCache) -> u32 {
        buffa::saturate_size(self.bytes.len() as u64)
    }

    fn write_to(&self, _: &mut SizeCache, buf: &mut impl EncodeSink) {
        buf.put_slice(&self.bytes);
    }

    fn merge_to_limit(
        &mut self,
        buf: &mut impl bytes::Buf,
        _: DecodeContext<'_>,
        limit: usize,
    ) -> Result<(), DecodeError> {
        while buf.remaining() > limit {
            let chunk = buf.chunk();
            let length = chunk.len().min(buf.remaining() - limit);
            self.bytes.extend_from_slice(&chunk[..length]);
            buf.advance(length);
        }
        Ok(())
    }

    /// Only a message inside of a message is merged field by field, and this is none.
    fn merge_field(
        &mut self,
        tag: buffa::encoding::Tag,
        buf: &mut impl bytes::Buf,
        ctx: DecodeContext<'_>,
    ) -> Result<(), DecodeError> {
        buffa::encoding::skip_field_depth(tag, buf, ctx.depth())
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Json for Raw {
    fn write(&self, writer: &mut Writer) -> json::write::Result {
        writer.by_serde(&self.json)
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> json::read::Result<bool> {
        self.json = reader.by_serde()?;
        Ok(true)
    }
}

/// The descriptors behind a service.
async fn pool(channel: &Channel, service: &str) -> Arc<DescriptorPool> {
    let call = ServerReflectionClient::new(channel.clone());
    let (mut requests, mut responses) = call.server_reflection_info().await.unwrap();
    let question = MessageRequest::FileContainingSymbol(service.to_owned());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    requests.send(request).await.unwrap();
    let answer = responses.receive().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::FileDescriptorResponse(files)) = answer else { panic!() };
    let files = files.file_descriptor_proto.iter();
    let file = files.map(|file| FileDescriptorProto::decode_from_slice(file).unwrap()).collect();
    let set = FileDescriptorSet { file, ..FileDescriptorSet::default() };
    Arc::new(DescriptorPool::new(set).unwrap())
}

/// A method's description that lasts as long as the program.
fn method(service: &str, name: &str) -> &'static Method {
    let leak = |text: String| -> &'static str { text.leak() };
    Box::leak(Box::new(Method {
        service: leak(service.to_owned()),
        name: leak(name.to_owned()),
        path: leak(format!("/{service}/{name}")),
        kind: Kind::Unary,
        idempotency: Idempotency::Unknown,
    }))
}

/// JSON in, JSON out.
async fn call(channel: &Channel, pool: &Arc<DescriptorPool>, name: &str, json: &str) -> String {
    let service = pool.service_by_name("json.v1.Echo").unwrap();
    let found = service.methods().iter().find(|method| method.name() == name).unwrap();
    let request = DynamicMessage::from_json(Arc::clone(pool), found.input(), json).unwrap();
    let request = Raw { bytes: request.encode_to_vec(), ..Raw::default() };
    let reply: Raw =
        farcall::stub::unary(channel, method("json.v1.Echo", name), request).await.unwrap();
    let reply = DynamicMessage::decode(Arc::clone(pool), found.output(), &reply.bytes).unwrap();
    reply.to_json().unwrap()
}

#[tokio::test]
async fn json_goes_in_and_comes_out_by_what_the_server_tells() {
    let channel = Server::new().add(Parrot.into_service()).reflection().in_process();
    let pool = pool(&channel, "json.v1.Echo").await;
    for (name, json) in [
        ("Scalars", r#"{"large":"-5","double":1.5,"data":"AQ==","other":"x"}"#),
        ("Shapes", r#"{"colour":"COLOUR_RED","byName":{"a":"1"},"word":"w"}"#),
        ("WellKnown", r#"{"duration":"1.500s","mask":"a.bC","time":"1970-01-01T00:00:00Z"}"#),
        ("WellKnown", r#"{"any":{"@type":"type.googleapis.com/json.v1.Scalars","large":"1"}}"#),
    ] {
        let reply = call(&channel, &pool, name, json).await;
        let (reply, json): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(&reply).unwrap(), serde_json::from_str(json).unwrap());
        assert_eq!(reply, json, "{name}");
    }
}
