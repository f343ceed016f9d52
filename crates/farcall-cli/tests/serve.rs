//! `farcall serve` says where it listens, answers, and ends when it is asked to.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use farcall::{Channel, Result};
use farcall_cli::proto::greet::v1::{GreeterClient, HelloRequest};
use farcall_cli::proto::numbers::v1::{Number, NumbersClient};

/// A call that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The command at work; ended by force if a test leaves it behind.
struct Serving {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    fn start(endpoints: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_farcall"))
            .arg("serve")
            .args(endpoints)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, output }
    }

    /// What it says at first, up to the line about its end.
    fn welcome(&mut self) -> String {
        let mut text = String::new();
        for line in self.output.by_ref() {
            let line = line.unwrap();
            text.push_str(&line);
            text.push('\n');
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        text
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Waits for the end, and returns the exit code and what was said about it.
    fn end(mut self) -> (Option<i32>, String) {
        // Both pipes are read to their ends: the process must not wait for a reader.
        while self.output.next().is_some() {}
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.process.wait().unwrap().code(), errors)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn socket(name: &str) -> PathBuf {
    env::temp_dir().join(format!("farcall-test-{name}-{}.sock", std::process::id()))
}

fn url(path: &Path) -> String {
    format!("unix://{}", path.display())
}

/// The endpoint with this scheme, from the list of those that are listened at.
fn endpoint<'a>(welcome: &'a str, scheme: &str) -> &'a str {
    let listed = welcome.lines().map(str::trim).find(|line| line.starts_with(scheme));
    listed.unwrap_or_else(|| panic!("{scheme} in\n{welcome}"))
}

