//! Every cell of the table that `farcall limits` prints has a test of its own: up to the bound all is well, one beyond it
//! is refused at the scope and with the code that it should be, and others are not harmed.
//!
//! The bounds are taken from the table itself, so that no number stands here twice. What a peer can do on a loopback within
//! milliseconds is done to a live server; minutes, and what a kernel's buffers would blur, to the engines with a clock that
//! only the test moves.

#![allow(clippy::unwrap_used)]

#[macro_use]
mod cell;

mod age;
mod body;
mod calls;
mod canned;
mod dialect;
mod hog;
mod http1;
mod http2;
mod json;
mod limited;
mod peer;
mod streams;
mod tls;
mod websocket;

// The handmade peers of the engines' own tests.
#[path = "../../../crates/farcall-wire/tests/http1_support/mod.rs"]
mod http1_support;
#[path = "../raw/mod.rs"]
mod raw;
#[path = "../../../crates/farcall-wire/tests/support/mod.rs"]
#[allow(clippy::duplicate_mod)] // each brings its own random numbers
mod support;
#[path = "../../../crates/farcall-wire/tests/websocket_support/mod.rs"]
#[allow(clippy::duplicate_mod)]
mod websocket_support;

use std::collections::BTreeSet;

use farcall::limits::all;

/// The tests of all columns.
fn cells() -> impl Iterator<Item = &'static cell::Cell> {
    let columns = [
        http1::CELLS,
        http2::CELLS,
        websocket::CELLS,
        calls::grpc::CELLS,
        calls::grpc_web::CELLS,
        calls::connect::CELLS,
        json::CELLS,
        tls::CELLS,
    ];
    columns.into_iter().flatten()
}

#[test]
fn every_cell_has_a_probe() {
    let table: BTreeSet<_> = all()
        .into_iter()
        .flat_map(|limit| {
            limit.bounds.into_iter().map(move |(scope, _)| (limit.name, scope.name()))
        })
        .collect();
    let probed: BTreeSet<_> = cells().map(|cell| (cell.limit, cell.scope.name())).collect();
    let without: Vec<_> = table.difference(&probed).collect();
    let astray: Vec<_> = probed.difference(&table).collect();
    assert!(without.is_empty(), "no test holds them: {without:?}");
    assert!(astray.is_empty(), "the table has them not: {astray:?}");
    assert_eq!(cells().count(), table.len(), "a cell is tested twice");
}
