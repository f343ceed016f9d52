//! What is wrong is said with the file, the line, the column, the line's text and a caret.

use std::path::{Path, PathBuf};

/// A folder of its own for each test, emptied first.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What compiling this text says, with the folder's path left out.
fn failure(name: &str, text: &str) -> String {
    let folder = folder(name);
    let path = folder.join("x.proto");
    std::fs::write(&path, text).unwrap();
    let error = farcall_build::configure().file(&path).generate().unwrap_err();
    assert_eq!(format!("{error}"), format!("{error:?}"), "`main` prints Debug");
    error.to_string().replace(&format!("{}/", folder.display()), "")
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    assert_eq!(
        failure("syntax", "syntax = \"proto3\";\nmessage B {\n\tstring name;\n}\n"),
        "x.proto:3:13: expected '=', but found ';'\n  |\n3 | \tstring name;\n  | \t           ^"
    );
}

#[test]
fn columns_are_counted_in_characters() {
    assert_eq!(
        failure("characters", "syntax = \"proto3\";\nmessage A { /* ä */ string ä = 1; }\n"),
        "x.proto:2:28: invalid token\n  |\n2 | message A { /* ä */ string ä = 1; }\n  |                            ^"
    );
}

#[test]
fn an_unknown_type_is_shown_where_it_is_used() {
    assert_eq!(
        failure("type", "syntax = \"proto3\";\nmessage A { Missing field = 1; }\n"),
        "x.proto:2:13: name 'Missing' is not defined\n  |\n2 | message A { Missing field = 1; }\n  |             ^^^^^^^"
    );
}

#[test]
fn a_missing_import_is_shown_with_the_folders_that_were_searched() {
    let text = failure("import", "syntax = \"proto3\";\nimport \"gone.proto\";\n");
    let (place, help) = text.split_once("\nhelp: ").unwrap();
    assert_eq!(
        place,
        "x.proto:2:1: import 'gone.proto' not found\n  |\n2 | import \"gone.proto\";\n  | ^^^^^^^^^^^^^^^^^^^^"
    );
    assert!(help.starts_with("imports were looked up in "), "{help}");
}

#[test]
fn an_error_in_an_import_names_the_import() {
    let folder = folder("imported");
    std::fs::write(folder.join("a.proto"), "syntax = \"proto3\";\nimport \"b/b.proto\";\n")
        .unwrap();
    std::fs::create_dir(folder.join("b")).unwrap();
    std::fs::write(folder.join("b/b.proto"), "syntax = \"proto3\";\nmessage {}\n").unwrap();
    let error = farcall_build::configure().file(folder.join("a.proto")).generate().unwrap_err();
    let place = format!("{}:2:9: expected an identifier", folder.join("b/b.proto").display());
    assert!(error.to_string().starts_with(&place), "{error}");
}

#[test]
fn a_truncated_file_is_shown_at_its_end() {
    let text = failure("end", "syntax = \"proto3\";\nmessage A {");
    assert!(text.starts_with("x.proto:2:12: expected "), "{text}");
    assert!(
        text.ends_with("but reached end of file\n  |\n2 | message A {\n  |            ^"),
        "{text}"
    );
}

#[test]
fn a_number_used_twice_is_shown_at_both_places() {
    assert_eq!(
        failure("twice", "syntax = \"proto3\";\nmessage A {\n  int32 a = 1;\n  int32 b = 1;\n}\n"),
        "x.proto:3:13: field number '1' is already used\n  |\n3 |   int32 a = 1;\n  |             ^\n\
         note: x.proto:4:13: defined again here\n  |\n4 |   int32 b = 1;\n  |             ^"
    );
}

#[test]
fn two_rpcs_of_one_name_in_rust_are_both_named() {
    assert_eq!(
        failure(
            "rpcs",
            "syntax = \"proto3\";\nmessage A {}\nservice S {\n  rpc GetURL(A) returns (A);\n  rpc get_url(A) returns (A) {\n  }\n}\n"
        ),
        "x.proto:5:3: service `S`: rpc `GetURL` and rpc `get_url` would both be `get_url` in Rust; rename one of them\n  |\n\
         5 |   rpc get_url(A) returns (A) {\n  |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = farcall_build::configure().file("no/such.proto").generate().unwrap_err();
    assert_eq!(error.to_string(), "no/such.proto: no such file");
}

#[test]
fn nothing_to_compile_is_an_error() {
    assert_eq!(
        farcall_build::configure().generate().unwrap_err().to_string(),
        "no .proto file was given"
    );
}

#[test]
fn without_an_output_folder_it_is_said_how_to_name_one() {
    let error = farcall_build::compile("tests/proto/unnamed.proto").unwrap_err();
    assert!(error.to_string().starts_with("OUT_DIR is not set"), "{error}");
}

#[test]
fn a_package_that_no_module_can_be_named_after_is_refused() {
    assert_eq!(
        failure("package", "syntax = \"proto3\";\npackage a.super;\nmessage A {}\n"),
        "package `a.super`: `super` cannot be the name of a Rust module here; rename that part of the package"
    );
}

#[test]
fn a_type_that_no_rust_type_can_be_named_after_is_refused() {
    for (name, declaration, what, column) in [
        ("self1", "message Self {}", "message `Self`: no Rust type can be called `Self`", 1),
        (
            "self2",
            "message A { enum crate { B = 0; } }",
            "enum `crate`: no Rust type can be called `crate`",
            13,
        ),
        (
            "self3",
            "message A { oneof self_ { int32 a = 1; } }",
            "oneof `self_` would be the enum `Self` in Rust",
            13,
        ),
    ] {
        let text = failure(name, &format!("syntax = \"proto3\";\n{declaration}\n"));
        assert!(text.starts_with(&format!("x.proto:2:{column}: {what}; rename it\n")), "{text}");
    }
}

#[test]
fn a_file_that_is_not_text_is_refused() {
    let folder = folder("binary");
    let path = folder.join("x.proto");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    let error = farcall_build::configure().file(&path).generate().unwrap_err();
    assert!(error.to_string().ends_with("file 'x.proto' is not valid utf-8"), "{error}");
}

#[test]
fn an_edition_is_pointed_to_the_plugin() {
    let text = failure("edition", "// Newer.\nedition = \"2023\";\nmessage A {}\n");
    assert!(text.starts_with("x.proto:2:1: "), "{text}");
    assert!(text.ends_with("use the plugin protoc-gen-farcall"), "{text}");
}

#[test]
fn an_import_cycle_is_refused() {
    let folder = folder("cycle");
    std::fs::write(folder.join("a.proto"), "syntax = \"proto3\";\nimport \"b.proto\";\n").unwrap();
    std::fs::write(folder.join("b.proto"), "syntax = \"proto3\";\nimport \"a.proto\";\n").unwrap();
    let error = farcall_build::configure().file(folder.join("a.proto")).generate().unwrap_err();
    assert!(error.to_string().contains("a.proto -> b.proto -> a.proto"), "{error}");
}

#[test]
fn a_file_cut_off_anywhere_is_refused_or_compiled_but_never_panics() {
    let folder = folder("cut");
    let path = folder.join("names.proto");
    let text = std::fs::read("tests/proto/names.proto").unwrap();
    for length in (0..text.len()).step_by(13) {
        std::fs::write(&path, &text[..length]).unwrap();
        let _ = farcall_build::configure().file(&path).generate();
    }
}
