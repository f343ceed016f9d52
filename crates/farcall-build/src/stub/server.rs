//! The trait that a server implements, and its implementation for shared state.

use super::method::Method;
use super::service::Service;
use crate::text::Text;

const FUTURE: &str = "impl ::core::future::Future<Output = ::farcall::Result<";
const SEND: &str = ">> + ::core::marker::Send";

/// Emits the trait and `impl .. for Arc<T>`.
pub(super) fn emit(service: &Service, text: &mut Text) {
    text.gap();
    emit_trait(service, text);
    text.gap();
    emit_shared(service, text);
}

fn emit_trait(service: &Service, text: &mut Text) {
    if service.documentation.is_empty() {
        text.line(format_args!("/// The service `{}`.", service.full_name));
    } else {
        text.doc(&service.documentation);
    }
    deprecate(service.deprecated, text);
    let name = &service.trait_name;
    text.line(format_args!(
        "pub trait {name}: ::core::marker::Send + ::core::marker::Sync + 'static {{"
    ));
    for method in &service.methods {
        document(method, text);
        deprecate(method.deprecated, text);
        emit_signature(method, ";", text);
        text.gap();
    }
    emit_into_service(service, text);
    text.line("}");
}

pub(super) fn document(method: &Method, text: &mut Text) {
    if method.documentation.is_empty() {
        text.line(format_args!("/// The procedure `{}`.", method.name));
    } else {
        text.doc(&method.documentation);
    }
}

pub(super) fn deprecate(deprecated: bool, text: &mut Text) {
    if deprecated {
        text.line("#[deprecated]");
    }
}

/// One parameter per line: this is what a compiler error quotes when an implementation does not match.
fn emit_signature(method: &Method, end: &str, text: &mut Text) {
    text.line(format_args!("fn {}(", method.function));
    text.line("&self,");
    for (name, type_path) in method.parameters() {
        text.line(format_args!("{name}: {type_path},"));
    }
    text.line(format_args!(") -> {FUTURE}{}{SEND}{end}", method.outcome()));
}

fn emit_into_service(service: &Service, text: &mut Text) {
    text.line("/// Turns this into a service that a server can add.");
    text.line("fn into_service(self) -> ::farcall::Service");
    text.line("where");
    text.inset("Self: ::core::marker::Sized,");
    text.line("{");
    for method in &service.methods {
        emit_procedure(service, method, text);
        text.gap();
    }
    text.line(format_args!(
        "::farcall::stub::ServiceBuilder::new(\"{}\", self)",
        service.full_name
    ));
    text.inset(format_args!(".protos(&{})", service.protos));
    for method in &service.methods {
        text.inset(format_args!(
            ".{}::<{}Rpc>(&self::__farcall::{}::{})",
            method.kind.function(),
            method.name,
            service.table,
            method.constant
        ));
    }
    text.inset(".build()");
    text.line("}");
}

/// A type that stands for one method of the trait. `Rpc` keeps its name apart from the type parameter and from `Self`.
fn emit_procedure(service: &Service, method: &Method, text: &mut Text) {
    let (name, kind) = (&method.name, method.kind.name());
    text.line(format_args!("struct {name}Rpc;"));
    text.line(format_args!(
        "impl<S: self::{}> ::farcall::stub::{kind}<S> for {name}Rpc {{",
        service.trait_name
    ));
    text.line(format_args!("type Request = {};", method.request));
    text.line(format_args!("type Reply = {};", method.reply));
    text.gap();
    text.line("fn call(");
    text.line("service: &S,");
    for (parameter, type_path) in method.parameters() {
        text.line(format_args!("{parameter}: {type_path},"));
    }
    text.line(format_args!(") -> {FUTURE}{}{SEND} {{", method.outcome()));
    emit_forward("S", service, method, "service", text);
    text.line("}");
    text.line("}");
}

fn emit_shared(service: &Service, text: &mut Text) {
    let name = &service.trait_name;
    text.line(format_args!("impl<T: self::{name}> self::{name} for ::std::sync::Arc<T> {{"));
    for (index, method) in service.methods.iter().enumerate() {
        if index > 0 {
            text.gap();
        }
        emit_signature(method, " {", text);
        emit_forward("T", service, method, "self", text);
        text.line("}");
    }
    text.line("}");
}

/// Calls the method of the trait by its full path: another trait in scope may have a method of the same name.
fn emit_forward(
    implementor: &str,
    service: &Service,
    method: &Method,
    receiver: &str,
    text: &mut Text,
) {
    let arguments: Vec<_> = method.parameters().into_iter().map(|(name, _)| name).collect();
    text.line(format_args!(
        "<{implementor} as self::{}>::{}({receiver}, {})",
        service.trait_name,
        method.function,
        arguments.join(", ")
    ));
}
