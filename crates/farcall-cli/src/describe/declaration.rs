//! Descriptors as the .proto text they may have come from. Comments are not shown, nor options that only compilers want.

use std::fmt::Write as _;

use buffa_descriptor::DescriptorPool;
use buffa_descriptor::generated::descriptor::field_descriptor_proto::{Label, Type};
use buffa_descriptor::generated::descriptor::method_options::IdempotencyLevel;
use buffa_descriptor::generated::descriptor::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MethodDescriptorProto, ServiceDescriptorProto,
};

use crate::schema::{Symbol, SymbolKind};

/// The declaration of a symbol, with its package; none when the pool has no such symbol.
pub(super) fn of(pool: &DescriptorPool, symbol: &Symbol) -> Option<String> {
    let declared = symbol.name.replace('/', ".");
    let file = pool.file_containing_symbol(&declared)?;
    let package = file.package.as_deref().unwrap_or_default();
    let path = declared.strip_prefix(package)?.trim_start_matches('.');
    let mut page = Page::new(file);
    match symbol.kind {
        SymbolKind::Service => page.service(named(&file.service, path)?),
        SymbolKind::Method => {
            let (service, method) = path.split_once('.')?;
            page.method(named(&named(&file.service, service)?.method, method)?);
        }
        SymbolKind::Message => page.message(find_message(&file.message_type, path)?),
        SymbolKind::Enum => page.enumeration(match path.rsplit_once('.') {
            Some((message, name)) => {
                named(&find_message(&file.message_type, message)?.enum_type, name)?
            }
            None => named(&file.enum_type, path)?,
        }),
    }
    Some(page.text)
}

/// Whatever is declared by a name.
trait Named {
    fn name(&self) -> &str;
}

macro_rules! named {
    ($($type:ty),*) => {
        $(impl Named for $type {
            fn name(&self) -> &str {
                self.name.as_deref().unwrap_or_default()
            }
        })*
    };
}

named!(
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto
);

fn named<'a, T: Named>(declared: &'a [T], name: &str) -> Option<&'a T> {
    declared.iter().find(|declared| declared.name() == name)
}

fn find_message<'a>(messages: &'a [DescriptorProto], path: &str) -> Option<&'a DescriptorProto> {
    match path.split_once('.') {
        None => named(messages, path),
        Some((outer, rest)) => find_message(&named(messages, outer)?.nested_type, rest),
    }
}

/// A text that grows line by line.
struct Page<'a> {
    file: &'a FileDescriptorProto,
    text: String,
    depth: usize,
}

