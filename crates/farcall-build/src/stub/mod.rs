//! Services: for each a trait that a server implements and a client struct.
//!
//! The text is written by hand, not by a pretty printer, because people jump into it and compiler errors quote it.
//! Every path that leads to a type of the user starts with `self::` or `super::`, so that a message called `Option` or a
//! service called `Send` changes nothing.

mod client;
mod method;
mod names;
mod server;
mod service;
mod table;

use std::collections::BTreeMap;

use buffa_codegen::context::CodeGenContext;

use crate::error::Result;
use crate::origin::Origin;
use crate::source::Sources;
use crate::text::Text;
use service::Service;

pub(crate) use names::type_path;

/// The stubs of one package.
pub(crate) struct PackageStubs {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The stubs of all services in the named files, sorted by package.
pub(crate) fn packages(
    sources: &Sources,
    names: &[String],
    context: &CodeGenContext<'_>,
) -> Result<Vec<PackageStubs>> {
    let taken = names::Taken::of(&sources.files, names, context);
    let mut by_package: BTreeMap<&str, Vec<Service>> = BTreeMap::new();
    for file in &sources.files {
        let wanted = file.name.as_ref().is_some_and(|name| names.contains(name));
        if wanted && !file.service.is_empty() {
            let package = file.package.as_deref().unwrap_or("");
            let services = Service::all_of(&Origin::of(file, &sources.paths), &taken, context)?;
            by_package.entry(package).or_default().extend(services);
        }
    }
    let stubs = by_package.into_iter().map(|(package, services)| PackageStubs {
        name: package.to_owned(),
        text: package_text(&services),
    });
    Ok(stubs.collect())
}

fn package_text(services: &[Service]) -> String {
    let mut text = Text::default();
    for service in services {
        server::emit(service, &mut text);
        client::emit(service, &mut text);
    }
    table::emit(services, &mut text);
    text.into_string()
}
