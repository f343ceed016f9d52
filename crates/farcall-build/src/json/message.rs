//! One message: how it is written and how it is read.

use buffa_codegen::generated::descriptor::DescriptorProto;
use buffa_codegen::idents::make_field_ident;
use buffa_descriptor::features::ResolvedFeatures;

use super::Scope;
use super::field::{Field, Presence};
use crate::error::Result;
use crate::text::Text;

/// Where buffa-codegen keeps unknown fields.
const UNKNOWN_FIELDS: &str = "self.__buffa_unknown_fields";

/// A message and what its text needs.
pub(super) struct Message {
    full_name: String,
    /// The path to its type.
    path: String,
    /// In the order of the declaration.
    fields: Vec<Field>,
    oneofs: Vec<Oneof>,
    /// Whether it can have extensions.
    is_extensible: bool,
    /// Whether it has the traits of serde already.
    has_serde: bool,
}

struct Oneof {
    /// Its name in the `.proto` file.
    name: String,
    /// Its name as a field in Rust.
    field: String,
    /// The path to the enum.
    path: String,
}

impl Message {
    pub(super) fn of(
        scope: &Scope<'_>,
        full_name: &str,
        path: &[&str],
        descriptor: &DescriptorProto,
        features: ResolvedFeatures,
    ) -> Result<Self> {
        let oneofs = descriptor.oneof_decl.iter().filter_map(|oneof| oneof.name.as_deref());
        let fields = descriptor.field.iter();
        Ok(Self {
            full_name: full_name.to_owned(),
            path: scope.path(full_name)?,
            fields: fields.map(|field| Field::of(field, descriptor, features)).collect(),
            oneofs: oneofs.map(|name| Oneof::new(name, path)).collect(),
            is_extensible: scope.keeps_unknown_fields && !descriptor.extension_range.is_empty(),
            has_serde: scope.keeps_unknown_fields,
        })
    }

    pub(super) fn emit(&self, text: &mut Text) {
        text.gap();
        text.line(format_args!("impl ::farcall::json::Json for {} {{", self.path));
        self.emit_write(text);
        self.emit_read(text);
        text.line("}");
        if !self.has_serde {
            self.emit_serde(text);
        }
    }

    fn emit_write(&self, text: &mut Text) {
        text.line("fn write(&self, writer: &mut ::farcall::json::Writer) -> ::farcall::json::write::Result {");
        text.line("let mut members = writer.object()?;");
        for (index, field) in self.fields.iter().enumerate() {
            if let Presence::Oneof(number) = field.presence {
                // A oneof stands where its first member does.
                let is_first =
                    !self.fields[..index].iter().any(|other| other.presence == field.presence);
                if is_first {
                    self.emit_write_oneof(number, text);
                }
                continue;
            }
            let Field { json, rust, presence, .. } = field;
            text.line(format_args!("members.{}({json:?}, &self.{rust})?;", presence.writing()));
        }
        if self.is_extensible {
            text.line(format_args!(
                "members.extensions({:?}, &{UNKNOWN_FIELDS})?;",
                self.full_name
            ));
        }
        text.line("members.end()");
        text.line("}");
    }

    fn emit_write_oneof(&self, number: usize, text: &mut Text) {
        let Oneof { field, path, .. } = &self.oneofs[number];
        text.line(format_args!("match &self.{field} {{"));
        text.line("::core::option::Option::None => {}");
        for member in self.members(number) {
            let variant = variant(&member.proto);
            let writing = member.presence.writing();
            text.line(format_args!(
                "::core::option::Option::Some({path}::{variant}(value)) => members.{writing}({:?}, value)?,",
                member.json
            ));
        }
        text.line("}");
    }

    fn emit_read(&self, text: &mut Text) {
        text.line("fn read(&mut self, reader: &mut ::farcall::json::Reader<'_>) -> ::farcall::json::read::Result<bool> {");
        text.line("const NAMES: &[::farcall::json::Name] = ::farcall::json::names![");
        for field in &self.fields {
            text.line(format_args!("({:?}, {:?}),", field.json, field.proto));
        }
        if self.is_extensible {
            text.line("EXTENSIONS");
        }
        text.line("];");
        text.line("reader.message(NAMES, |reader, field| match field {");
        for (index, field) in self.fields.iter().enumerate() {
            text.line(format_args!("{index} => {},", self.read_field(field)));
        }
        if self.is_extensible {
            text.line(format_args!(
                "_ => reader.extension({:?}, &mut {UNKNOWN_FIELDS}),",
                self.full_name
            ));
        } else {
            text.line("_ => ::core::result::Result::Ok(()),");
        }
        text.line("})?;");
        text.line("::core::result::Result::Ok(true)");
        text.line("}");
    }

    fn read_field(&self, field: &Field) -> String {
        let reading = field.presence.reading();
        let Presence::Oneof(number) = field.presence else {
            return format!("reader.{reading}(&mut self.{})", field.rust);
        };
        let Oneof { name, field: rust, path } = &self.oneofs[number];
        format!("reader.{reading}({name:?}, &mut self.{rust}, {path}::{})", variant(&field.proto))
    }

    fn emit_serde(&self, text: &mut Text) {
        let Self { path, .. } = self;
        text.gap();
        text.line(format_args!("impl ::farcall::serde::Serialize for {path} {{"));
        text.line("fn serialize<S: ::farcall::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {");
        text.line("::farcall::json::serialize(self, serializer)");
        text.line("}");
        text.line("}");
        text.gap();
        text.line(format_args!("impl<'de> ::farcall::serde::Deserialize<'de> for {path} {{"));
        text.line("fn deserialize<D: ::farcall::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {");
        text.line("::farcall::json::deserialize(deserializer)");
        text.line("}");
        text.line("}");
    }

    fn members(&self, number: usize) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.presence == Presence::Oneof(number))
    }
}

impl Oneof {
    /// `path`: the message and those around it.
    fn new(name: &str, path: &[&str]) -> Self {
        let modules = path.iter().map(|message| format!("{}::", make_field_ident(&snake(message))));
        Self {
            name: name.to_owned(),
            field: make_field_ident(name).to_string(),
            path: format!("self::__buffa::oneof::{}{}", modules.collect::<String>(), pascal(name)),
        }
    }
}

/// The variant of a oneof's member.
fn variant(field: &str) -> String {
    make_field_ident(&pascal(field)).to_string()
}

/// How buffa-codegen names the enum and the variants of a oneof: `first_name` is `FirstName`.
fn pascal(name: &str) -> String {
    let upper = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    name.split('_').map(upper).collect()
}

/// How it names the module of a message: `HTTPRequest` is `http_request`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|before| letters.get(before));
        let begins_word = letter.is_uppercase()
            && previous.is_some_and(|previous| {
                let is_next_lower = letters.get(index + 1).is_some_and(|next| next.is_lowercase());
                previous.is_lowercase() || previous.is_uppercase() && is_next_lower
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::{pascal, snake};

    #[test]
    fn names_are_those_of_buffa() {
        for (name, module) in [
            ("Shapes", "shapes"),
            ("HTTPRequest", "http_request"),
            ("A1b", "a1b"),
            ("ABTest", "ab_test"),
        ] {
            assert_eq!(snake(name), module);
        }
        for (name, variant) in
            [("first_name", "FirstName"), ("a__b", "AB"), ("_x", "X"), ("camelCase", "CamelCase")]
        {
            assert_eq!(pascal(name), variant);
        }
    }
}
