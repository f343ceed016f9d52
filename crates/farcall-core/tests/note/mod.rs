//! A message as buffa-codegen would write it: `message Note { string text = 1; Note child = 2; repeated Note many = 3; }`,
//! and what calls of it need.

#![allow(dead_code, reason = "each test uses a part of it")]

use buffa::encoding::{Tag, WireType, encode_varint, skip_field_depth, varint_len};
use buffa::types::{bytes_encoded_len, encode_bytes, merge_string};
use farcall_core::json::{self, Json, Name, Reader, Writer};
use farcall_core::{Codec, Dialect, Idempotency, Kind, Method, Protocol};

use buffa::{DecodeContext, DecodeError, EncodeSink, MessageName, SizeCache};

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) child: Option<Box<Note>>,
    pub(crate) many: Vec<Note>,
}

impl Json for Note {
    fn write(&self, writer: &mut Writer) -> json::write::Result {
        let mut members = writer.object()?;
        members.implicit("text", &self.text)?;
        members.optional("child", &self.child)?;
        members.repeated("many", &self.many)?;
        members.end()
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> json::read::Result<bool> {
        const NAMES: &[Name] =
            json::names![("text", "text"), ("child", "child"), ("many", "many"),];
        reader.message(NAMES, |reader, field| match field {
            0 => reader.implicit(&mut self.text),
            1 => reader.optional(&mut self.child),
            _ => reader.repeated(&mut self.many),
        })?;
        Ok(true)
    }
}

/// A method of that name and kind.
pub(crate) const fn method(name: &'static str, path: &'static str, kind: Kind) -> Method {
    let idempotency = Idempotency::Unknown;
    Method { service: "farcall.test.Notes", name, path, kind, idempotency }
}

pub(crate) static TAKE: Method = method("Take", "/farcall.test.Notes/Take", Kind::Unary);
pub(crate) static FOLLOW: Method =
    method("Follow", "/farcall.test.Notes/Follow", Kind::ServerStreaming);
pub(crate) static COLLECT: Method =
    method("Collect", "/farcall.test.Notes/Collect", Kind::ClientStreaming);
pub(crate) static CHAT: Method = method("Chat", "/farcall.test.Notes/Chat", Kind::Bidirectional);
pub(crate) static READ: Method = Method {
    idempotency: Idempotency::NoSideEffects,
    ..method("Read", "/farcall.test.Notes/Read", Kind::Unary)
};

/// The encodings that gRPC tells a peer.
#[cfg(not(feature = "compression"))]
pub(crate) const ACCEPTED: &str = "identity,gzip";
/// The encodings that gRPC tells a peer.
#[cfg(feature = "compression")]
pub(crate) const ACCEPTED: &str = "identity,zstd,gzip,br,deflate,snappy";

/// gRPC as most speak it.
pub(crate) fn grpc() -> Dialect {
    Dialect::for_call(Protocol::Grpc, Codec::Proto, &TAKE)
}

buffa::impl_default_instance!(Note);

impl Note {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn parts(&self) -> impl Iterator<Item = (u32, &Note)> {
        let child = self.child.iter().map(|child| (2, &**child));
        child.chain(self.many.iter().map(|note| (3, note)))
    }
}

impl MessageName for Note {
    const PACKAGE: &'static str = "farcall.test";
    const NAME: &'static str = "Note";
    const FULL_NAME: &'static str = "farcall.test.Note";
    const TYPE_URL: &'static str = "type.googleapis.com/farcall.test.Note";
}

impl buffa::Message for Note {
    fn compute_size(&self, cache: &mut SizeCache) -> u32 {
        let mut size = 0;
        if !self.text.is_empty() {
            size += 1 + bytes_encoded_len(self.text.as_bytes());
        }
        for (_, part) in self.parts() {
            let slot = cache.reserve();
            let len = part.compute_size(cache);
            cache.set(slot, len);
            size += 1 + varint_len(u64::from(len)) + len as usize;
        }
        u32::try_from(size).unwrap_or(u32::MAX)
    }

    fn write_to(&self, cache: &mut SizeCache, buf: &mut impl EncodeSink) {
        if !self.text.is_empty() {
            Tag::new(1, WireType::LengthDelimited).encode(buf);
            encode_bytes(self.text.as_bytes(), buf);
        }
        for (number, part) in self.parts() {
            Tag::new(number, WireType::LengthDelimited).encode(buf);
            encode_varint(u64::from(cache.consume_next()), buf);
            part.write_to(cache, buf);
        }
    }

    fn merge_field(
        &mut self,
        tag: Tag,
        buf: &mut impl bytes::Buf,
        ctx: DecodeContext<'_>,
    ) -> Result<(), DecodeError> {
        match tag.field_number() {
            1 => merge_string(&mut self.text, buf),
            2 => self.child.get_or_insert_default().merge_length_delimited(buf, ctx),
            3 => {
                ctx.register_element_memory(size_of::<Self>())?;
                let mut note = Self::default();
                note.merge_length_delimited(buf, ctx)?;
                self.many.push(note);
                Ok(())
            }
            _ => skip_field_depth(tag, buf, ctx.depth()),
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
