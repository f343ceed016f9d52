//! `farcall list`: what a server offers.

use std::io::{self, Write as _};

use clap::Args;

use crate::route::Route;
use crate::schema::{Origin, Schema, SymbolKind};
use crate::{Result, runtime};

/// List the services of a server, or the methods of one of them
///
/// One name per line, as `farcall call` and `farcall describe` take them.
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::CALL_HELP)]
pub struct Arguments {
    /// Where the server is; not needed with --proto or --descriptor-set
    #[arg(required_unless_present_any = ["protos", "descriptor_sets"])]
    endpoint: Option<String>,
    /// The service whose methods are wanted: its full name, or as many of its last parts as tell it from others
    service: Option<String>,
    #[command(flatten)]
    route: Route,
    #[command(flatten)]
    origin: Origin,
}

/// Lists.
///
/// # Errors
/// The server cannot be asked, there is no such service, or output cannot be written.
pub fn run(arguments: &Arguments) -> Result {
    let names = runtime::block_on(names(arguments))?;
    let mut stdout = io::stdout().lock();
    for name in names {
        writeln!(stdout, "{name}")?;
    }
    Ok(())
}

async fn names(arguments: &Arguments) -> Result<Vec<String>> {
    let Arguments { endpoint, service, route, origin } = arguments;
    let (endpoint, service) =
        super::describe::places(origin, endpoint.as_deref(), service.as_deref());
    let Some(service) = service else {
        if origin.is_files() {
            let schema = Schema::from_files(origin)?;
            let services = schema.symbols(|kind| kind == SymbolKind::Service);
            return Ok(services.into_iter().map(|service| service.name).collect());
        }
        let channel = route.ask(endpoint).await?;
        return route.reflection(&channel).services().await;
    };
    let channel = if origin.is_files() { None } else { Some(route.ask(endpoint).await?) };
    let schema = route.schema(channel.as_ref(), origin, &[service.to_owned()]).await?;
    let service = schema.service(service)?.name;
    let methods = schema.symbols(|kind| kind == SymbolKind::Method).into_iter();
    let is_its = |name: &String| name.split('/').next() == Some(&service);
    Ok(methods.map(|method| method.name).filter(is_its).collect())
}
