//! Messages and enums, by buffa-codegen, as lean as it can make them.
//!
//! No JSON, which is generated beside them; no views, no text format and no reflection: each of them costs every user
//! compile time.

use buffa_codegen::generated::descriptor::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};
use buffa_codegen::{BytesRepr, CodeGenConfig, GeneratedFileKind};

use crate::builder::MessageOptions;
use crate::error::{Error, Result};
use crate::{runtime_path, well_known};

/// What `derive` has to be told when `serde` is no dependency of the crate that it runs in.
const SERDE_PATH: &str = "#[serde(crate = \"::farcall::serde\")]";
/// The function that adds a package's extensions to those that are known, and how its package exports it.
const REGISTER: &str = "pub fn register_types(";
const REGISTER_EXPORT: &str = "#[doc(inline)]\npub use self::__buffa::register_types;\n";

/// The generated text of one package.
pub(crate) struct PackageText {
    pub(crate) package: String,
    pub(crate) text: String,
    /// Whether it has extensions, which `__buffa::register_types` of the package knows.
    pub(crate) has_extensions: bool,
}

/// How buffa-codegen is asked to generate.
pub(crate) fn config(options: &MessageOptions) -> CodeGenConfig {
    let mut config = CodeGenConfig::default();
    config.generate_views = false;
    config.generate_with_setters = false;
    // For the JSON of extensions, which it alone knows.
    config.generate_json = options.keep_unknown_fields;
    if options.keep_unknown_fields {
        config.message_attributes = vec![(".".to_owned(), SERDE_PATH.to_owned())];
    }
    config.emit_register_fn = true;
    config.file_per_package = true;
    config.preserve_unknown_fields = options.keep_unknown_fields;
    // The items of a message set are extensions, which live among unknown fields.
    config.allow_message_set = options.keep_unknown_fields;
    config.bytes_fields =
        options.shared_bytes.iter().map(|path| (path.clone(), BytesRepr::Bytes)).collect();
    well_known::refer(&mut config);
    config
}

/// Generates the messages of the named files, one text per package, sorted by package.
pub(crate) fn generate(
    files: &[FileDescriptorProto],
    names: &[String],
    config: &CodeGenConfig,
) -> Result<Vec<PackageText>> {
    let (generated, warnings) = buffa_codegen::generate_with_diagnostics(files, names, config)
        .map_err(|error| Error::new(error.to_string()))?;
    if std::env::var_os("OUT_DIR").is_some() {
        for warning in warnings {
            println!("cargo:warning={warning}");
        }
    }
    let packages = generated.into_iter().filter(|file| file.kind == GeneratedFileKind::PackageMod);
    let texts = packages.map(|file| PackageText {
        has_extensions: file.content.contains(REGISTER),
        // Only the root of the tree calls the function; the user's packages hold what the user wrote.
        text: runtime_path::rewrite(&file.content.replace(REGISTER_EXPORT, "")),
        package: file.package,
    });
    Ok(texts.collect())
}

/// Drops the extensions that no generated message could hold.
///
/// An extension lives among a message's unknown fields. And the options of `descriptor.proto`, which custom options
/// extend, are read by generators, not by programs: generating them would cost each user 20,000 lines.
pub(crate) fn drop_extensions(files: &mut [FileDescriptorProto], options: &MessageOptions) {
    let keep = |field: &FieldDescriptorProto| {
        let extendee = field.extendee.as_deref().unwrap_or("");
        options.keep_unknown_fields && !extendee.starts_with(".google.protobuf.")
    };
    for file in files {
        file.extension.retain(keep);
        file.message_type.iter_mut().for_each(|message| drop_in_message(message, &keep));
    }
}

fn drop_in_message(message: &mut DescriptorProto, keep: &impl Fn(&FieldDescriptorProto) -> bool) {
    message.extension.retain(keep);
    message.nested_type.iter_mut().for_each(|nested| drop_in_message(nested, keep));
}
