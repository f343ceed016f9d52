//! `farcall describe`: what something is, as a .proto file would say it, or a request to fill in.

mod declaration;
mod template;

use std::io::{self, Write as _};

use clap::Args;

use crate::route::Route;
use crate::schema::{Origin, Schema, Symbol, SymbolKind};
use crate::{Result, runtime};

/// Show a service, method, message or enum as a .proto file declares it
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::CALL_HELP)]
pub struct Arguments {
    /// Where the server is; not needed with --proto or --descriptor-set
    #[arg(required_unless_present_any = ["protos", "descriptor_sets"])]
    endpoint: Option<String>,
    /// The full name, or as many of its last parts as tell it from others; without it all services are shown
    symbol: Option<String>,
    /// Show a message, or a method's request, as JSON to fill in
    #[arg(long)]
    template: bool,
    #[command(flatten)]
    route: Route,
    #[command(flatten)]
    origin: Origin,
}

/// Shows it.
///
/// # Errors
/// The server cannot be asked, there is no such symbol, or output cannot be written.
pub fn run(arguments: &Arguments) -> Result {
    let text = runtime::block_on(text(arguments))?;
    writeln!(io::stdout(), "{}", text.trim_end())?;
    Ok(())
}

async fn text(arguments: &Arguments) -> Result<String> {
    let Arguments { endpoint, symbol, template, route, origin } = arguments;
    let (endpoint, symbol) = places(origin, endpoint.as_deref(), symbol.as_deref());
    let guesses = symbol.map(Symbol::guesses).unwrap_or_default();
    let channel = if origin.is_files() { None } else { Some(route.ask(endpoint).await?) };
    let schema = route.schema(channel.as_ref(), origin, &guesses).await?;
    let symbols = match symbol {
        Some(symbol) => vec![schema.symbol(symbol)?],
        None => schema.symbols(|kind| kind == SymbolKind::Service),
    };
    let texts: Result<Vec<_>> =
        symbols
            .iter()
            .map(|symbol| {
                if *template {
                    template_of(&schema, symbol)
                } else {
                    declaration_of(&schema, symbol)
                }
            })
            .collect();
    Ok(texts?.join("\n"))
}

fn declaration_of(schema: &Schema, symbol: &Symbol) -> Result<String> {
    declaration::of(schema.pool(), symbol).ok_or_else(|| {
        format!("{}: the descriptors do not say how it is declared", symbol.name).into()
    })
}

fn template_of(schema: &Schema, symbol: &Symbol) -> Result<String> {
    let message = match symbol.kind {
        SymbolKind::Message => schema.pool().message_index(&symbol.name),
        SymbolKind::Method => schema.method_path(&symbol.name).map(|path| path.input),
        SymbolKind::Service | SymbolKind::Enum => None,
    };
    let message = message.ok_or_else(|| {
        format!("{} is neither a message nor a method, so that it has no template", symbol.name)
    })?;
    Ok(template::of(schema.pool(), message)?)
}

/// The endpoint and the name that were typed: with files the endpoint may be left out, and what has no colon is a name.
pub(crate) fn places<'a>(
    origin: &Origin,
    endpoint: Option<&'a str>,
    name: Option<&'a str>,
) -> (Option<&'a str>, Option<&'a str>) {
    match (endpoint, name) {
        (Some(typed), None) if origin.is_files() && !typed.contains(':') => (None, Some(typed)),
        typed => typed,
    }
}
