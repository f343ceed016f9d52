//! `farcall list`, `describe` and `completions`.

mod command;
mod serving;

use command::{Ended, run};
use farcall_cli::services;
use serving::Serving;

fn ok(ended: &Ended) -> &str {
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{ended:?}");
    &ended.output
}

fn file(name: &str) -> String {
    format!("{}/tests/proto/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The package of a .proto file and what it declares, without comments and empty lines.
fn declarations(name: &str) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(file(name)).unwrap();
    let mut package = String::new();
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.trim().starts_with("//")) {
        match line.split_whitespace().next() {
            Some("syntax" | "import") => {}
            Some("package") => package.push_str(line),
            Some("service" | "message" | "enum") if !line.starts_with(' ') => {
                blocks.push(format!("{line}\n"));
            }
            _ => {
                let block = blocks.last_mut().unwrap();
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    (package, blocks)
}

#[test]
fn services_and_methods_are_listed_one_per_line() {
    let server = Serving::start(services::server().health().reflection());
    let expected = "echo.v1.Echo\ngreet.v1.Greeter\ngrpc.health.v1.Health\n\
        grpc.reflection.v1.ServerReflection\ngrpc.reflection.v1alpha.ServerReflection\nnumbers.v1.Numbers\n";
    for more in [&[][..], &["--protocol", "connect", "--http1"], &["--protocol", "grpc-web"]] {
        assert_eq!(ok(&run(&[&["list", &server.address], more].concat())), expected, "{more:?}");
    }
    for service in ["numbers.v1.Numbers", "Numbers"] {
        let expected = "numbers.v1.Numbers/CountTo\nnumbers.v1.Numbers/RunningSum\n\
            numbers.v1.Numbers/Square\nnumbers.v1.Numbers/Sum\n";
        assert_eq!(ok(&run(&["list", &server.address, service])), expected);
    }
    let ended = run(&["list", &server.address, "Number"]);
    assert!(ended.errors.contains("did you mean numbers.v1.Numbers?"), "{ended:?}");
}

#[test]
fn files_need_no_server() {
    let everything = file("everything.proto");
    let listed = run(&["list", "--proto", &everything]);
    assert_eq!(ok(&listed), "everything.v1.Everything\n");
    let listed = run(&["list", "Everything", "--proto", &everything]);
    assert_eq!(ok(&listed), "everything.v1.Everything/Stream\neverything.v1.Everything/Take\n");
    assert_eq!(run(&["list"]).code, Some(2));
}

#[test]
fn what_is_described_is_what_the_file_declares() {
    for name in ["everything.proto", "old.proto"] {
        let path = file(name);
        let (package, blocks) = declarations(name);
        for block in blocks {
            let symbol = block.split_whitespace().nth(1).unwrap();
            let described = run(&["describe", symbol, "--proto", &path]);
            assert_eq!(ok(&described), format!("{package}\n\n{block}"), "{symbol}");
        }
    }
}

#[test]
fn parts_are_described_too() {
    let path = file("everything.proto");
    for (symbol, expected) in [
        ("Take", "rpc Take(Thing) returns (Thing);\n"),
        ("Everything/Take", "rpc Take(Thing) returns (Thing);\n"),
        ("Thing.Part.Kind", "enum Kind {\n  KIND_UNSPECIFIED = 0;\n  KIND_ROUND = 1;\n}\n"),
    ] {
        let described = run(&["describe", symbol, "--proto", &path]);
        assert_eq!(ok(&described), format!("package everything.v1;\n\n{expected}"), "{symbol}");
    }
    let described = run(&["describe", "google.protobuf.Duration", "--proto", &path]);
    assert!(ok(&described).starts_with("package google.protobuf;\n\nmessage Duration {\n"));
    let ended = run(&["describe", "Thingy", "--proto", &path]);
    assert!(ended.errors.contains("did you mean everything.v1.Thing?"), "{ended:?}");
}

#[test]
fn a_template_can_be_sent_as_it_is() {
    let server = Serving::start(services::server());
    let path = file("everything.proto");
    let template = run(&["describe", "Take", "--template", "--proto", &path]);
    let template = ok(&template);
    for part in [
        "\"name\": \"\"",
        "\"large\": \"0\"",
        "\"ratios\": [\n    0\n  ]",
        "\"key\": {\n      \"kind\": \"KIND_UNSPECIFIED\"",
        "\"colour\": \"COLOR_UNSPECIFIED\"",
        "\"time\": \"1970-01-01T00:00:00Z\"",
    ] {
        assert!(template.contains(part), "{part} in {template}");
    }
    // The server does not know the method; that it was asked shows that the request was good.
    let ended = run(&["call", &server.address, "Take", template, "--proto", &path]);
    assert_eq!(ended.code, Some(76), "{ended:?}");
}

#[test]
fn a_server_describes_itself() {
    let server = Serving::start(services::server().reflection());
    let described = run(&["describe", &server.address, "greet.v1.HelloRequest"]);
    assert_eq!(
        ok(&described),
        "package greet.v1;\n\nmessage HelloRequest {\n  string name = 1;\n}\n"
    );
    let all = run(&["describe", &server.address]);
    assert!(
        ok(&all).contains("service Numbers {\n  rpc Square(Number) returns (Number) {\n"),
        "{all:?}"
    );
    let template = run(&["describe", &server.address, "SayHello", "--template"]);
    assert_eq!(ok(&template), "{\n  \"name\": \"\"\n}\n");
}

#[test]
fn shells_complete_every_command() {
    for (shell, mark) in [
        ("bash", "complete -F _farcall"),
        ("zsh", "#compdef farcall"),
        ("fish", "complete -c farcall"),
    ] {
        let completions = run(&["completions", shell]);
        let text = ok(&completions);
        assert!(text.contains(mark), "{shell}");
        for word in ["describe", "limits", "--protocol", "--descriptor-set"] {
            let word = if shell == "fish" { word.trim_start_matches("--") } else { word };
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(run(&["completions", "cobol"]).code, Some(2));
}
