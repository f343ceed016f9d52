//! Messages and enums as protobuf's canonical JSON: what each is called there, field by field.
//!
//! What a value of each type looks like is the runtime's business; the text says names and presence, and little else,
//! for every user compiles it.

mod field;
mod message;

use std::collections::BTreeMap;

use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto,
};
use buffa_descriptor::features;

use crate::error::{Error, Result};
use crate::stub::type_path;
use crate::text::Text;
use message::Message;

/// The JSON of one package.
#[derive(Default)]
pub(crate) struct PackageJson {
    pub(crate) text: String,
    /// The paths of its messages from the root of the tree.
    pub(crate) messages: Vec<String>,
}

/// What all of them share.
struct Scope<'a> {
    context: &'a CodeGenContext<'a>,
    package: &'a str,
    /// Whether unknown fields are kept, extensions among them. buffa-codegen gives the messages traits of serde then, with
    /// which it keeps extensions in JSON.
    keeps_unknown_fields: bool,
}

/// The JSON of all messages and enums in the named files, by package.
pub(crate) fn packages<'a>(
    files: &'a [FileDescriptorProto],
    names: &[String],
    context: &'a CodeGenContext<'a>,
    keeps_unknown_fields: bool,
) -> Result<BTreeMap<&'a str, PackageJson>> {
    let mut packages: BTreeMap<&str, (Text, Vec<String>)> = BTreeMap::new();
    for file in
        files.iter().filter(|file| file.name.as_ref().is_some_and(|name| names.contains(name)))
    {
        let package = file.package.as_deref().unwrap_or("");
        let scope = Scope { context, package, keeps_unknown_fields };
        let (text, messages) = packages.entry(package).or_default();
        let features = features::for_file(file);
        for item in &file.enum_type {
            scope.emit_enum(package, item, text)?;
        }
        for descriptor in &file.message_type {
            scope.emit_message(package, &[], descriptor, features, text, messages)?;
        }
    }
    let finished = packages.into_iter().map(|(package, (text, messages))| {
        (package, PackageJson { text: text.into_string(), messages })
    });
    Ok(finished.collect())
}

impl<'a> Scope<'a> {
    /// Emits a message and those inside of it. `around` is the full name of what it stands in, `outer` the messages there.
    fn emit_message(
        &self,
        around: &str,
        outer: &[&str],
        descriptor: &DescriptorProto,
        features: features::ResolvedFeatures,
        text: &mut Text,
        messages: &mut Vec<String>,
    ) -> Result {
        let name = descriptor.name.as_deref().unwrap_or("");
        let full_name = join(around, name);
        let features = features::resolve_child(&features, features::message_features(descriptor));
        let path = [outer, &[name]].concat();
        Message::of(self, &full_name, &path, descriptor, features)?.emit(text);
        messages.push(type_path(self.absolute_path(&full_name)?));
        for item in &descriptor.enum_type {
            self.emit_enum(&full_name, item, text)?;
        }
        for nested in descriptor.nested_type.iter().filter(|nested| !is_map_entry(nested)) {
            self.emit_message(&full_name, &path, nested, features, text, messages)?;
        }
        Ok(())
    }

    fn emit_enum(&self, around: &str, item: &EnumDescriptorProto, text: &mut Text) -> Result {
        let path = self.path(&join(around, item.name.as_deref().unwrap_or("")))?;
        text.gap();
        text.line(format_args!("impl ::farcall::json::Json for {path} {{"));
        text.line("fn write(&self, writer: &mut ::farcall::json::Writer) -> ::farcall::json::write::Result {");
        text.line("::farcall::json::write_enum(self, writer)");
        text.line("}");
        text.line("fn read(&mut self, reader: &mut ::farcall::json::Reader<'_>) -> ::farcall::json::read::Result<bool> {");
        text.line("::farcall::json::read_enum(self, reader)");
        text.line("}");
        text.line("}");
        Ok(())
    }

    /// The path to a type from the module of the package.
    fn path(&self, full_name: &str) -> Result<String> {
        let path = self.context.rust_type_relative(&format!(".{full_name}"), self.package, 0);
        path.map(|path| type_path(&path)).ok_or_else(|| unnamed(full_name))
    }

    fn absolute_path(&self, full_name: &str) -> Result<&'a str> {
        self.context.rust_type(&format!(".{full_name}")).ok_or_else(|| unnamed(full_name))
    }
}

fn unnamed(full_name: &str) -> Error {
    Error::new(format!("`{full_name}` has no Rust type"))
}

fn join(around: &str, name: &str) -> String {
    if around.is_empty() { name.to_owned() } else { format!("{around}.{name}") }
}

/// Whether the compiler made the message for the entries of a map.
fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_option().is_some_and(|options| options.map_entry == Some(true))
}