impl<'a> Page<'a> {
    fn new(file: &'a FileDescriptorProto) -> Self {
        let mut page = Self { file, text: String::new(), depth: 0 };
        if let Some(package) = file.package.as_deref().filter(|package| !package.is_empty()) {
            let _ = write!(page.text, "package {package};\n\n");
        }
        page
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = 2 * self.depth);
    }

    fn block(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.line(&format!("{head} {{"));
        let opened = self.text.len();
        self.depth += 1;
        body(self);
        self.depth -= 1;
        if self.text.len() == opened {
            self.text.truncate(before);
            self.line(&format!("{head} {{}}"));
        } else {
            self.line("}");
        }
    }

    fn service(&mut self, service: &ServiceDescriptorProto) {
        self.block(&format!("service {}", service.name()), |page| {
            if service.options.deprecated == Some(true) {
                page.line("option deprecated = true;");
            }
            for method in &service.method {
                page.method(method);
            }
        });
    }

    fn method(&mut self, method: &MethodDescriptorProto) {
        let side = |streams: Option<bool>, name: &Option<String>| {
            let stream = if streams == Some(true) { "stream " } else { "" };
            format!("{stream}{}", self.short(name.as_deref().unwrap_or_default()))
        };
        let head = format!(
            "rpc {}({}) returns ({})",
            method.name(),
            side(method.client_streaming, &method.input_type),
            side(method.server_streaming, &method.output_type)
        );
        let level = match method.options.idempotency_level {
            Some(IdempotencyLevel::NO_SIDE_EFFECTS) => Some("NO_SIDE_EFFECTS"),
            Some(IdempotencyLevel::IDEMPOTENT) => Some("IDEMPOTENT"),
            _ => None,
        };
        let is_deprecated = method.options.deprecated == Some(true);
        if level.is_none() && !is_deprecated {
            self.line(&format!("{head};"));
            return;
        }
        self.block(&head, |page| {
            if is_deprecated {
                page.line("option deprecated = true;");
            }
            if let Some(level) = level {
                page.line(&format!("option idempotency_level = {level};"));
            }
        });
    }

    fn message(&mut self, message: &DescriptorProto) {
        self.block(&format!("message {}", message.name()), |page| page.message_body(message));
    }

    fn message_body(&mut self, message: &DescriptorProto) {
        if message.options.deprecated == Some(true) {
            self.line("option deprecated = true;");
        }
        let mut shown_oneofs = Vec::new();
        for field in &message.field {
            match oneof(field) {
                Some(index) if shown_oneofs.contains(&index) => {}
                Some(index) => {
                    shown_oneofs.push(index);
                    self.oneof(message, index);
                }
                None => self.field(field, message),
            }
        }
        for range in &message.extension_range {
            let (first, end) = (range.start.unwrap_or_default(), range.end.unwrap_or_default());
            self.line(&format!("extensions {};", numbers(first, end.saturating_sub(1))));
        }
        let ranges = message.reserved_range.iter().map(|range| {
            numbers(
                range.start.unwrap_or_default(),
                range.end.unwrap_or_default().saturating_sub(1),
            )
        });
        self.reserved(&ranges.collect::<Vec<_>>(), &message.reserved_name);
        for item in &message.enum_type {
            self.enumeration(item);
        }
        for nested in message.nested_type.iter().filter(|nested| !is_hidden(nested, message)) {
            self.message(nested);
        }
    }

    fn oneof(&mut self, message: &DescriptorProto, index: i32) {
        let declared = usize::try_from(index).ok().and_then(|index| message.oneof_decl.get(index));
        let name = declared.and_then(|oneof| oneof.name.as_deref()).unwrap_or_default();
        self.block(&format!("oneof {name}"), |page| {
            for field in message.field.iter().filter(|field| oneof(field) == Some(index)) {
                page.field(field, message);
            }
        });
    }

    fn field(&mut self, field: &FieldDescriptorProto, message: &DescriptorProto) {
        let number = field.number.unwrap_or_default();
        let (label, options) = (self.label(field), options(field));
        let entry = map_entry(field, message);
        if let Some((key, value)) = entry {
            let (key, value) = (self.type_name(key), self.type_name(value));
            self.line(&format!("map<{key}, {value}> {} = {number}{options};", field.name()));
        } else if field.r#type == Some(Type::TYPE_GROUP) && self.file.edition.is_none() {
            let group = group(field, message);
            let name = group.map_or(field.name(), Named::name);
            self.block(&format!("{label}group {name} = {number}{options}"), |page| {
                if let Some(group) = group {
                    page.message_body(group);
                }
            });
        } else {
            let name = self.type_name(field);
            self.line(&format!("{label}{name} {} = {number}{options};", field.name()));
        }
    }

    /// The word in front of a field's type, which depends on the syntax.
    fn label(&self, field: &FieldDescriptorProto) -> &'static str {
        let is_proto2 = matches!(self.file.syntax.as_deref(), None | Some("" | "proto2"));
        let is_proto2 = is_proto2 && self.file.edition.is_none();
        match field.label {
            Some(Label::LABEL_REPEATED) => "repeated ",
            Some(Label::LABEL_REQUIRED) if is_proto2 => "required ",
            _ if field.proto3_optional == Some(true) => "optional ",
            _ if is_proto2 && field.oneof_index.is_none() => "optional ",
            _ => "",
        }
    }

    fn type_name(&self, field: &FieldDescriptorProto) -> String {
        match field.type_name.as_deref() {
            Some(name) => self.short(name),
            None => field.r#type.and_then(scalar).unwrap_or("?").to_owned(),
        }
    }

    /// The name as it is written in the file: without the package, when it is the same.
    fn short(&self, name: &str) -> String {
        let full = name.trim_start_matches('.');
        let package = self.file.package.as_deref().unwrap_or_default();
        let within = full.strip_prefix(package).and_then(|rest| rest.strip_prefix('.'));
        within.filter(|_| !package.is_empty()).unwrap_or(full).to_owned()
    }

    fn enumeration(&mut self, item: &EnumDescriptorProto) {
        self.block(&format!("enum {}", item.name.as_deref().unwrap_or_default()), |page| {
            if item.options.allow_alias == Some(true) {
                page.line("option allow_alias = true;");
            }
            for value in &item.value {
                let name = value.name.as_deref().unwrap_or_default();
                let is_deprecated = value.options.deprecated == Some(true);
                let options = if is_deprecated { " [deprecated = true]" } else { "" };
                page.line(&format!("{name} = {}{options};", value.number.unwrap_or_default()));
            }
            let ranges = item.reserved_range.iter().map(|range| {
                numbers(range.start.unwrap_or_default(), range.end.unwrap_or_default())
            });
            page.reserved(&ranges.collect::<Vec<_>>(), &item.reserved_name);
        });
    }

    fn reserved(&mut self, ranges: &[String], names: &[String]) {
        if !ranges.is_empty() {
            self.line(&format!("reserved {};", ranges.join(", ")));
        }
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
            self.line(&format!("reserved {};", names.join(", ")));
        }
    }
}

