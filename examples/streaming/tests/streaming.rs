//! Runs the example.

#[path = "../../programs.rs"]
mod programs;

#[test]
fn the_client_prints_what_each_kind_of_stream_brings() {
    let server = env!("CARGO_BIN_EXE_streaming-server");
    let client = env!("CARGO_BIN_EXE_streaming-client");
    let (printed, _) = programs::call("streaming", server, client);
    let expected = "\
        counted 1\n\
        counted 2\n\
        counted 3\n\
        2 + 3 + 5 = 10\n\
        and 2 makes 2\n\
        and 3 makes 5\n\
        and 5 makes 10\n";
    assert_eq!(printed, expected);
}
