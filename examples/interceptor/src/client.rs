//! Calls without a token, and with one.

use farcall::{Call, Channel, Next, Reply, Result};

mod proto {
    farcall::include_protos!();
}
use proto::accounts::v1::{AccountsClient, BalanceRequest};

async fn add_token(mut call: Call, next: Next) -> Result<Reply> {
    // A secret is marked as one: no log shows it, and header compression keeps no copy of it.
    call.metadata_mut().append_sensitive("authorization", "Bearer ada-1815")?;
    next.run(call).await
}

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:8080".into());
    let channel = Channel::connect(endpoint).await?;

    let stranger = AccountsClient::new(channel.clone());
    match stranger.balance(BalanceRequest {}).await {
        Ok(reply) => println!("a stranger sees {} cents", reply.cents),
        Err(status) => println!("{status}"),
    }

    // The same connection, with an interceptor around the calls.
    let ada = AccountsClient::new(channel.intercept(add_token));
    let reply = ada.balance(BalanceRequest {}).await?;
    println!("{} has {} cents", reply.owner, reply.cents);
    Ok(())
}
