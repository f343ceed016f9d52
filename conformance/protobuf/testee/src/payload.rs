//! One payload: decoded in the format it came in, encoded in the format that is wanted, by the codecs of calls.

use bytes::BytesMut;
use farcall::{Codec, Limits, Message, UnknownFields};

use crate::proto::conformance::conformance_request::Payload;
use crate::proto::conformance::conformance_response::Result as Outcome;
use crate::proto::conformance::{ConformanceRequest, TestCategory, WireFormat};

/// Decodes the request's payload as `M` and encodes it again.
pub(crate) fn judge<M: Message>(request: &ConformanceRequest) -> Outcome {
    let skipped = || Outcome::Skipped("calls have no such format".to_owned());
    let (codec, bytes) = match &request.payload {
        Some(Payload::ProtobufPayload(bytes)) => (Codec::Proto, bytes.as_slice()),
        Some(Payload::JsonPayload(text)) => (Codec::Json, text.as_bytes()),
        _ => return skipped(),
    };
    let wanted = match request.requested_output_format.as_known() {
        Some(WireFormat::PROTOBUF) => Codec::Proto,
        Some(WireFormat::JSON) => Codec::Json,
        _ => return skipped(),
    };
    let message: M = match codec.decode_request(bytes, &limits(request)) {
        Ok(message) => message,
        Err(status) => return Outcome::ParseError(status.to_string()),
    };
    let mut out = BytesMut::new();
    match wanted.encode_into(&message, Limits::default().max_send_message, &mut out) {
        Err(status) => Outcome::SerializeError(status.to_string()),
        Ok(()) if wanted == Codec::Proto => Outcome::ProtobufPayload(out.to_vec()),
        Ok(()) => String::from_utf8(out.to_vec())
            .map_or_else(|error| Outcome::SerializeError(error.to_string()), Outcome::JsonPayload),
    }
}

/// The limits of a call, and what the case wants to become of fields that are not known.
fn limits(request: &ConformanceRequest) -> Limits {
    let ignore = request.test_category == TestCategory::JSON_IGNORE_UNKNOWN_PARSING_TEST;
    let json_unknown_fields = if ignore { UnknownFields::Ignore } else { UnknownFields::Refuse };
    Limits { json_unknown_fields, ..Limits::default() }
}
