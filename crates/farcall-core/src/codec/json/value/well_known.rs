//! The well-known types, whose JSON is not that of a plain message: buffa knows it by way of serde.

use buffa_types::google::protobuf::{
    Any, BoolValue, BytesValue, DoubleValue, Duration, Empty, FieldMask, FloatValue, Int32Value,
    Int64Value, ListValue, StringValue, Struct, Timestamp, UInt32Value, UInt64Value, Value,
};

use super::super::read::{self, Reader};
use super::super::write::{self, Writer};
use super::Json;

macro_rules! by_serde {
    ($($type:ident $is_nullable:literal,)*) => {$(
        impl Json for $type {
            fn write(&self, writer: &mut Writer) -> write::Result {
                writer.by_serde(self)
            }

            fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
                *self = reader.by_serde()?;
                Ok(true)
            }

            fn is_nullable() -> bool {
                $is_nullable
            }
        }
    )*};
}

by_serde! {
    Any false,
    BoolValue false,
    BytesValue false,
    DoubleValue false,
    Duration false,
    Empty false,
    FieldMask false,
    FloatValue false,
    Int32Value false,
    Int64Value false,
    ListValue false,
    StringValue false,
    Struct false,
    Timestamp false,
    UInt32Value false,
    UInt64Value false,
    // `null` is one of its values.
    Value true,
}
