//! `farcall call`: any method, by any protocol, JSON in and out.

mod command;
mod serving;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use base64::Engine as _;
use command::{Ended, Folder, farcall, run, run_with};
use farcall::buffa::Message as _;
use farcall::{Any, Call, Next, Reply, Result, Status};
use farcall_cli::proto::echo::v1::{Echo, EchoMessage, FailRequest, SleepRequest};
use farcall_cli::proto::greet::v1::HelloRequest;
use farcall_cli::services;
use serving::Serving;

const ADA: &str = r#"{"name": "Ada"}"#;
const HELLO: &str = "{\n  \"message\": \"Hello, Ada!\"\n}\n";

fn serving() -> Serving {
    Serving::start(services::server().health().reflection())
}

/// The command with its first words, the server, a method, and more.
fn call(server: &Serving, rest: &[&str]) -> Ended {
    run(&[&["call", &server.address], rest].concat())
}

fn ok(ended: &Ended) -> &str {
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{ended:?}");
    &ended.output
}

fn failed(ended: &Ended, code: i32) -> &str {
    assert_eq!((ended.code, ended.output.as_str()), (Some(code), ""), "{ended:?}");
    &ended.errors
}

fn proto(name: &str) -> String {
    format!("{}/proto/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_method_is_named_by_as_much_as_tells_it_from_others() {
    let server = serving();
    for method in [
        "greet.v1.Greeter/SayHello",
        "/greet.v1.Greeter/SayHello",
        "greet.v1.Greeter.SayHello",
        "Greeter/SayHello",
        "SayHello",
    ] {
        assert_eq!(ok(&call(&server, &[method, ADA])), HELLO, "{method}");
    }
    assert_eq!(ok(&call(&server, &["SayHello"])), HELLO.replace("Ada", "world"));
}

#[test]
fn near_misses_are_suggested() {
    let server = serving();
    for (typed, said) in [
        ("SayHelo", "no method is called SayHelo: did you mean greet.v1.Greeter/SayHello?"),
        ("greet.v1.Greeter/sayhello", "did you mean greet.v1.Greeter/SayHello?"),
        ("greet.v1.Greter/SayHello", "did you mean greet.v1.Greeter/SayHello?"),
        ("Greeter", "greet.v1.Greeter is a service; which of its methods: SayHello?"),
        ("Xyzzy", "no method is called Xyzzy: there is echo.v1.Echo/Echo, "),
        (
            "ServerReflectionInfo",
            "may mean grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ),
    ] {
        let ended = call(&server, &[typed]);
        assert!(failed(&ended, 1).contains(said), "{typed}: {}", ended.errors);
    }
}

#[test]
fn every_protocol_carries_the_call() {
    let server = serving();
    for words in [
        "",
        "--protocol grpc-web",
        "--protocol grpc-web --http1",
        "--protocol connect",
        "--protocol connect --codec json",
        "--protocol connect --http1",
        "--protocol connect --http1 --codec json",
        "--codec json",
        "--compress gzip",
        "--protocol connect --compress gzip",
        "--timeout 10s",
    ] {
        let words: Vec<_> = words.split_whitespace().collect();
        let ended = call(&server, &[&["SayHello", ADA], &words[..]].concat());
        assert_eq!(ok(&ended), HELLO, "{words:?}");
    }
    for scheme in ["tcp", "http", "ws"] {
        assert_eq!(ok(&run(&["call", &server.by(scheme), "SayHello", ADA])), HELLO, "{scheme}");
    }
}

#[test]
fn a_method_without_side_effects_is_called_by_get() {
    let server = serving();
    let get = ["--protocol", "connect", "--get"];
    for more in [&[][..], &["--http1"], &["--codec", "json"]] {
        let ended = call(&server, &[&["SayHello", ADA], &get[..], more].concat());
        assert_eq!(ok(&ended), HELLO, "{more:?}");
    }
    let ended = call(&server, &[&["Echo/Fail"], &get[..]].concat());
    assert!(failed(&ended, 2).contains("cannot be called by GET"), "{}", ended.errors);
    let ended = call(&server, &["SayHello", "--get"]);
    assert!(failed(&ended, 2).contains("--protocol connect"), "{}", ended.errors);
}

#[test]
fn replies_of_a_stream_are_lines() {
    let server = serving();
    let lines = "{\"value\":\"1\"}\n{\"value\":\"2\"}\n{\"value\":\"3\"}\n";
    for protocol in ["grpc", "grpc-web", "connect"] {
        let ended = call(&server, &["CountTo", r#"{"value": 3}"#, "--protocol", protocol]);
        assert_eq!(ok(&ended), lines, "{protocol}");
    }
    let ended = call(&server, &["SayHello", ADA, "--compact"]);
    assert_eq!(ok(&ended), "{\"message\":\"Hello, Ada!\"}\n");
}

#[test]
fn requests_of_a_stream_are_values_of_the_input_or_of_the_command_line() {
    let server = serving();
    let input = b"{\"value\": 1}\n{\n  \"value\": \"2\"\n} {\"value\":3}";
    for (words, expected) in [
        (&["Sum"][..], "{\n  \"value\": \"6\"\n}\n"),
        (&["Sum", "-", "--protocol", "connect", "--http1"], "{\n  \"value\": \"6\"\n}\n"),
        (&["RunningSum"], "{\"value\":\"1\"}\n{\"value\":\"3\"}\n{\"value\":\"6\"}\n"),
        (
            &["RunningSum", "--codec", "json", "--protocol", "connect", "--http1"],
            "{\"value\":\"1\"}\n{\"value\":\"3\"}\n{\"value\":\"6\"}\n",
        ),
    ] {
        let ended = run_with(&[&["call", &server.address], words].concat(), input);
        assert_eq!(ok(&ended), expected, "{words:?}");
    }
    let given = call(&server, &["RunningSum", r#"{"value":1}{"value":2}"#]);
    assert_eq!(ok(&given), "{\"value\":\"1\"}\n{\"value\":\"3\"}\n");
    let read = run_with(&["call", &server.address, "SayHello", "-"], ADA.as_bytes());
    assert_eq!(ok(&read), HELLO);
}

#[test]
fn each_request_is_sent_and_each_reply_shown_before_the_next() {
    let server = serving();
    for endpoint in [server.by("tcp"), server.by("ws")] {
        let mut child =
            farcall(&["call", &endpoint, "RunningSum"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for (value, sum) in [(1, 1), (2, 3), (-10, -7)] {
            writeln!(input, "{{\"value\": {value}}}").unwrap();
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            assert_eq!(line, format!("{{\"value\":\"{sum}\"}}\n"), "{endpoint}");
        }
        drop(input);
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_call_that_ends_does_not_wait_for_more_input() {
    let server = serving();
    let mut child =
        farcall(&["call", &server.address, "RunningSum"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{\"value\": \"9223372036854775807\"} {\"value\": 1}").unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(67), "{ended:?}");
    assert!(ended.errors.starts_with("INVALID_ARGUMENT: value: "), "{ended:?}");
    drop(input);
}

#[test]
fn what_is_wrong_with_a_request_is_told_with_its_place() {
    let server = serving();
    for (method, data, said) in [
        (
            "SayHello",
            r#"{"nmae": "Ada"}"#,
            "DATA, line 1, column 7: field nmae: greet.v1.HelloRequest has no such field: did you mean name?",
        ),
        ("SayHello", r#"{"name": 5}"#, "DATA, line 1, column 10: field name: expected a string: "),
        (
            "SayHello",
            "{\n\"name\" \"Ada\"}",
            "DATA, line 2, column 8: expected JSON of a greet.v1.HelloRequest: expected `:`",
        ),
        ("Square", r#"{"value": "x"}"#, "field value: expected a number of 64 bits: "),
        ("Fail", r#"{"code": -1}"#, "field code: expected a number of 32 bits, not negative: "),
        (
            "SayHello",
            "{} {}",
            "DATA, line 1, column 4: the method takes one request, and this is a second",
        ),
    ] {
        let ended = call(&server, &[method, data]);
        assert!(failed(&ended, 1).contains(said), "{data}: {}", ended.errors);
    }
    let ended = run_with(&["call", &server.address, "Sum"], b"{\"value\": 1}\n\n  {\"valu\": 2}");
    assert!(
        failed(&ended, 1).contains("standard input, line 3, column 9: field valu: "),
        "{ended:?}"
    );
}

#[test]
fn metadata_goes_and_comes_and_can_be_shown() {
    let server = serving();
    for more in [&[][..], &["--protocol", "connect", "--http1"], &["--protocol", "grpc-web"]] {
        let words = ["Echo/Echo", "-v", "-H", "Echo-A: 1", "-H", "echo-b-bin: AP8=", "-H", "x: y"];
        let ended = call(&server, &[&words[..], more].concat());
        assert_eq!((ended.code, ended.output.as_str()), (Some(0), "{}\n"), "{ended:?}");
        let at = |line: &str| {
            let found = ended.errors.lines().position(|other| other == line);
            found.unwrap_or_else(|| panic!("{line} in {}", ended.errors))
        };
        assert_eq!(at("> echo.v1.Echo/Echo"), 0);
        assert!(at("< (before the replies)") < at("< echo-a: 1"));
        assert!(at("< echo-a: 1") < at("< (after the replies)"));
        assert!(at("< (after the replies)") < at("< echo-b-bin: AP8="));
    }
    let ended = call(&server, &["Echo/Echo", "-H", "grpc-status: 0"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn a_failure_is_told_by_its_code() {
    let server = serving();
    for protocol in ["grpc", "grpc-web", "connect"] {
        let data = r#"{"code": 5, "message": "no such user"}"#;
        let ended = call(&server, &["Echo/Fail", data, "--protocol", protocol]);
        assert_eq!(failed(&ended, 69), "NOT_FOUND: no such user\n", "{protocol}");
    }
    for code in 1..=16 {
        let ended = call(&server, &["Echo/Fail", &format!("{{\"code\": {code}}}")]);
        assert_eq!(ended.code, Some(64 + code), "{ended:?}");
    }
    let ended = call(&server, &["Sleep", r#"{"milliseconds": 60000}"#, "--timeout", "50ms"]);
    assert!(failed(&ended, 68).starts_with("DEADLINE_EXCEEDED: "), "{}", ended.errors);
}

#[test]
fn who_cannot_be_reached_is_told_without_a_status() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = run(&["call", &free.to_string(), "SayHello"]);
    let said = failed(&ended, 3);
    assert!(said.starts_with(&format!("farcall: cannot connect to tcp://{free}: ")), "{said}");
    let ended = run(&["call", "tcp://nobody:x", "SayHello"]);
    assert!(failed(&ended, 2).contains("bad port"), "{}", ended.errors);
    let ended = run(&["call", "127.0.0.1:1", "SayHello", "--http1"]);
    assert!(failed(&ended, 2).contains("gRPC needs HTTP/2"), "{}", ended.errors);
}

#[test]
fn without_reflection_a_file_says_what_there_is() {
    let server = Serving::start(services::server());
    let ended = call(&server, &["SayHello", ADA]);
    assert!(
        failed(&ended, 1).contains("the server has no reflection: say with --proto FILE"),
        "{ended:?}"
    );

    let file = proto("greet.proto");
    assert_eq!(ok(&call(&server, &["SayHello", ADA, "--proto", &file])), HELLO);
    let folder = proto("");
    let words = ["SayHello", ADA, "--proto", "greet.proto", "--proto-path", &folder];
    assert_eq!(ok(&call(&server, &words)), HELLO);

    let out = Folder::new();
    let set = out.path().join("greet.binpb");
    let mut compiler = protox::Compiler::new([&folder]).unwrap();
    compiler.include_imports(true).open_file("greet.proto").unwrap();
    std::fs::write(&set, compiler.encode_file_descriptor_set()).unwrap();
    let set = set.display().to_string();
    assert_eq!(ok(&call(&server, &["SayHello", ADA, "--descriptor-set", &set])), HELLO);
}

#[test]
fn files_that_are_wrong_are_told_with_their_place() {
    let folder = Folder::new();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let broken = write("broken.proto", "syntax = \"proto3\";\nmessage A { B b = 1; }\n");
    let no_set = write("x.binpb", "this is no set");
    for (option, file, said) in [
        ("--proto", broken.as_str(), "broken.proto:2:13: name 'B' is not defined"),
        ("--proto", "/no/such.proto", "/no/such.proto: "),
        ("--descriptor-set", &no_set, "x.binpb: expected a FileDescriptorSet: "),
    ] {
        let ended = run(&["list", option, file]);
        assert!(ended.errors.contains(said), "{ended:?}");
        assert_ne!(ended.code, Some(0));
    }
}

async fn without_v1(call: Call, next: Next) -> Result<Reply> {
    if call.method().service == "grpc.reflection.v1.ServerReflection" {
        return Err(Status::unimplemented("only the forerunner is here"));
    }
    next.run(call).await
}

#[test]
fn the_forerunner_of_reflection_will_do() {
    let server = Serving::start(services::server().reflection().intercept(without_v1));
    assert_eq!(ok(&call(&server, &["SayHello", ADA])), HELLO);
}

/// Fails with details.
struct Detailed;

impl Echo for Detailed {
    async fn echo(&self, request: EchoMessage, _: &mut Call) -> Result<EchoMessage> {
        Ok(request)
    }

    async fn fail(&self, _: FailRequest, _: &mut Call) -> Result<EchoMessage> {
        let any = |name: &str, value: Vec<u8>| Any {
            type_url: format!("type.googleapis.com/{name}"),
            value: value.into(),
        };
        // google.rpc.ErrorInfo { reason: "NONE" }
        let info = b"\x0a\x04NONE".to_vec();
        let request = HelloRequest { name: "Ada".into() }.encode_to_vec();
        Err(Status::not_found("no such user")
            .with_any(any("google.rpc.ErrorInfo", info))
            .with_any(any("greet.v1.HelloRequest", request))
            .with_any(any("nobody.Knows", vec![0, 255])))
    }

    async fn sleep(&self, _: SleepRequest, _: &mut Call) -> Result<EchoMessage> {
        Ok(EchoMessage::default())
    }
}

#[test]
fn details_are_shown_as_json_where_somebody_describes_them() {
    let greeter = farcall_cli::proto::greet::v1::Greeter::into_service(services::Hello);
    let server = farcall::Server::new().add(Detailed.into_service()).add(greeter).reflection();
    let server = Serving::start(server);
    for protocol in ["grpc", "connect"] {
        let ended = call(&server, &["Echo/Fail", "--compact", "--protocol", protocol]);
        let expected = "NOT_FOUND: no such user\n\
            {\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"NONE\"}\n\
            {\"@type\":\"type.googleapis.com/greet.v1.HelloRequest\",\"name\":\"Ada\"}\n\
            {\"@type\":\"type.googleapis.com/nobody.Knows\",\"value\":\"AP8=\"}\n";
        assert_eq!(failed(&ended, 69), expected, "{protocol}");
    }
}

fn test_proto(name: &str) -> String {
    format!("{}/tests/proto/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A `google.protobuf.Any` as bytes, in base64.
fn any(name: &str, value: &[u8]) -> String {
    let url = format!("type.googleapis.com/{name}");
    let mut bytes = vec![0x0a, u8::try_from(url.len()).unwrap()];
    bytes.extend(url.as_bytes());
    bytes.extend([0x12, u8::try_from(value.len()).unwrap()]);
    bytes.extend(value);
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn what_an_any_holds_is_shown_where_somebody_describes_it() {
    let server = serving();
    let proto = test_proto("any_out.proto");
    let echo = |payload: String| {
        let data = format!("{{\"payload\": \"{payload}\"}}");
        call(&server, &["Echo/Echo", &data, "--compact", "--proto", &proto])
    };
    let ended = echo(any("google.rpc.ErrorInfo", b"\x0a\x04NONE"));
    let expected =
        "{\"any\":{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"NONE\"}}\n";
    assert_eq!(ok(&ended), expected);
    let ended = echo(any("nobody.v1.Knows", b"\x0a\x04NONE"));
    assert_eq!(ended.output, "{\"any\":{\"@type\":\"type.googleapis.com/nobody.v1.Knows\"}}\n");
    assert!(ended.errors.contains("nobody.v1.Knows: the descriptors do not know it"), "{ended:?}");
    let ended = echo(any("google.rpc.ErrorInfo", b"\xff"));
    assert!(failed(&ended, 1).contains("the reply is no echo.v1.Wrapped"), "{ended:?}");
}

#[test]
fn an_any_is_sent_as_json_has_it() {
    let server = serving();
    let proto = test_proto("any_in.proto");
    let echo = |any: &str| {
        let data = format!("{{\"any\":{any}}}");
        let ended = call(&server, &["Echo/Echo", &data, "--compact", "--proto", &proto]);
        (ended, format!("{data}\n"))
    };
    for any in [
        r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"NONE"}"#,
        r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.500s"}"#,
    ] {
        let (ended, data) = echo(any);
        assert_eq!(ok(&ended), data);
    }
    let (ended, _) = echo(r#"{"@type":"type.googleapis.com/nobody.v1.Knows"}"#);
    assert!(failed(&ended, 1).contains("DATA, line 1, column"), "{ended:?}");
}

#[test]
fn every_kind_of_exit_is_in_the_help() {
    let help = run(&["call", "--help"]);
    let help = ok(&help);
    for code in farcall::Code::ALL {
        let line = format!("{}  {code}", 64 + code.as_u32());
        assert!(help.contains(&line), "{line} in {help}");
    }
}
