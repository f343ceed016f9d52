//! Runs the example.

#[path = "../../programs.rs"]
mod programs;

#[test]
fn deadlines_and_cancellation_reach_the_stock_through_the_shop() {
    let printed = programs::run(env!("CARGO_BIN_EXE_example-deadline"), &[]);
    let expected = "\
        caller: one pencil\n\
        caller: DEADLINE_EXCEEDED\n\
        stock: looking for a piano while there is time\n\
        stock: nobody waits for the piano any more\n\
        stock: looking for a piano\n\
        caller: changed my mind\n\
        stock: nobody waits for the piano any more\n";
    assert_eq!(printed, expected);
}
