//! Lets nobody in without a token, and logs every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use farcall::{Call, Next, Reply, Result, Server, Status};

mod proto {
    farcall::include_protos!();
}
use proto::accounts::v1::{Accounts, BalanceReply, BalanceRequest};

/// Who calls: found out by [`authenticate`], used by the handler.
struct User(&'static str);

async fn authenticate(mut call: Call, next: Next) -> Result<Reply> {
    let user = match call.metadata().get("authorization") {
        Some("Bearer ada-1815") => User("Ada"),
        Some(_) => return Err(Status::unauthenticated("the token is not known here")),
        None => return Err(Status::unauthenticated("a token is missing")),
    };
    call.set_extension(user);
    next.run(call).await
}

/// A log with a line for each call.
#[derive(Default)]
struct Log(AtomicU64);

impl Log {
    async fn around(self: Arc<Self>, call: Call, next: Next) -> Result<Reply> {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let (method, begin) = (call.method(), Instant::now());
        let result = next.run(call).await;
        let ended = result.as_ref().map_or_else(|status| status.code().name(), |_| "OK");
        println!("call {number}: {method} took {:?}: {ended}", begin.elapsed());
        result
    }
}

struct Bank;

impl Accounts for Bank {
    async fn balance(&self, _: BalanceRequest, call: &mut Call) -> Result<BalanceReply> {
        let User(name) = call.extension().ok_or_else(|| Status::internal("nobody asked who"))?;
        Ok(BalanceReply { owner: (*name).into(), cents: 1815 })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or("tcp://127.0.0.1:8080".into());
    let server = Server::new().intercept_with(Log::default(), Log::around).intercept(authenticate);
    server.add(Bank.into_service()).listen(endpoint).run().await
}
