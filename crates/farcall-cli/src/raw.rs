//! A message whose type is known only while the command runs: the runtime's stubs carry it without looking into it.
//!
//! Of a call that speaks protobuf it has the bytes, of one that speaks JSON the text, and never both. What they mean is
//! for the descriptors to say ([`crate::schema`]); here nothing is decoded.

use std::sync::LazyLock;

use buffa::encoding::{Tag, decode_unknown_field};
use buffa::{DecodeContext, DecodeError, DefaultInstance, EncodeSink, Message, SizeCache};
use bytes::{Buf, BufMut};
use farcall::json::{self, Json, Reader, Writer};

/// A message as it is on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Raw {
    bytes: Vec<u8>,
    text: String,
}

impl Raw {
    /// A message in protobuf's binary format.
    pub(crate) fn proto(bytes: Vec<u8>) -> Self {
        Self { bytes, text: String::new() }
    }

    /// A message in JSON.
    pub(crate) fn json(text: String) -> Self {
        Self { bytes: Vec::new(), text }
    }

    /// The bytes of a message that came in protobuf's binary format.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text of a message that came in JSON.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl DefaultInstance for Raw {
    fn default_instance() -> &'static Self {
        static EMPTY: LazyLock<Raw> = LazyLock::new(Raw::default);
        &EMPTY
    }
}

impl Message for Raw {
    fn compute_size(&self, _: &mut SizeCache) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    fn write_to(&self, _: &mut SizeCache, buf: &mut impl EncodeSink) {
        buf.put_slice(&self.bytes);
    }

    fn merge_to_limit(
        &mut self,
        buf: &mut impl Buf,
        _: DecodeContext<'_>,
        limit: usize,
    ) -> Result<(), DecodeError> {
        let len = buf.remaining().saturating_sub(limit);
        self.bytes.put(buf.take(len));
        Ok(())
    }

    fn merge_field(
        &mut self,
        tag: Tag,
        buf: &mut impl Buf,
        context: DecodeContext<'_>,
    ) -> Result<(), DecodeError> {
        decode_unknown_field(tag, buf, context)?.write_to(&mut self.bytes);
        Ok(())
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Json for Raw {
    fn write(&self, writer: &mut Writer) -> json::write::Result {
        writer.raw(if self.text.is_empty() { "{}" } else { &self.text })
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> json::read::Result<bool> {
        reader.raw()?.clone_into(&mut self.text);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use farcall::{Codec, Limits};

    use super::*;

    #[test]
    fn bytes_stay_as_they_are() {
        // A field of each wire type, a group among them, in no order.
        let bytes =
            b"\x2d\x01\x02\x03\x04\x0b\x10\x05\x0c\x0a\x02hi\x08\xff\x01\x11\0\0\0\0\0\0\0\0";
        let raw = Raw::decode_from_slice(bytes).unwrap();
        assert_eq!(raw.bytes(), bytes);
        assert_eq!(raw.encode_to_vec(), bytes);
    }

    #[test]
    fn json_stays_as_it_is() {
        let text = "{ \"a\": [18446744073709551616, -1.50], \"b\": {\"c\": \"\u{e9}\\n\"} }";
        let raw: Raw = Codec::Json.decode_reply(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(raw.text(), text);
        let mut out = BytesMut::new();
        Codec::Json.encode_into(&raw, 1000, &mut out).unwrap();
        assert_eq!(out, text);
    }
}
