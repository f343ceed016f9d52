//! The details of a status, as JSON.

use std::sync::Arc;

use buffa::{UnknownField, UnknownFieldData, UnknownFields};
use buffa_descriptor::DynamicMessage;
use farcall::{Any, Status};
use serde_json::json;

use crate::metadata::base64;
use crate::schema::Schema;

/// A text for each detail; in base64 what nobody can describe.
pub(super) async fn lines(schema: &mut Schema, status: &Status, pretty: bool) -> Vec<String> {
    let types = status.details().iter().map(|detail| type_name(detail).to_owned());
    let _ = schema.learn(types.collect()).await;
    status.details().iter().map(|detail| line(schema, detail, pretty)).collect()
}

fn type_name(detail: &Any) -> &str {
    detail.type_url.rsplit('/').next().unwrap_or_default()
}

fn line(schema: &mut Schema, detail: &Any, pretty: bool) -> String {
    decoded(schema, detail, pretty).unwrap_or_else(|| {
        json!({ "@type": detail.type_url, "value": base64(&detail.value) }).to_string()
    })
}

/// None for what is unknown or broken.
fn decoded(schema: &mut Schema, detail: &Any, pretty: bool) -> Option<String> {
    let message = schema.well_known("google/protobuf/any.proto", "google.protobuf.Any")?;
    let pool = Arc::clone(schema.pool());
    pool.message_index(type_name(detail))?;
    let mut fields = UnknownFields::new();
    for (number, data) in [(1, detail.type_url.as_bytes()), (2, &detail.value[..])] {
        let data = UnknownFieldData::LengthDelimited(data.to_vec());
        fields.push(UnknownField { number, data });
    }
    let mut bytes = Vec::new();
    fields.write_to(&mut bytes);
    let any = DynamicMessage::decode(pool, message, &bytes).ok()?;
    if pretty { serde_json::to_string_pretty(&any).ok() } else { any.to_json().ok() }
}
