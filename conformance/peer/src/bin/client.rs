//! The client that is judged: it runs one case of the gRPC interop suite, or the checks of conformance.v1 as the case
//! `calls`. It exits with 0 when all was right.

use std::process::ExitCode;
use std::time::Duration;

use farcall::{Channel, ChannelConfig, Limits};
use peer::verdict::Verdict;
use peer::{call_checks, interop_cases};

/// For one interop case; the judge waits 20 s.
const CASE_LIMIT: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was right.
async fn run() -> Verdict<bool> {
    let Arguments { host, port, case } = Arguments::parse(std::env::args().skip(1))?;
    let endpoint = format!("tcp://{host}:{port}");
    if case == "calls" {
        let channel = Channel::with_config(endpoint, for_calls())?;
        return Ok(call_checks::run(&channel).await);
    }
    let channel = Channel::connect(endpoint).await?;
    tokio::time::timeout(CASE_LIMIT, interop_cases::run(&case, &channel)).await??;
    Ok(true)
}

/// Messages of 16 MiB pass, and what is said to be on one connection is.
fn for_calls() -> ChannelConfig {
    let limits = Limits {
        max_receive_message: call_checks::MESSAGE_LIMIT,
        max_send_message: call_checks::MESSAGE_LIMIT,
        max_decompressed: call_checks::MESSAGE_LIMIT,
        ..Limits::default()
    };
    ChannelConfig { limits, max_connections: 1, ..ChannelConfig::default() }
}

/// What to call whom for.
struct Arguments {
    host: String,
    port: u16,
    case: String,
}

impl Arguments {
    fn parse(arguments: impl Iterator<Item = String>) -> Verdict<Self> {
        let (mut host, mut port, mut case) = (None, None, None);
        for argument in arguments {
            let (name, value) = argument.split_once('=').ok_or("expected --name=value")?;
            match name {
                "--server_host" => host = Some(value.to_owned()),
                "--server_port" => port = Some(value.parse()?),
                "--test_case" => case = Some(value.to_owned()),
                _ => return Err(format!("no argument is called {name}").into()),
            }
        }
        Ok(Self {
            host: host.ok_or("--server_host is missing")?,
            port: port.ok_or("--server_port is missing")?,
            case: case.ok_or("--test_case is missing")?,
        })
    }
}
