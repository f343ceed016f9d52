//! `farcall tour` shows a row for each way to call, and leaves nothing behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

/// The ways to reach the services: by every protocol at one kind of endpoint, by gRPC at the others.
const ROUTES: [(&str, &str); 12] = [
    ("tcp", "gRPC"),
    ("tcp", "gRPC-Web"),
    ("tcp", "gRPC-Web/1"),
    ("tcp", "Connect"),
    ("tcp", "Connect/1"),
    ("tcp", "JSON"),
    ("tcp", "JSON/1"),
    ("tls", "gRPC"),
    ("ws", "gRPC"),
    ("unix", "gRPC"),
    ("mem", "gRPC"),
    ("in-process", "gRPC"),
];

/// Each by the four kinds of call.
const WAYS: usize = ROUTES.len() * 4;

/// An empty folder for temporary files, so that what is left in it can be seen.
fn fresh_folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("farcall-test-{name}-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    folder
}

fn tour(temporary: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_farcall"))
        .args(["tour", "--calls", "3"])
        .env("TMPDIR", temporary)
        .output()
        .unwrap()
}

#[test]
fn each_way_has_a_row_and_nothing_is_left() {
    let folder = fresh_folder("tour");
    let output = tour(&folder);
    let left = fs::read_dir(&folder).unwrap().count();
    fs::remove_dir_all(&folder).unwrap();

    let shown = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{shown}{said}");
    assert_eq!(said, "");
    assert_eq!(left, 0, "files are left in the temporary folder");
    for (endpoint, protocol) in ROUTES {
        for (kind, reply) in [
            ("unary", "Hello, Ada!"),
            ("server streaming", "1, 2 .. 100"),
            ("client streaming", "5050"),
            ("bidirectional", "1, 3 .. 5050"),
        ] {
            let row = format!("{endpoint:<10}  {protocol:<10}  {kind:<16}  {reply:<15}  ");
            assert_eq!(shown.matches(&row).count(), 1, "{row:?} in\n{shown}");
        }
    }
    assert!(shown.contains(&format!("{WAYS} of {WAYS} ways answered as they should")), "{shown}");
}

#[test]
fn lines_fit_the_screen_and_have_no_colours() {
    let folder = fresh_folder("screen");
    let shown = String::from_utf8(tour(&folder).stdout).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let table: Vec<_> = shown
        .lines()
        .filter(|line| ROUTES.iter().any(|(endpoint, _)| line.starts_with(&format!("{endpoint} "))))
        .collect();
    assert_eq!(table.len(), WAYS);
    assert!(table.iter().all(|row| row.chars().count() <= 100), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn a_folder_that_cannot_be_used_is_named_in_one_line() {
    let missing = env::temp_dir().join("farcall-test-no-such-folder");
    let output = tour(&missing);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("farcall: cannot make the folder "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
