//! The generated text, as it was when it was last looked at.
//!
//! A change is shown as a failure; `BLESS=1 cargo test -p farcall-build` accepts it. `generated_code.rs` compiles these
//! very texts, so that what is accepted here is known to be Rust.

use std::path::Path;

fn check(name: &str, proto: &str) {
    let text =
        farcall_build::configure().file(Path::new("tests/proto").join(proto)).generate().unwrap();
    let snapshot = Path::new("tests/snapshots").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&snapshot, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&snapshot).unwrap_or_default();
    let difference = text.lines().zip(expected.lines()).position(|(is, was)| is != was);
    let line = difference.unwrap_or_else(|| text.lines().count().min(expected.lines().count()));
    assert!(
        text == expected,
        "{}:{}: differs; it is now\n{}\nBLESS=1 accepts the new text",
        snapshot.display(),
        line + 1,
        text.lines().nth(line).unwrap_or("(the end)")
    );
}

#[test]
fn one_service_with_each_kind_of_method() {
    check("greet.rs", "greet/v1/greet.proto");
}

#[test]
fn names_that_mean_something_in_rust() {
    check("names.rs", "names.proto");
}

#[test]
fn messages_for_every_rule_of_json() {
    check("json.rs", "json.proto");
}

#[test]
fn packages_that_import_each_other_and_well_known_types() {
    check("shop.rs", "shop/v1/shop.proto");
}
