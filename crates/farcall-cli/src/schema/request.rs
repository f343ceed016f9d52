//! A request as somebody typed it, canonical JSON of protobuf, and what is wrong with it: line, column and field.

use std::sync::Arc;

use buffa_descriptor::{
    DescriptorPool, DynamicMessage, DynamicMessageSeed, EnumValueDescriptor, FieldDescriptor,
    FieldKind, MessageDescriptor, MessageIndex, ScalarType, SingularKind,
};
use serde::de::DeserializeSeed as _;
use serde_json::Value;
use serde_path_to_error::{Deserializer, Path, Segment, Track};

use super::kinship;
use crate::values::Text;

/// Reads a message; `origin` says where the text is from.
///
/// # Errors
/// The text is no JSON, or not of such a message: where, in which field, and what may have been meant.
pub(crate) fn parse(
    pool: &Arc<DescriptorPool>,
    message: MessageIndex,
    text: &Text,
    origin: &str,
) -> Result<DynamicMessage, String> {
    let mut json = serde_json::Deserializer::from_str(&text.json);
    let mut track = Track::new();
    let seed = DynamicMessageSeed::new(Arc::clone(pool), message);
    let parsed = seed
        .deserialize(Deserializer::new(&mut json, &mut track))
        .and_then(|parsed| json.end().map(|()| parsed));
    parsed.map_err(|error| {
        let place = place(text, &error);
        let name = pool.message(message).full_name();
        match unknown_field(pool, message, text, &error) {
            Some(what) => format!("{origin}, {place}: {what}"),
            None if error.is_data() => {
                let path = track.path();
                let expected = expected(pool, message, &path).unwrap_or_default();
                format!("{origin}, {place}: {}{expected}{}", field(&path), reason(&error))
            }
            None => format!("{origin}, {place}: expected JSON of a {name}: {}", reason(&error)),
        }
    })
}

/// The messages that the text says are in a `google.protobuf.Any`.
pub(crate) fn types_of_anys(text: &str) -> Vec<String> {
    if !text.contains("@type") {
        return Vec::new();
    }
    let mut types = Vec::new();
    let mut waiting = Vec::from_iter(serde_json::from_str::<Value>(text).ok());
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(values) => waiting.extend(values),
            Value::Object(members) => {
                if let Some(Value::String(url)) = members.get("@type") {
                    types.push(url.rsplit('/').next().unwrap_or_default().to_owned());
                }
                waiting.extend(members.into_iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    types
}

/// Where in the input the error is, of which the text is a part.
fn place(text: &Text, error: &serde_json::Error) -> String {
    let indent = if error.line() <= 1 { text.indent } else { 0 };
    let line = text.line + error.line().saturating_sub(1);
    format!("line {line}, column {}", (error.column() + indent).max(1))
}

fn field(path: &Path) -> String {
    let path = path.to_string();
    // The whole is no field.
    if path == "." { String::new() } else { format!("field {path}: ") }
}

/// What the field takes, where the error may not say it: `expected a string: `.
fn expected(pool: &DescriptorPool, message: MessageIndex, path: &Path) -> Option<String> {
    let mut message = pool.message(message);
    let mut kind = None;
    for segment in path {
        match (segment, kind) {
            (Segment::Seq { .. }, Some(FieldKind::List(element))) => {
                kind = Some(FieldKind::Singular(element));
            }
            (Segment::Map { .. }, Some(FieldKind::Map { value, .. })) => {
                kind = Some(FieldKind::Singular(value));
            }
            (Segment::Map { key }, None | Some(FieldKind::Singular(_))) => {
                if let Some(FieldKind::Singular(SingularKind::Message(inner))) = kind {
                    message = pool.message(inner);
                }
                kind = Some(message.field_by_name(key)?.kind());
            }
            _ => return None,
        }
    }
    let what = match kind? {
        FieldKind::Singular(SingularKind::Scalar(scalar)) => scalar_in_json(scalar).to_owned(),
        FieldKind::Singular(SingularKind::Enum(index)) => {
            let values = pool.enumeration(index).values().iter().map(EnumValueDescriptor::name);
            let names: Vec<_> = values.take(VALUES + 1).collect();
            if names.len() > VALUES {
                return None;
            }
            kinship::either(&names)
        }
        FieldKind::List(_) => "a list".to_owned(),
        FieldKind::Map { .. } => "an object".to_owned(),
        FieldKind::Singular(SingularKind::Message(_)) => return None,
    };
    Some(format!("expected {what}: "))
}

/// Values of an enum that an error lists.
const VALUES: usize = 12;

fn scalar_in_json(scalar: ScalarType) -> &'static str {
    match scalar {
        ScalarType::Bool => "true or false",
        ScalarType::String => "a string",
        ScalarType::Bytes => "a string of base64",
        ScalarType::Double | ScalarType::Float => "a number",
        ScalarType::Int32 | ScalarType::Sint32 | ScalarType::Sfixed32 => "a number of 32 bits",
        ScalarType::Uint32 | ScalarType::Fixed32 => "a number of 32 bits, not negative",
        ScalarType::Int64 | ScalarType::Sint64 | ScalarType::Sfixed64 => "a number of 64 bits",
        ScalarType::Uint64 | ScalarType::Fixed64 => "a number of 64 bits, not negative",
    }
}

/// The error without the place that it ends with, which is counted within the text.
fn reason(error: &serde_json::Error) -> String {
    let reason = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    reason.strip_suffix(&place).unwrap_or(&reason).to_owned()
}

/// What there is to say about a field that the message does not have.
fn unknown_field(
    pool: &DescriptorPool,
    message: MessageIndex,
    text: &Text,
    error: &serde_json::Error,
) -> Option<String> {
    if !error.is_data() || !error.to_string().starts_with("unknown field") {
        return None;
    }
    let value = serde_json::from_str(&text.json).ok()?;
    let (path, message) = find_unknown(pool, pool.message(message), &value, "")?;
    let key = path.rsplit('.').next().unwrap_or_default();
    let names = || message.fields().iter().map(FieldDescriptor::json_name);
    let nearest = kinship::nearest(key, names());
    let hint = kinship::question(&nearest).unwrap_or_else(|| {
        let names: Vec<_> = names().collect();
        if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        }
    });
    Some(format!("field {path}: {} has no such field: {hint}", message.full_name()))
}

