//! Which file declares what, over the descriptors of all services of a server.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::service::Service;
use crate::services::reflection::descriptor::{
    ENUM_VALUE, Fields, NAME, SERVICE_METHOD, SET_FILE, field, file, message,
};

/// The files behind a server's services.
#[derive(Default)]
pub(super) struct Index {
    files: Vec<File>,
    by_name: HashMap<&'static str, Found>,
    /// Services, methods, messages, fields, oneofs, enums, their values and extensions, by full name.
    by_symbol: HashMap<String, Found>,
    /// Extensions, by the full name of the message and the field's number. Every message is there.
    extensions: HashMap<String, BTreeMap<i32, Found>>,
    services: Vec<&'static str>,
}

/// A file of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found(usize);

struct File {
    /// Its `FileDescriptorProto`.
    bytes: &'static [u8],
    imports: Vec<&'static str>,
}

impl Index {
    pub(super) fn of(services: &[Service]) -> Self {
        let mut index = Self::default();
        // The services of one tree of generated code share their descriptors.
        let mut seen = HashSet::new();
        for service in services {
            index.services.push(service.name());
            let set = service.descriptors().filter(|set| seen.insert(set.as_ptr()));
            for file in set.into_iter().flat_map(|set| Fields::all(set, SET_FILE)) {
                index.add_file(file);
            }
        }
        index.services.sort_unstable();
        index.services.dedup();
        index
    }

    pub(super) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// The full names of the server's services, sorted.
    pub(super) fn services(&self) -> &[&'static str] {
        &self.services
    }

    pub(super) fn file(&self, name: &str) -> Option<Found> {
        self.by_name.get(name).copied()
    }

    pub(super) fn symbol(&self, name: &str) -> Option<Found> {
        self.by_symbol.get(name).copied()
    }

    pub(super) fn extension(&self, message: &str, number: i32) -> Option<Found> {
        self.extensions.get(message)?.get(&number).copied()
    }

    /// The numbers of a message's extensions, rising; none when there is no such message.
    pub(super) fn extensions(&self, message: &str) -> Option<Vec<i32>> {
        self.extensions.get(message).map(|extensions| extensions.keys().copied().collect())
    }

    /// The file, and of what it imports, however far, all that was not sent before.
    pub(super) fn with_imports(&self, found: Found, sent: &mut [bool]) -> Vec<&'static [u8]> {
        let mut files = Vec::new();
        let mut waiting = vec![found.0];
        while let Some(number) = waiting.pop() {
            // The file that was asked for is told again; the others were the answer to something else.
            if sent[number] && !(files.is_empty() && number == found.0) {
                continue;
            }
            sent[number] = true;
            let file = &self.files[number];
            files.push(file.bytes);
            let imports = file.imports.iter().rev().filter_map(|name| self.by_name.get(name));
            waiting.extend(imports.map(|found| found.0));
        }
        files
    }

    /// Adds a file, unless another tree of generated code has brought it already.
    fn add_file(&mut self, bytes: &'static [u8]) {
        let name = Fields::text(bytes, file::NAME);
        let found = Found(self.files.len());
        if self.by_name.contains_key(name) {
            return;
        }
        self.by_name.insert(name, found);
        let imports = Fields::all(bytes, file::DEPENDENCY);
        let imports = imports.filter_map(|name| str::from_utf8(name).ok()).collect();
        self.files.push(File { bytes, imports });

        let package = Fields::text(bytes, file::PACKAGE);
        for message in Fields::all(bytes, file::MESSAGE) {
            self.add_message(message, package, found);
        }
        for item in Fields::all(bytes, file::ENUM) {
            self.add_enum(item, package, found);
        }
        for service in Fields::all(bytes, file::SERVICE) {
            let scope = self.add_symbol(service, package, found);
            for method in Fields::all(service, SERVICE_METHOD) {
                self.add_symbol(method, &scope, found);
            }
        }
        for extension in Fields::all(bytes, file::EXTENSION) {
            self.add_extension(extension, package, found);
        }
    }

    fn add_message(&mut self, bytes: &'static [u8], scope: &str, found: Found) {
        let name = self.add_symbol(bytes, scope, found);
        for part in [message::FIELD, message::ONEOF] {
            for part in Fields::all(bytes, part) {
                self.add_symbol(part, &name, found);
            }
        }
        for nested in Fields::all(bytes, message::NESTED) {
            self.add_message(nested, &name, found);
        }
        for item in Fields::all(bytes, message::ENUM) {
            self.add_enum(item, &name, found);
        }
        for extension in Fields::all(bytes, message::EXTENSION) {
            self.add_extension(extension, &name, found);
        }
        self.extensions.entry(name).or_default();
    }

    /// The values of an enum are named as if they stood beside it.
    fn add_enum(&mut self, item: &'static [u8], scope: &str, found: Found) {
        self.add_symbol(item, scope, found);
        for value in Fields::all(item, ENUM_VALUE) {
            self.add_symbol(value, scope, found);
        }
    }

    fn add_extension(&mut self, extension: &'static [u8], scope: &str, found: Found) {
        self.add_symbol(extension, scope, found);
        let extendee = Fields::text(extension, field::EXTENDEE).trim_start_matches('.');
        let number = i32::try_from(Fields::number(extension, field::NUMBER)).unwrap_or(0);
        self.extensions.entry(extendee.to_owned()).or_default().entry(number).or_insert(found);
    }

    fn add_symbol(&mut self, bytes: &'static [u8], scope: &str, found: Found) -> String {
        let name = Fields::text(bytes, NAME);
        let name = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        self.by_symbol.entry(name.clone()).or_insert(found);
        name
    }
}
