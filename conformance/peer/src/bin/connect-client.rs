//! The client that Connect's conformance suite judges.
//!
//! Standard input carries calls to make, standard output what became of each, in any order. It ends when the input has
//! ended and all calls have.

use std::sync::Arc;

use peer::connect::route::Routes;
use peer::connect::{framing, script};
use peer::proto::connectrpc::conformance::v1::client_compat_response::Result as Outcome;
use peer::proto::connectrpc::conformance::v1::{
    ClientCompatRequest, ClientCompatResponse, ClientErrorResult, ClientResponseResult,
};
use peer::verdict::Verdict;
use tokio::io::{BufReader, Stdout};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

/// Calls at once. The runner measures how long calls take, so that there must not be too many.
const PARALLEL: usize = 8;

#[tokio::main]
async fn main() -> Verdict {
    let routes = Arc::new(Routes::default());
    let output = Arc::new(Mutex::new(tokio::io::stdout()));
    let places = Arc::new(Semaphore::new(PARALLEL));
    let mut input = BufReader::new(tokio::io::stdin());
    let mut running = JoinSet::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await?;
        while let Some(ended) = running.try_join_next() {
            ended??;
        }
        let Some(case) = framing::read(&mut input).await? else { break };
        let (routes, output) = (Arc::clone(&routes), Arc::clone(&output));
        running.spawn(async move {
            let answered = answer(&routes, &output, case).await;
            drop(place);
            answered
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// Makes one call and tells of it.
async fn answer(routes: &Routes, output: &Mutex<Stdout>, case: ClientCompatRequest) -> Verdict {
    let result = match call(routes, &case).await {
        Ok(result) => Outcome::from(result),
        Err(fault) => Outcome::from(ClientErrorResult { message: fault.to_string() }),
    };
    let response = ClientCompatResponse { test_name: case.test_name, result: Some(result) };
    Ok(framing::write(&mut *output.lock().await, &response).await?)
}

async fn call(routes: &Routes, case: &ClientCompatRequest) -> Verdict<ClientResponseResult> {
    script::run(&routes.channel(case)?, case).await
}
