//! The client that Autobahn's fuzzing server judges: `websocket-client --url=ws://HOST:PORT --agent=NAME`.
//!
//! It asks how many cases there are, opens a WebSocket for each and sends back what comes, and asks for the report.

use farcall::websocket::{Connect, Message, WebSocket};
use peer::verdict::Verdict;

#[tokio::main]
async fn main() -> Verdict {
    let Arguments { url, agent } = Arguments::parse(std::env::args().skip(1))?;
    let mut counting = open(&url, "/getCaseCount".to_owned()).await?;
    let Some(Message::Text(count)) = counting.receive().await? else {
        return Err("the server did not say how many cases there are".into());
    };
    drop(counting);
    for number in 1..=count.trim().parse::<u32>()? {
        let mut socket = open(&url, format!("/runCase?case={number}&agent={agent}")).await?;
        // How it ended is for the server to judge.
        while let Ok(Some(message)) = socket.receive().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
    }
    let mut reporting = open(&url, format!("/updateReports?agent={agent}")).await?;
    while reporting.receive().await?.is_some() {}
    Ok(())
}

async fn open(url: &str, path: String) -> Verdict<WebSocket> {
    Ok(Connect::new().path(path).open(url).await?)
}

/// Who is called, under which name.
struct Arguments {
    url: String,
    agent: String,
}

impl Arguments {
    fn parse(arguments: impl Iterator<Item = String>) -> Verdict<Self> {
        let (mut url, mut agent) = (None, None);
        for argument in arguments {
            match argument.split_once('=') {
                Some(("--url", value)) => url = Some(value.to_owned()),
                Some(("--agent", value)) => agent = Some(value.to_owned()),
                _ => return Err(format!("{argument}: expected --url=URL or --agent=NAME").into()),
            }
        }
        Ok(Self { url: url.ok_or("--url is missing")?, agent: agent.ok_or("--agent is missing")? })
    }
}