/// The oneof that the field is in; what stands for `optional` is none.
fn oneof(field: &FieldDescriptorProto) -> Option<i32> {
    field.oneof_index.filter(|_| field.proto3_optional != Some(true))
}

/// The nested message behind a field: the entry of a map, or a group.
fn nested<'a>(
    field: &FieldDescriptorProto,
    message: &'a DescriptorProto,
) -> Option<&'a DescriptorProto> {
    let name = field.type_name.as_deref()?.rsplit('.').next()?;
    named(&message.nested_type, name)
}

fn map_entry<'a>(
    field: &FieldDescriptorProto,
    message: &'a DescriptorProto,
) -> Option<(&'a FieldDescriptorProto, &'a FieldDescriptorProto)> {
    let entry = nested(field, message).filter(|entry| entry.options.map_entry == Some(true))?;
    Some((named(&entry.field, "key")?, named(&entry.field, "value")?))
}

fn group<'a>(
    field: &FieldDescriptorProto,
    message: &'a DescriptorProto,
) -> Option<&'a DescriptorProto> {
    (field.r#type == Some(Type::TYPE_GROUP)).then(|| nested(field, message)).flatten()
}

/// Whether a nested message is shown as its field.
fn is_hidden(nested: &DescriptorProto, message: &DescriptorProto) -> bool {
    let is_group = |field| group(field, message).is_some_and(|group| group.name == nested.name);
    nested.options.map_entry == Some(true) || message.field.iter().any(is_group)
}

fn options(field: &FieldDescriptorProto) -> String {
    let mut options = Vec::new();
    if let Some(value) = &field.default_value {
        let is_text = matches!(field.r#type, Some(Type::TYPE_STRING | Type::TYPE_BYTES));
        options.push(if is_text {
            format!("default = \"{}\"", value.replace('"', "\\\""))
        } else {
            format!("default = {value}")
        });
    }
    if let Some(name) = field.json_name.as_deref().filter(|name| *name != camel(field.name())) {
        options.push(format!("json_name = {name:?}"));
    }
    if field.options.deprecated == Some(true) {
        options.push("deprecated = true".to_owned());
    }
    if options.is_empty() { String::new() } else { format!(" [{}]", options.join(", ")) }
}

/// The name in JSON when nothing else is said.
fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for char in name.chars() {
        if char == '_' {
            upper = true;
        } else {
            camel.push(if upper { char.to_ascii_uppercase() } else { char });
            upper = false;
        }
    }
    camel
}

/// The last number that a field can have, which `max` stands for, and the last of an enum.
const MAX_NUMBERS: [i32; 2] = [(1 << 29) - 1, i32::MAX];

/// `5`, `5 to 7` or `5 to max`, both included.
fn numbers(first: i32, last: i32) -> String {
    if first == last {
        first.to_string()
    } else if MAX_NUMBERS.contains(&last) {
        format!("{first} to max")
    } else {
        format!("{first} to {last}")
    }
}

fn scalar(kind: Type) -> Option<&'static str> {
    Some(match kind {
        Type::TYPE_DOUBLE => "double",
        Type::TYPE_FLOAT => "float",
        Type::TYPE_INT64 => "int64",
        Type::TYPE_UINT64 => "uint64",
        Type::TYPE_INT32 => "int32",
        Type::TYPE_FIXED64 => "fixed64",
        Type::TYPE_FIXED32 => "fixed32",
        Type::TYPE_BOOL => "bool",
        Type::TYPE_STRING => "string",
        Type::TYPE_BYTES => "bytes",
        Type::TYPE_UINT32 => "uint32",
        Type::TYPE_SFIXED32 => "sfixed32",
        Type::TYPE_SFIXED64 => "sfixed64",
        Type::TYPE_SINT32 => "sint32",
        Type::TYPE_SINT64 => "sint64",
        Type::TYPE_GROUP | Type::TYPE_MESSAGE | Type::TYPE_ENUM => return None,
    })
}
