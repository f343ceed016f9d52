//! A request to fill in: each field of a message with a value of its kind, as canonical JSON that can be sent as it is.

use buffa_descriptor::{
    DescriptorPool, EnumIndex, FieldDescriptor, FieldKind, MessageIndex, ScalarType, SingularKind,
};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// Messages within one another that are filled in; those further down are empty, or left out in lists.
const DEPTH: usize = 4;

/// The template of a message, indented.
///
/// # Errors
/// None in practice: what is written is made here.
pub(super) fn of(pool: &DescriptorPool, message: MessageIndex) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Template { pool, above: Vec::new() }.message(message))
}

/// A value in JSON, whose members keep their order.
#[derive(Clone, Debug)]
enum Json {
    Null,
    Bool,
    Number,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

struct Template<'a> {
    pool: &'a DescriptorPool,
    /// The messages that the one at hand is in.
    above: Vec<MessageIndex>,
}

impl Template<'_> {
    fn message(&mut self, index: MessageIndex) -> Json {
        let message = self.pool.message(index);
        if let Some(json) = well_known(message.full_name()) {
            return json;
        }
        if self.above.len() == DEPTH || self.above.contains(&index) {
            return Json::Object(Vec::new());
        }
        self.above.push(index);
        let mut members = Vec::new();
        let mut oneofs = Vec::new();
        for field in message.fields() {
            // Only one of them can be sent.
            if let Some(oneof) = field.oneof_index() {
                if oneofs.contains(&oneof) {
                    continue;
                }
                oneofs.push(oneof);
            }
            if let Some(value) = self.field(field) {
                members.push((field.json_name().to_owned(), value));
            }
        }
        self.above.pop();
        Json::Object(members)
    }

    /// None for a message that is in itself: it would have no end.
    fn field(&mut self, field: &FieldDescriptor) -> Option<Json> {
        let kind = match field.kind() {
            FieldKind::Singular(kind)
            | FieldKind::List(kind)
            | FieldKind::Map { value: kind, .. } => kind,
        };
        if matches!(kind, SingularKind::Message(index) if self.above.contains(&index)) {
            return None;
        }
        let value = self.singular(kind);
        Some(match field.kind() {
            FieldKind::Singular(_) => value,
            FieldKind::List(_) => Json::List(vec![value]),
            FieldKind::Map { key, .. } => Json::Object(vec![(map_key(key).to_owned(), value)]),
        })
    }

    fn singular(&mut self, kind: SingularKind) -> Json {
        match kind {
            SingularKind::Scalar(scalar) => scalar_value(scalar),
            SingularKind::Enum(index) => self.first_value(index),
            SingularKind::Message(index) => self.message(index),
        }
    }

    fn first_value(&self, index: EnumIndex) -> Json {
        let values = self.pool.enumeration(index);
        if values.full_name() == "google.protobuf.NullValue" {
            return Json::Null;
        }
        let first = values.values().first();
        first.map_or(Json::Number, |value| Json::Text(value.name().to_owned()))
    }
}

fn scalar_value(scalar: ScalarType) -> Json {
    match scalar {
        ScalarType::Bool => Json::Bool,
        ScalarType::String | ScalarType::Bytes => Json::Text(String::new()),
        ScalarType::Int64
        | ScalarType::Uint64
        | ScalarType::Fixed64
        | ScalarType::Sfixed64
        | ScalarType::Sint64 => Json::Text("0".to_owned()),
        _ => Json::Number,
    }
}

fn map_key(key: ScalarType) -> &'static str {
    match key {
        ScalarType::Bool => "false",
        ScalarType::String => "key",
        _ => "0",
    }
}

/// The messages that have a JSON form of their own.
fn well_known(name: &str) -> Option<Json> {
    let text = |text: &str| Json::Text(text.to_owned());
    Some(match name.strip_prefix("google.protobuf.")? {
        "Timestamp" => text("1970-01-01T00:00:00Z"),
        "Duration" => text("0s"),
        "FieldMask" | "StringValue" | "BytesValue" => text(""),
        "Int64Value" | "UInt64Value" => text("0"),
        "DoubleValue" | "FloatValue" | "Int32Value" | "UInt32Value" => Json::Number,
        "BoolValue" => Json::Bool,
        "Value" => Json::Null,
        "ListValue" => Json::List(Vec::new()),
        "Struct" | "Empty" => Json::Object(Vec::new()),
        "Any" => Json::Object(vec![
            ("@type".to_owned(), text("type.googleapis.com/google.protobuf.Duration")),
            ("value".to_owned(), text("0s")),
        ]),
        _ => return None,
    })
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool => serializer.serialize_bool(false),
            Self::Number => serializer.serialize_u8(0),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| list.serialize_element(value))?;
                list.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(key, value)| object.serialize_entry(key, value))?;
                object.end()
            }
        }
    }
}
