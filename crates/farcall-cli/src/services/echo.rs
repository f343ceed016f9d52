//! The echo: payloads, metadata, failures and delays on request, to try out a client.

use std::time::Duration;

use farcall::{Call, Code, Metadata, Result, Status};

use crate::proto::echo::v1::{Echo, EchoMessage, FailRequest, SleepRequest};

/// What the names of metadata that comes back begin with.
const ECHOED: &str = "echo-";

/// The longest `Sleep`: it holds one of the connection's streams.
const SLEEP_MAX_MS: u32 = 60_000;

/// Sends back what it is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echoes;

impl Echo for Echoes {
    async fn echo(&self, request: EchoMessage, call: &mut Call) -> Result<EchoMessage> {
        echo_metadata(call)?;
        Ok(request)
    }

    async fn fail(&self, request: FailRequest, _: &mut Call) -> Result<EchoMessage> {
        Err(match Code::from_u32(request.code) {
            Some(code) => Status::new(code, request.message),
            None => {
                Status::invalid_argument(format!("code: expected 1 to 16, got {}", request.code))
            }
        })
    }

    async fn sleep(&self, request: SleepRequest, _: &mut Call) -> Result<EchoMessage> {
        if request.milliseconds > SLEEP_MAX_MS {
            return Err(Status::invalid_argument(format!(
                "milliseconds: expected at most {SLEEP_MAX_MS}, got {}",
                request.milliseconds
            )));
        }
        tokio::time::sleep(Duration::from_millis(request.milliseconds.into())).await;
        Ok(EchoMessage::default())
    }
}

fn echo_metadata(call: &mut Call) -> Result<()> {
    for name in echoed_names(call.metadata()) {
        if name.ends_with("-bin") {
            let values: Vec<_> = call.metadata().get_all_bin(&name).collect();
            for value in values {
                call.reply_trailers_mut().append_bin(&name, value)?;
            }
        } else {
            let values: Vec<_> = call.metadata().get_all(&name).map(str::to_owned).collect();
            for value in values {
                call.add_reply_metadata(&name, &value)?;
            }
        }
    }
    Ok(())
}

/// Each name once, in the order in which they came.
fn echoed_names(metadata: &Metadata) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in metadata.iter() {
        if name.starts_with(ECHOED) && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
