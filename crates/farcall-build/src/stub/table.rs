//! What the runtime knows of each method, in a module of its own where no name of the user can be.

use super::service::Service;
use crate::text::Text;

/// Emits the tables of all services of a package.
pub(super) fn emit(services: &[Service], text: &mut Text) {
    text.gap();
    text.line("mod __farcall {");
    for (index, service) in services.iter().enumerate() {
        if index > 0 {
            text.gap();
        }
        emit_service(service, text);
    }
    text.line("}");
}

fn emit_service(service: &Service, text: &mut Text) {
    text.line(format_args!("pub mod {} {{", service.table));
    for method in &service.methods {
        text.line(format_args!(
            "pub static {}: ::farcall::Method = ::farcall::Method {{",
            method.constant
        ));
        text.line(format_args!("service: \"{}\",", service.full_name));
        text.line(format_args!("name: \"{}\",", method.name));
        text.line(format_args!("path: \"/{}/{}\",", service.full_name, method.name));
        text.line(format_args!("kind: ::farcall::Kind::{},", method.kind.name()));
        text.line(format_args!("idempotency: ::farcall::Idempotency::{},", method.idempotency));
        text.line("};");
    }
    text.line("}");
}
