//! `farcall resolve`: what an endpoint stands for, down to the bytes that the kernel gets.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use clap::Args;
use farcall::Endpoint;
use farcall::socket::{Resolved, resolve};

use crate::{Failure, Result, hex, runtime};

/// Show what an endpoint stands for: its service, its addresses in the order in which they are dialled, their bytes
///
/// The bytes are the `sockaddr` that `bind` and `connect` hand to the kernel: the family (2 bytes, the machine's order),
/// then the port and the address in network byte order. Nothing is connected to.
#[derive(Args, Clone, Debug)]
#[command(after_help = crate::exit::HELP)]
pub struct Arguments {
    /// What to resolve: `tcp://HOST:PORT`, `udp://HOST:SERVICE`, `unix:///PATH`, ...
    endpoint: Endpoint,
}

/// Shows what the endpoint stands for.
///
/// # Errors
/// The name has no address, the endpoint has none by its kind, or the output cannot be written to.
pub fn run(arguments: &Arguments) -> Result {
    let endpoint = &arguments.endpoint;
    let resolved = runtime::block_on(async { resolve(endpoint).await.map_err(Failure::from) })?;
    io::stdout().write_all(lines(endpoint, &resolved).as_bytes())?;
    Ok(())
}

fn lines(endpoint: &Endpoint, resolved: &Resolved) -> String {
    let mut text = format!("endpoint  {endpoint}\n");
    if let Some(port) = resolved.port {
        let service = resolved.service.as_deref().unwrap_or("without a name");
        let _ = writeln!(text, "service   {service}, port {port}");
    }
    let names: Vec<_> = resolved.addresses.iter().map(ToString::to_string).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    for (index, (address, name)) in resolved.addresses.iter().zip(&names).enumerate() {
        let storage = address.to_storage();
        let bytes = storage.address();
        let (number, length) = (index + 1, bytes.len());
        let shown = hex::spaced(bytes);
        let _ = writeln!(text, "{number:>2}        {name:<width$}  {length} bytes  {shown}");
    }
    text
}
