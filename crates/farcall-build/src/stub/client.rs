//! The struct that calls a service.

use super::method::{Kind, Method};
use super::server::{deprecate, document};
use super::service::Service;
use crate::text::Text;

/// Emits the client of a service.
pub(super) fn emit(service: &Service, text: &mut Text) {
    let name = &service.client_name;
    text.gap();
    text.line(format_args!(
        "/// Calls [`{}`](trait@self::{}).",
        service.trait_name, service.trait_name
    ));
    if !service.documentation.is_empty() {
        text.line("///");
        text.doc(&service.documentation);
    }
    deprecate(service.deprecated, text);
    text.line("#[derive(Clone, Debug)]");
    text.line(format_args!("pub struct {name} {{"));
    text.line("channel: ::farcall::Channel,");
    text.line("}");
    text.gap();
    text.line(format_args!("impl {name} {{"));
    text.lines(
        "/// Makes a client whose calls take this channel.\n\
         pub fn new(channel: impl ::core::convert::Into<::farcall::Channel>) -> Self {",
    );
    text.line(format_args!("{}.register_types();", service.protos));
    text.lines("Self { channel: ::core::convert::Into::into(channel) }\n}");
    for method in &service.methods {
        text.gap();
        emit_method(service, method, text);
    }
    text.line("}");
}

fn emit_method(service: &Service, method: &Method, text: &mut Text) {
    document(method, text);
    deprecate(method.deprecated, text);
    let sends_one = matches!(method.kind, Kind::Unary | Kind::ServerStreaming);
    let (parameter, argument) = if sends_one {
        (format!(", request: {}", method.request), ", request")
    } else {
        (String::new(), "")
    };
    text.line(format_args!(
        "pub fn {}(&self{parameter}) -> ::farcall::Pending<{}> {{",
        method.function,
        method.pending()
    ));
    text.line(format_args!(
        "::farcall::stub::{}(&self.channel, &self::__farcall::{}::{}{argument})",
        method.kind.function(),
        service.table,
        method.constant
    ));
    text.line("}");
}
