//! Runs the example.

#[path = "../../programs.rs"]
mod programs;

#[test]
fn the_server_greets_the_client() {
    let server = env!("CARGO_BIN_EXE_hello-server");
    let client = env!("CARGO_BIN_EXE_hello-client");
    let (printed, _) = programs::call("hello", server, client);
    assert_eq!(printed, "Hello, Ada!\n");
}
