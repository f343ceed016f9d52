//! Descriptors in, one Rust text out: messages, stubs and the tree that holds both.

use buffa_codegen::context::CodeGenContext;

use crate::builder::MessageOptions;
use crate::error::Result;
use crate::origin::Origin;
use crate::source::Sources;
use crate::tree::Tree;
use crate::{messages, reach, refused, runtime_path, stub};

/// The text of `farcall.rs`. The same descriptors give the same text, byte for byte.
pub(crate) fn generate(mut sources: Sources, options: &MessageOptions) -> Result<String> {
    messages::drop_extensions(&mut sources.files, options);
    let names = reach::reachable(&sources.files, &sources.requested);
    for file in sources
        .files
        .iter()
        .filter(|file| file.name.as_ref().is_some_and(|name| names.contains(name)))
    {
        refused::check(&Origin::of(file, &sources.paths))?;
    }
    let config = messages::config(options);

    let mut tree = Tree::default();
    let context = CodeGenContext::for_generate(&sources.files, &names, &config);
    for package in stub::packages(&sources, &names, &context)? {
        tree.add(&package.name, &package.text);
    }
    for package in messages::generate(&sources.files, &names, &config)? {
        tree.add(&package.package, &runtime_path::rewrite(&package.text));
    }
    tree.emit(&sources.requested)
}
