//! Descriptors in, one Rust text out: messages, stubs and the tree that holds both.

use buffa_codegen::context::CodeGenContext;

use crate::builder::MessageOptions;
use crate::error::Result;
use crate::origin::Origin;
use crate::source::Sources;
use crate::tree::Tree;
use crate::{json, messages, protos, reach, refused, stub, well_known};

/// The text of `farcall.rs`. The same descriptors give the same text, byte for byte.
pub(crate) fn generate(mut sources: Sources, options: &MessageOptions) -> Result<String> {
    let described = descriptors(&sources);
    messages::drop_extensions(&mut sources.files, options);
    let mut names = reach::reachable(&sources.files, &sources.requested);
    let mut tree = Tree::default();
    if let Some((package, exports)) = well_known::take_out(&mut names) {
        tree.add(package, &exports);
    }
    for file in sources
        .files
        .iter()
        .filter(|file| file.name.as_ref().is_some_and(|name| names.contains(name)))
    {
        refused::check(&Origin::of(file, &sources.paths))?;
    }
    let config = messages::config(options);
    let context = CodeGenContext::for_generate(&sources.files, &names, &config);
    for package in stub::packages(&sources, &names, &context)? {
        tree.add(&package.name, &package.text);
    }
    let mut known = protos::Known::default();
    for package in messages::generate(&sources.files, &names, &config)? {
        tree.add(&package.package, &package.text);
        if package.has_extensions {
            known.extensions.push(package.package);
        }
    }
    for (package, json) in
        json::packages(&sources.files, &names, &context, options.keep_unknown_fields)?
    {
        tree.add(package, &json.text);
        known.messages.extend(json.messages);
    }
    if let Some(descriptors) = described {
        tree.set_protos(protos::module(&descriptors, &known));
    }
    tree.emit(&sources.requested)
}

/// The descriptors of all files with services that Rust is generated for; none without a service.
fn descriptors(sources: &Sources) -> Option<Vec<u8>> {
    let names = reach::reachable(&sources.files, &sources.requested);
    let with_services = protos::with_services(&sources.files, &names);
    (!with_services.is_empty()).then(|| protos::descriptor_set(&sources.files, &with_services))
}