async fn greet(endpoint: &str) -> Result<String> {
    let greeter = GreeterClient::new(Channel::connect(endpoint).await?);
    Ok(greeter.say_hello(HelloRequest { name: "Ada".into() }).timeout(PATIENCE).await?.message)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_it_listens_answers_and_leaves_no_socket() -> Result<()> {
    let path = socket("answers");
    let mut serving = Serving::start(&["tcp://127.0.0.1:0", &url(&path)]);
    let welcome = serving.welcome();
    let tcp = endpoint(&welcome, "tcp://");
    assert!(!tcp.ends_with(":0"), "{welcome}");
    assert_eq!(greet(tcp).await?, "Hello, Ada!");
    assert_eq!(greet(endpoint(&welcome, "unix://")).await?, "Hello, Ada!");

    serving.signal("-TERM");
    assert_eq!(serving.end(), (Some(0), String::new()));
    assert!(!path.exists());
    Ok(())
}

#[test]
fn it_says_what_to_type() {
    let path = socket("types");
    let mut serving = Serving::start(&["tcp://0.0.0.0:0", &url(&path)]);
    let welcome = serving.welcome();
    let (_, port) = endpoint(&welcome, "tcp://0.0.0.0:").rsplit_once(':').unwrap();
    for command in [
        format!("\"Ada\"}}' 127.0.0.1:{port} greet.v1.Greeter/SayHello"),
        format!("curl --http2-prior-knowledge http://127.0.0.1:{port}/"),
        format!("--unix-socket {} http://localhost/", path.display()),
        "tour\n".to_owned(),
    ] {
        assert!(welcome.contains(&command), "{command} in\n{welcome}");
    }
    serving.signal("-INT");
    assert_eq!(serving.end(), (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_are_finished_first() -> Result<()> {
    let mut serving = Serving::start(&["tcp://127.0.0.1:0"]);
    let welcome = serving.welcome();
    let channel = Channel::connect(endpoint(&welcome, "tcp://")).await?;
    let (mut numbers, mut sums) =
        NumbersClient::new(channel).running_sum().timeout(PATIENCE).await?;
    numbers.send(Number { value: 1 }).await?;
    assert_eq!(sums.receive().await?, Some(Number { value: 1 }));

    serving.signal("-TERM");
    let line = serving.output.next().unwrap().unwrap();
    assert!(line.starts_with("SIGTERM: calls under way have 10 s"), "{line}");
    numbers.send(Number { value: 2 }).await?;
    assert_eq!(sums.receive().await?, Some(Number { value: 3 }));
    numbers.finish().await?;
    assert_eq!(sums.receive().await?, None);
    assert_eq!(serving.end(), (Some(0), String::new()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_cuts_calls_off() -> Result<()> {
    let path = socket("second");
    let mut serving = Serving::start(&[&url(&path)]);
    serving.welcome();
    let channel = Channel::connect(url(&path)).await?;
    let (mut numbers, mut sums) =
        NumbersClient::new(channel).running_sum().timeout(PATIENCE).await?;
    numbers.send(Number { value: 1 }).await?;
    sums.receive().await?;

    serving.signal("-TERM");
    serving.output.next().unwrap().unwrap();
    serving.signal("-INT");
    let ended = serving.end();
    assert_eq!(ended, (Some(1), "farcall: Ctrl-C: the calls under way were cut off\n".to_owned()));
    assert!(!path.exists());
    assert!(sums.receive().await.is_err());
    Ok(())
}

fn refused(endpoint: &str) -> String {
    refused_with(&[endpoint])
}

fn refused_with(arguments: &[&str]) -> String {
    let (code, errors) = Serving::start(arguments).end();
    assert_eq!(code, Some(1), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.starts_with("farcall: "), "{errors}");
    errors
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", taken.local_addr().unwrap());
    let errors = refused(&endpoint);
    assert!(errors.contains(&endpoint), "{errors}");
    assert!(errors.contains("farcall serve tcp://127.0.0.1:0"), "{errors}");
}

#[test]
fn an_endpoint_that_is_none_is_named() {
    for endpoint in
        ["gopher://x", "tcp://127.0.0.1:70000", "unix://relative", "mem://x", "shm:///x"]
    {
        let errors = refused(endpoint);
        assert!(errors.contains(endpoint), "{errors}");
    }
}

#[test]
fn a_file_in_the_way_stays() {
    let path = socket("file");
    fs::write(&path, "precious").unwrap();
    let errors = refused(&url(&path));
    let kept = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(errors.contains(&url(&path)), "{errors}");
    assert_eq!(kept, "precious");
}

/// What a server says to a request as it is, up to the end of the connection.
fn ask(endpoint: &str, request: &str) -> String {
    let address = endpoint.trim_start_matches("tcp://");
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("{request}Host: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn farcall(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_farcall")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_describes_itself_and_says_how_it_is() {
    let mut serving = Serving::start(&["tcp://127.0.0.1:0"]);
    let welcome = serving.welcome();
    let tcp = endpoint(&welcome, "tcp://");
    let services = farcall(&["list", tcp]);
    assert!(services.lines().any(|service| service == "greet.v1.Greeter"), "{services}");
    let health = farcall(&["call", tcp, "Health/Check", "--compact"]);
    assert_eq!(health, "{\"status\":\"SERVING\"}\n");
}

#[test]
fn whoever_opens_the_port_is_told_what_to_try() {
    let mut serving = Serving::start(&["tcp://127.0.0.1:0"]);
    let welcome = serving.welcome();
    let tcp = endpoint(&welcome, "tcp://");
    let address = tcp.trim_start_matches("tcp://");
    let text = ask(tcp, "GET / HTTP/1.1\r\n");
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(
        text.contains(&format!("grpcurl -plaintext -d '{{\"name\": \"Ada\"}}' {address} ")),
        "{text}"
    );
    let page = ask(tcp, "GET / HTTP/1.1\r\nAccept: text/html\r\n");
    assert!(page.contains("<title>farcall</title>"), "{page}");
    assert!(page.contains(&format!("http://{address}/greet.v1.Greeter/SayHello")), "{page}");
    assert!(ask(tcp, "GET /nothing HTTP/1.1\r\n").starts_with("HTTP/1.1 404 "));
}

#[test]
fn tls_is_spoken_beside_plaintext_with_a_certificate_made_for_it() {
    let mut serving = Serving::start(&["tcp://127.0.0.1:0", "--tls-self-signed"]);
    let welcome = serving.welcome();
    let tcp = endpoint(&welcome, "tcp://");
    let (_, rest) = welcome.split_once("--cacert ").unwrap();
    let certificate = rest.split_whitespace().next().unwrap();
    let hello = "{\"message\":\"Hello, world!\"}\n";
    assert_eq!(farcall(&["call", tcp, "SayHello", "--compact"]), hello);
    for scheme in ["https", "tls", "wss"] {
        let endpoint = tcp.replace("tcp", scheme);
        let words = ["call", &endpoint, "SayHello", "--compact"];
        assert_eq!(farcall(&[&words[..], &["--cacert", certificate]].concat()), hello, "{scheme}");
        assert_eq!(farcall(&[&words[..], &["--insecure"]].concat()), hello, "{scheme}");
    }
    let words = ["call", &tcp.replace("tcp", "https"), "SayHello", "--compact"];
    let connect = ["--cacert", certificate, "--protocol", "connect", "--http1"];
    assert_eq!(farcall(&[&words[..], &connect].concat()), hello);
    let refused = Command::new(env!("CARGO_BIN_EXE_farcall")).args(words).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("self-signed") && said.starts_with("farcall: connect to https://"),
        "{said}"
    );

    let certificate = PathBuf::from(certificate);
    assert!(certificate.exists());
    serving.signal("-TERM");
    assert_eq!(serving.end(), (Some(0), String::new()));
    assert!(!certificate.exists());
}

#[test]
fn a_certificate_of_ones_own_is_used_from_its_files() {
    let folder = env::temp_dir().join(format!("farcall-test-tls-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let [certificate, key] =
        ["cert.pem", "key.pem"].map(|name| folder.join(name).display().to_string());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut serving = Serving::start(&["tls://127.0.0.1:0", "--tls", &certificate, &key]);
    let welcome = serving.welcome();
    let tls = endpoint(&welcome, "tls://").to_owned();
    let (_, port) = tls.rsplit_once(':').unwrap();
    let words = ["call", &format!("https://localhost:{port}"), "SayHello", "--compact"];
    let hello = farcall(&[&words[..], &["--cacert", &certificate]].concat());
    let named = ["--cacert", &certificate, "--server-name", "localhost"];
    let by_name = farcall(&[&["call", &tls, "SayHello", "--compact"], &named[..]].concat());
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(hello, "{\"message\":\"Hello, world!\"}\n");
    assert_eq!(hello, by_name);
    serving.signal("-TERM");
    assert_eq!(serving.end().0, Some(0));
    assert!(refused_with(&["--tls", "/no/such", "/no/such"]).contains("/no/such"));
}

#[test]
fn pages_of_other_origins_may_call_when_they_are_named() {
    let preflight = "OPTIONS /greet.v1.Greeter/SayHello HTTP/1.1\r\nOrigin: https://app.example.com\r\n\
        Access-Control-Request-Method: POST\r\n";
    for (cors, allowed) in
        [("https://app.example.com", true), ("*", true), ("https://other.example", false)]
    {
        let mut serving = Serving::start(&["tcp://127.0.0.1:0", "--cors", cors]);
        let welcome = serving.welcome();
        let answer = ask(endpoint(&welcome, "tcp://"), preflight).to_ascii_lowercase();
        let found = answer.contains("access-control-allow-origin: https://app.example.com");
        assert_eq!(found, allowed, "{cors}: {answer}");
    }
}

#[test]
fn whoever_comes_by_a_unix_socket_is_told_its_path() {
    let path = socket("page");
    let mut serving = Serving::start(&[&url(&path)]);
    serving.welcome();
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(&format!("farcall call {} SayHello", url(&path))), "{answer}");
    serving.signal("-TERM");
    assert_eq!(serving.end(), (Some(0), String::new()));
    assert!(!path.exists());
}
