//! Which of the compiled files become Rust: those asked for, and those whose types they use, however far.
//!
//! A file that is imported only for its options (`google/api/annotations.proto`) stays out, and with it the several
//! thousand lines of `descriptor.proto`.

use std::collections::{BTreeSet, HashMap};

use buffa_codegen::generated::descriptor::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

/// The names of the files to generate, in the order of `files`.
pub(crate) fn reachable(files: &[FileDescriptorProto], requested: &[String]) -> Vec<String> {
    let homes = type_homes(files);
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<usize> =
        (0..files.len()).filter(|&index| requested.contains(&name_of(&files[index]))).collect();
    while let Some(index) = waiting.pop() {
        if !reached.insert(index) {
            continue;
        }
        each_type_used(&files[index], &mut |type_name| {
            if let Some(&home) = homes.get(type_name) {
                waiting.push(home);
            }
        });
    }
    reached.into_iter().map(|index| name_of(&files[index])).collect()
}

fn name_of(file: &FileDescriptorProto) -> String {
    file.name.clone().unwrap_or_default()
}

/// Which file declares each message and enum, by full name with a leading dot.
fn type_homes(files: &[FileDescriptorProto]) -> HashMap<String, usize> {
    let mut homes = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        let package = file.package.as_deref().unwrap_or("");
        let scope = if package.is_empty() { String::new() } else { format!(".{package}") };
        for name in file.enum_type.iter().filter_map(|item| item.name.as_deref()) {
            homes.insert(format!("{scope}.{name}"), index);
        }
        for message in &file.message_type {
            add_message_home(message, &scope, index, &mut homes);
        }
    }
    homes
}

fn add_message_home(
    message: &DescriptorProto,
    scope: &str,
    index: usize,
    homes: &mut HashMap<String, usize>,
) {
    let name = format!("{scope}.{}", message.name.as_deref().unwrap_or(""));
    for item in message.enum_type.iter().filter_map(|item| item.name.as_deref()) {
        homes.insert(format!("{name}.{item}"), index);
    }
    for nested in &message.nested_type {
        add_message_home(nested, &name, index, homes);
    }
    homes.insert(name, index);
}

fn each_type_used(file: &FileDescriptorProto, visit: &mut impl FnMut(&str)) {
    file.extension.iter().for_each(|field| visit_field(field, visit));
    for message in &file.message_type {
        visit_message(message, visit);
    }
    for method in file.service.iter().flat_map(|service| &service.method) {
        visit(method.input_type.as_deref().unwrap_or(""));
        visit(method.output_type.as_deref().unwrap_or(""));
    }
}

fn visit_message(message: &DescriptorProto, visit: &mut impl FnMut(&str)) {
    message.field.iter().chain(&message.extension).for_each(|field| visit_field(field, visit));
    for nested in &message.nested_type {
        visit_message(nested, visit);
    }
}

fn visit_field(field: &FieldDescriptorProto, visit: &mut impl FnMut(&str)) {
    visit(field.type_name.as_deref().unwrap_or(""));
    visit(field.extendee.as_deref().unwrap_or(""));
}