/// The path of the first key that is no field, and the message that does not have it.
fn find_unknown<'a>(
    pool: &'a DescriptorPool,
    message: &'a MessageDescriptor,
    value: &Value,
    path: &str,
) -> Option<(String, &'a MessageDescriptor)> {
    // The well-known ones have JSON forms of their own.
    if message.full_name().starts_with("google.protobuf.") {
        return None;
    }
    let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (key, value) in value.as_object()? {
        let path = join(key);
        let Some(field) = message.field_by_name(key) else {
            if key.starts_with('[') {
                continue;
            }
            return Some((path, message));
        };
        let found = match (field.kind(), value) {
            (FieldKind::Singular(SingularKind::Message(inner)), value) => {
                find_unknown(pool, pool.message(inner), value, &path)
            }
            (FieldKind::List(SingularKind::Message(inner)), Value::Array(values)) => {
                values.iter().enumerate().find_map(|(index, value)| {
                    find_unknown(pool, pool.message(inner), value, &format!("{path}[{index}]"))
                })
            }
            (FieldKind::Map { value: SingularKind::Message(inner), .. }, Value::Object(values)) => {
                values.iter().find_map(|(key, value)| {
                    find_unknown(pool, pool.message(inner), value, &format!("{path}.{key}"))
                })
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use buffa_descriptor::generated::descriptor::FileDescriptorSet;

    use super::*;
    use crate::schema::builtin;

    fn pool() -> Arc<DescriptorPool> {
        let set: FileDescriptorSet = builtin::error_details();
        Arc::new(DescriptorPool::new(set).unwrap())
    }

    fn problem(message: &str, json: &str) -> String {
        let pool = pool();
        let message = pool.message_index(message).unwrap();
        let text = Text { json: json.to_owned(), line: 3, indent: 2 };
        parse(&pool, message, &text, "DATA").unwrap_err()
    }

    #[test]
    fn a_wrong_value_is_told_with_its_place_and_field() {
        let json = "{\"violations\": [{},\n {\"subject\": 5}]}";
        let problem = problem("google.rpc.QuotaFailure", json);
        assert!(
            problem.starts_with(
                "DATA, line 4, column 14: field violations[1].subject: expected a string: "
            ),
            "{problem}"
        );
        assert!(!problem.contains("at line"), "{problem}");
    }

    #[test]
    fn an_unknown_field_is_told_with_what_may_be_meant() {
        let problem_in_list =
            problem("google.rpc.QuotaFailure", "{\"violations\": [{\"subjekt\": \"a\"}]}");
        assert!(
            problem_in_list.ends_with(
                "field violations[0].subjekt: google.rpc.QuotaFailure.Violation has no such field: \
                 did you mean subject?"
            ),
            "{problem_in_list}"
        );
        let problem = problem("google.rpc.LocalizedMessage", "{\"x\": 1}");
        assert!(problem.contains("line 3, column 6: field x: "), "{problem}");
        assert!(problem.ends_with("it has locale, message"), "{problem}");
    }

    #[test]
    fn what_is_no_json_is_told_with_what_was_expected() {
        for json in ["{\"locale\": }", "{", "{\"locale\": \"a\"} x"] {
            let problem = problem("google.rpc.LocalizedMessage", json);
            assert!(
                problem.contains("expected JSON of a google.rpc.LocalizedMessage: "),
                "{problem}"
            );
        }
    }

    #[test]
    fn types_within_anys_are_found() {
        let json =
            "{\"a\": [{\"@type\": \"x/b.C\", \"v\": {\"@type\": \"type.googleapis.com/d.E\"}}]}";
        assert_eq!(types_of_anys(json), ["b.C", "d.E"]);
        assert!(types_of_anys("{}").is_empty());
    }
}
