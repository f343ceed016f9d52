//! `google.protobuf.Any`, as messages carry it, and as a status does.

use crate::proto::google::protobuf::Any;

/// What the details of a status hold, as a field of a message.
pub fn to_field(any: farcall::Any) -> Any {
    Any { type_url: any.type_url, value: any.value, ..Any::default() }
}

/// What a field of a message holds, as the details of a status.
pub fn from_field(any: Any) -> farcall::Any {
    farcall::Any { type_url: any.type_url, value: any.value }
}
