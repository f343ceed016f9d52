//! A field: its names, and how it is present.

use buffa_codegen::generated::descriptor::field_descriptor_proto::{Label, Type};
use buffa_codegen::generated::descriptor::{DescriptorProto, FieldDescriptorProto};
use buffa_codegen::idents::make_field_ident;
use buffa_descriptor::features::{self, FieldPresence, ResolvedFeatures};

use super::is_map_entry;

/// A field of a message.
pub(super) struct Field {
    /// Its name in JSON.
    pub(super) json: String,
    /// Its name in the `.proto` file.
    pub(super) proto: String,
    /// Its name in Rust.
    pub(super) rust: String,
    pub(super) presence: Presence,
}

/// How a field is present, each with a function of its own in the runtime.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Implicit,
    Optional,
    Required,
    Message,
    Repeated,
    Map,
    /// A member of the oneof with this number.
    Oneof(usize),
}

impl Presence {
    /// The function that reads such a field.
    pub(super) const fn reading(self) -> &'static str {
        match self {
            Self::Implicit | Self::Required => "implicit",
            Self::Optional => "optional",
            Self::Message => "field",
            Self::Repeated => "repeated",
            Self::Map => "map",
            Self::Oneof(_) => "oneof",
        }
    }

    /// The function that writes such a field.
    pub(super) const fn writing(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::Optional => "optional",
            Self::Required | Self::Oneof(_) => "always",
            Self::Message => "message",
            Self::Repeated => "repeated",
            Self::Map => "map",
        }
    }
}

impl Field {
    pub(super) fn of(
        field: &FieldDescriptorProto,
        message: &DescriptorProto,
        features: ResolvedFeatures,
    ) -> Self {
        let proto = field.name.clone().unwrap_or_default();
        let json = field.json_name.clone().unwrap_or_else(|| proto.clone());
        let rust = make_field_ident(&proto).to_string();
        Self { json, proto, rust, presence: presence(field, message, features) }
    }
}

fn presence(
    field: &FieldDescriptorProto,
    message: &DescriptorProto,
    features: ResolvedFeatures,
) -> Presence {
    let is_synthetic = field.proto3_optional == Some(true);
    if let Some(index) = field.oneof_index
        && !is_synthetic
    {
        return Presence::Oneof(usize::try_from(index).unwrap_or_default());
    }
    if field.label == Some(Label::LABEL_REPEATED) {
        return if is_map(field, message) { Presence::Map } else { Presence::Repeated };
    }
    if matches!(field.r#type, Some(Type::TYPE_MESSAGE | Type::TYPE_GROUP)) {
        return Presence::Message;
    }
    let features = features::resolve_child(&features, features::field_features(field));
    let is_required = field.label == Some(Label::LABEL_REQUIRED);
    match features.field_presence {
        _ if is_synthetic => Presence::Optional,
        _ if is_required => Presence::Required,
        FieldPresence::LegacyRequired => Presence::Required,
        FieldPresence::Explicit => Presence::Optional,
        _ => Presence::Implicit,
    }
}

fn is_map(field: &FieldDescriptorProto, message: &DescriptorProto) -> bool {
    let entry = field.type_name.as_deref().and_then(|name| name.rsplit('.').next());
    message.nested_type.iter().any(|nested| is_map_entry(nested) && nested.name.as_deref() == entry)
}
