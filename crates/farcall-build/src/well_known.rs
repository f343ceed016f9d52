//! The well-known types whose JSON is not that of a plain message: they come with the runtime instead of being generated.
//!
//! `google.protobuf.Timestamp` is text in JSON, `Any` unfolds what it holds, and no generator knows that. `Api`, `Type` and
//! `SourceContext` are plain messages, whatever the name of their package, and are generated like those of the user.

use buffa_codegen::CodeGenConfig;

/// The package of them all.
const PACKAGE: &str = "google.protobuf";
/// Where the runtime keeps them.
const HOME: &str = "::farcall::buffa_types::google::protobuf";

/// A file that declares them, and what it declares.
struct File {
    name: &'static str,
    types: &'static [&'static str],
    /// The module with the oneof of `Value`, the only one there is.
    modules: &'static [&'static str],
}

const FILES: &[File] = &[
    File { name: "google/protobuf/any.proto", types: &["Any"], modules: &[] },
    File { name: "google/protobuf/duration.proto", types: &["Duration"], modules: &[] },
    File { name: "google/protobuf/empty.proto", types: &["Empty"], modules: &[] },
    File { name: "google/protobuf/field_mask.proto", types: &["FieldMask"], modules: &[] },
    File {
        name: "google/protobuf/struct.proto",
        types: &["ListValue", "NullValue", "Struct", "Value"],
        modules: &["value"],
    },
    File { name: "google/protobuf/timestamp.proto", types: &["Timestamp"], modules: &[] },
    File {
        name: "google/protobuf/wrappers.proto",
        types: &[
            "BoolValue",
            "BytesValue",
            "DoubleValue",
            "FloatValue",
            "Int32Value",
            "Int64Value",
            "StringValue",
            "UInt32Value",
            "UInt64Value",
        ],
        modules: &[],
    },
];

/// Tells the generator where the types are.
pub(crate) fn refer(config: &mut CodeGenConfig) {
    for name in FILES.iter().flat_map(|file| file.types) {
        config.extern_paths.push((format!(".{PACKAGE}.{name}"), format!("{HOME}::{name}")));
    }
}

/// Takes the files of these types out of `names`. What comes back re-exports their types, for the module of the package.
pub(crate) fn take_out(names: &mut Vec<String>) -> Option<(&'static str, String)> {
    let mut items: Vec<&str> = Vec::new();
    names.retain(|name| {
        let file = FILES.iter().find(|file| file.name == name);
        items.extend(file.into_iter().flat_map(|file| file.types.iter().chain(file.modules)));
        file.is_none()
    });
    let uses = items.iter().map(|item| format!("pub use {HOME}::{item};\n"));
    (!items.is_empty()).then(|| (PACKAGE, uses.collect()))
}
