//! What one tree of generated modules has once: its files' descriptors, and the types that an `Any` may hold in JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use buffa::{Message, MessageField};
use buffa_codegen::generated::descriptor::{FileDescriptorProto, FileDescriptorSet};
use buffa_codegen::idents::escape_mod_ident;

/// The module at the root of the tree that holds it.
const MODULE: &str = "__farcall_protos";
/// Bytes of the descriptors per line of the literal: a line stays short enough to be shown.
const LINE: usize = 96;

/// The path from the module of a package to what its tree has once.
pub(crate) fn path_from(package: &str) -> String {
    let depth = package.split('.').filter(|segment| !segment.is_empty()).count();
    let up = if depth == 0 { "self::".to_owned() } else { "super::".repeat(depth) };
    format!("{up}{MODULE}::PROTOS")
}

/// The files that declare services and all that they import, however far, without comments, as one `FileDescriptorSet`.
///
/// Imports that no Rust was generated for are there as well: whoever reads the descriptors links all of them or none.
pub(crate) fn descriptor_set(files: &[FileDescriptorProto], names: &[String]) -> Vec<u8> {
    let mut wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    // Every file stands before the ones that import it.
    for file in files.iter().rev() {
        if wanted.contains(file.name.as_deref().unwrap_or("")) {
            wanted.extend(file.dependency.iter().map(String::as_str));
        }
    }
    let mut set = FileDescriptorSet::default();
    for file in files.iter().filter(|file| wanted.contains(file.name.as_deref().unwrap_or(""))) {
        let mut file = file.clone();
        file.source_code_info = MessageField::default();
        set.file.push(file);
    }
    set.encode_to_vec()
}

/// The names of the files among `names` that declare services.
pub(crate) fn with_services(files: &[FileDescriptorProto], names: &[String]) -> Vec<String> {
    let names_of = files.iter().filter(|file| !file.service.is_empty());
    names_of.filter_map(|file| file.name.clone()).filter(|name| names.contains(name)).collect()
}

/// What is known of a tree's messages while a program runs.
#[derive(Default)]
pub(crate) struct Known {
    /// The paths from the root of the tree to what an `Any` may hold.
    pub(crate) messages: Vec<String>,
    /// The packages with extensions.
    pub(crate) extensions: Vec<String>,
}

/// The text of the module.
pub(crate) fn module(descriptors: &[u8], known: &Known) -> String {
    let mut out = format!("mod {MODULE} {{\n");
    out.push_str(
        "    pub static PROTOS: ::farcall::stub::Protos =\n        ::farcall::stub::Protos::new(DESCRIPTORS, register_types);\n\n",
    );
    out.push_str(
        "    fn register_types(registry: &mut ::farcall::buffa::type_registry::TypeRegistry) {\n",
    );
    for message in &known.messages {
        let path = message.trim_start_matches("self::");
        let _ = writeln!(out, "        ::farcall::stub::register::<super::{path}>(registry);");
    }
    for package in &known.extensions {
        let path: String = package
            .split_terminator('.')
            .flat_map(|segment| [escape_mod_ident(segment), "::".to_owned()])
            .collect();
        let _ = writeln!(out, "        super::{path}__buffa::register_types(registry);");
    }
    out.push_str("    }\n\n    static DESCRIPTORS: &[u8] = b\"\\\n");
    write_bytes(descriptors, &mut out);
    out.push_str("\";\n}");
    out
}

/// The bytes as the inside of a byte string, in lines that each end with a backslash.
fn write_bytes(bytes: &[u8], out: &mut String) {
    for line in bytes.chunks(LINE) {
        for (index, &byte) in line.iter().enumerate() {
            // White space at the start of a continued line would be skipped.
            if index == 0 && byte == b' ' {
                out.push_str("\\x20");
            } else {
                let _ = write!(out, "{}", byte.escape_ascii());
            }
        }
        out.push_str("\\\n");
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, module, path_from};

    #[test]
    fn the_path_climbs_to_the_root_of_the_tree() {
        assert_eq!(path_from(""), "self::__farcall_protos::PROTOS");
        assert_eq!(path_from("a.v1"), "super::super::__farcall_protos::PROTOS");
    }

    #[test]
    fn a_continued_line_never_starts_with_a_space() {
        let known = Known {
            messages: vec!["self::a::B".to_owned()],
            extensions: vec!["a.type".to_owned()],
        };
        let text = module(&[b' '; 200], &known);
        assert!(text.contains("::register::<super::a::B>(registry);"));
        assert!(text.contains("super::a::r#type::__buffa::register_types(registry);"));
        let lines: Vec<_> = text.lines().filter(|line| line.ends_with('\\')).collect();
        assert!(lines[1..].iter().all(|line| line.starts_with("\\x20")), "{text}");
    }
}
