//! Runs the example.

#[path = "../../programs.rs"]
mod programs;

#[test]
fn a_token_opens_the_account_and_every_call_is_logged() {
    let server = env!("CARGO_BIN_EXE_interceptor-server");
    let client = env!("CARGO_BIN_EXE_interceptor-client");
    let (printed, logged) = programs::call("interceptor", server, client);
    assert_eq!(printed, "UNAUTHENTICATED: a token is missing\nAda has 1815 cents\n");

    let lines: Vec<_> = logged.lines().collect();
    let [refused, answered] = lines[..] else { panic!("two calls are two lines:\n{logged}") };
    assert!(refused.starts_with("call 1: ") && refused.ends_with(": UNAUTHENTICATED"), "{refused}");
    assert!(answered.starts_with("call 2: ") && answered.ends_with(": OK"), "{answered}");
    assert!(answered.contains("accounts.v1.Accounts/Balance"), "{answered}");
}
