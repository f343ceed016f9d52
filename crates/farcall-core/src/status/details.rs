//! google.rpc.Status, by hand: `1: int32 code, 2: string message, 3: repeated google.protobuf.Any details`, where Any is
//! `1: string type_url, 2: bytes value`.

use std::borrow::Cow;

use buffa::DecodeError;
use buffa::encoding::{Tag, WireType, check_wire_type, encode_varint, skip_field, varint_len};
use buffa::types::{
    borrow_bytes, bytes_encoded_len, decode_int32, encode_bytes, encode_int32, int32_encoded_len,
};
use bytes::Bytes;

use super::{Any, Status};
use crate::limits::MAX_DETAILS;

const CODE: u32 = 1;
const MESSAGE: u32 = 2;
const DETAILS: u32 = 3;
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;

/// Bytes of a tag of a field below 16.
const TAG_LEN: usize = 1;

/// The encoded google.rpc.Status of a failure.
pub(crate) fn encode(status: &Status) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded_len(status));
    // Codes are at most 16.
    let code = status.code().as_u32().cast_signed();
    Tag::new(CODE, WireType::Varint).encode(&mut out);
    encode_int32(code, &mut out);
    Tag::new(MESSAGE, WireType::LengthDelimited).encode(&mut out);
    encode_bytes(status.message().as_bytes(), &mut out);
    for any in status.details() {
        Tag::new(DETAILS, WireType::LengthDelimited).encode(&mut out);
        encode_varint(any_len(any) as u64, &mut out);
        Tag::new(TYPE_URL, WireType::LengthDelimited).encode(&mut out);
        encode_bytes(any.type_url.as_bytes(), &mut out);
        Tag::new(VALUE, WireType::LengthDelimited).encode(&mut out);
        encode_bytes(&any.value, &mut out);
    }
    out
}

/// The length of what [`encode`] writes.
pub(crate) fn encoded_len(status: &Status) -> usize {
    let code = TAG_LEN + int32_encoded_len(status.code().as_u32().cast_signed());
    let message = TAG_LEN + bytes_encoded_len(status.message().as_bytes());
    let details = status.details().iter().map(|any| {
        let len = any_len(any);
        TAG_LEN + varint_len(len as u64) + len
    });
    code + message + details.sum::<usize>()
}

fn any_len(any: &Any) -> usize {
    2 * TAG_LEN + bytes_encoded_len(any.type_url.as_bytes()) + bytes_encoded_len(&any.value)
}

/// What a google.rpc.Status says beside the code, which has a field of its own in every protocol.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) code: i32,
    pub(crate) message: String,
    pub(crate) details: Vec<Any>,
}

/// Decodes a google.rpc.Status; details beyond [`MAX_DETAILS`] are an error.
pub(crate) fn decode(mut data: &[u8]) -> Result<Decoded, DecodeError> {
    let mut decoded = Decoded::default();
    while !data.is_empty() {
        let tag = Tag::decode(&mut data)?;
        match tag.field_number() {
            CODE => {
                check_wire_type(tag, WireType::Varint)?;
                decoded.code = decode_int32(&mut data)?;
            }
            MESSAGE => decoded.message = decode_text(tag, &mut data)?.into_owned(),
            DETAILS => {
                if decoded.details.len() == MAX_DETAILS {
                    return Err(DecodeError::ElementMemoryLimitExceeded);
                }
                check_wire_type(tag, WireType::LengthDelimited)?;
                decoded.details.push(decode_any(borrow_bytes(&mut data)?)?);
            }
            _ => skip_field(tag, &mut data)?,
        }
    }
    Ok(decoded)
}

fn decode_any(mut data: &[u8]) -> Result<Any, DecodeError> {
    let mut any = Any { type_url: String::new(), value: Bytes::new() };
    while !data.is_empty() {
        let tag = Tag::decode(&mut data)?;
        match tag.field_number() {
            TYPE_URL => any.type_url = decode_text(tag, &mut data)?.into_owned(),
            VALUE => {
                check_wire_type(tag, WireType::LengthDelimited)?;
                any.value = Bytes::copy_from_slice(borrow_bytes(&mut data)?);
            }
            _ => skip_field(tag, &mut data)?,
        }
    }
    Ok(any)
}

/// A text for people or programs that compare: broken UTF-8 spoils neither.
fn decode_text<'a>(tag: Tag, data: &mut &'a [u8]) -> Result<Cow<'a, str>, DecodeError> {
    check_wire_type(tag, WireType::LengthDelimited)?;
    Ok(String::from_utf8_lossy(borrow_bytes(data)?))
}
