//! The names that stubs get in Rust, and the names that are taken already.

use std::collections::{HashMap, HashSet};

use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::FileDescriptorProto;
use buffa_codegen::idents::{is_rust_keyword, to_shouty_snake_case};

/// Methods that a stub has already: a call of this name gets an underscore.
///
/// `clone` is here because a call of that name would hide `Clone::clone` on the client, and make it ambiguous on a server
/// type that is `Clone`.
const RESERVED_METHODS: [&str; 3] = ["clone", "into_service", "new"];

/// The names of types and modules that each package has before stubs are added.
#[derive(Default)]
pub(super) struct Taken {
    by_package: HashMap<String, Names>,
}

#[derive(Default)]
struct Names {
    types: HashSet<String>,
    modules: HashSet<String>,
}

impl Taken {
    pub(super) fn of(
        files: &[FileDescriptorProto],
        names: &[String],
        context: &CodeGenContext<'_>,
    ) -> Self {
        let mut taken = Self::default();
        for file in
            files.iter().filter(|file| file.name.as_ref().is_some_and(|name| names.contains(name)))
        {
            let package = file.package.as_deref().unwrap_or("");
            taken.add_path(package);
            let own = taken.by_package.entry(package.to_owned()).or_default();
            for message in file.message_type.iter().filter_map(|message| message.name.as_deref()) {
                own.types.insert(message.to_owned());
                own.modules.insert(context.nested_module_name(package, message));
            }
            own.types.extend(file.enum_type.iter().filter_map(|item| item.name.clone()));
            own.types.extend(file.service.iter().filter_map(|service| service.name.clone()));
        }
        taken
    }

    /// Adds each module on the way to a package to the names of the module around it.
    fn add_path(&mut self, package: &str) {
        let mut around = String::new();
        for segment in package.split('.').filter(|segment| !segment.is_empty()) {
            self.by_package.entry(around.clone()).or_default().modules.insert(segment.to_owned());
            if !around.is_empty() {
                around.push('.');
            }
            around.push_str(segment);
        }
    }

    /// The name of a service's trait: the service's own, with underscores while a module has it.
    ///
    /// No type has it, since a service and a message of one package cannot share a name.
    pub(super) fn trait_name(&self, package: &str, service: &str) -> String {
        let mut name = service.to_owned();
        while self.by_package.get(package).is_some_and(|taken| {
            taken.modules.contains(&name) || (name != service && taken.types.contains(&name))
        }) {
            name.push('_');
        }
        escaped(&name)
    }

    /// The name of a service's client: the service's and `Client`, with underscores while anything has it.
    pub(super) fn client_name(&self, package: &str, service: &str) -> String {
        let mut name = format!("{service}Client");
        while self
            .by_package
            .get(package)
            .is_some_and(|taken| taken.types.contains(&name) || taken.modules.contains(&name))
        {
            name.push('_');
        }
        name
    }
}

/// The name of a method of a stub: `SayHello` is `say_hello`, `Match` is `r#match`, `New` is `new_`.
pub(super) fn method_identifier(name: &str) -> String {
    let mut snake = to_shouty_snake_case(name).to_lowercase();
    if RESERVED_METHODS.contains(&snake.as_str()) || snake == "_" {
        snake.push('_');
    }
    escaped(&snake)
}

/// The name of a method's entry in the table of methods: `SayHello` is `SAY_HELLO`.
pub(super) fn constant_identifier(name: &str) -> String {
    let name = method_identifier(name);
    name.strip_prefix("r#").unwrap_or(&name).to_uppercase()
}

/// The name of the module that holds a service's table of methods.
pub(super) fn table_identifier(service: &str) -> String {
    escaped(service)
}

/// A path that buffa-codegen tells, as text: keywords raw, and never bare.
pub(crate) fn type_path(path: &str) -> String {
    let absolute = path.starts_with("::");
    let segments: Vec<String> = path
        .split("::")
        .map(|segment| match segment {
            "self" | "super" | "crate" => segment.to_owned(),
            _ => escaped(segment),
        })
        .collect();
    let path = segments.join("::");
    if absolute
        || path.starts_with("self::")
        || path.starts_with("super::")
        || path.starts_with("crate::")
    {
        path
    } else {
        format!("self::{path}")
    }
}

fn escaped(name: &str) -> String {
    if !is_rust_keyword(name) {
        name.to_owned()
    } else if matches!(name, "self" | "super" | "crate" | "Self") {
        format!("{name}_")
    } else {
        format!("r#{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::{constant_identifier, method_identifier, type_path};

    #[test]
    fn a_method_is_named_as_rust_names_methods() {
        for (proto, rust) in [
            ("SayHello", "say_hello"),
            ("GetURL", "get_url"),
            ("say_hello", "say_hello"),
            ("Match", "r#match"),
            ("Self", "self_"),
            ("New", "new_"),
            ("IntoService", "into_service_"),
            ("Clone", "clone_"),
            ("_", "__"),
        ] {
            assert_eq!(method_identifier(proto), rust);
        }
        assert_eq!(constant_identifier("Match"), "MATCH");
    }

    #[test]
    fn a_path_to_a_type_is_never_bare() {
        assert_eq!(type_path("HelloRequest"), "self::HelloRequest");
        assert_eq!(type_path("super::r#type::type::X"), "super::r#type::r#type::X");
    }
}
