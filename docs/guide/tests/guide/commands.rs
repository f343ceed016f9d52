//! The commands of the page on one port, run in their order, and what they print.
//!
//! A block marked `sh` or `js` is run; a block marked `text` right behind it is what it must print, where `...` stands for
//! anything, on a line of its own for any lines. A block marked `console` that runs a program of this package starts it. The
//! programs get free ports; the page's ports are replaced by them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// How long one block may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two looks at a block that runs.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Without these nothing of the page can be run.
const NEEDED: [&str; 3] = ["bash", "curl", "openssl"];
/// Without these some blocks are left out.
const WELCOME: [&str; 2] = ["grpcurl", "buf"];
/// Node has had `WebSocket` behind this flag first.
const NODE_FLAG: &str = "--experimental-websocket";

#[test]
fn every_command_prints_what_the_page_shows() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut place = Place::new(guide);
    if let Some(missing) = NEEDED.iter().find(|program| !place.has(program)) {
        eprintln!("not run, because {missing} is not installed");
        return;
    }
    let page = fs::read_to_string(guide.join("one-port.md")).expect("a page of this guide");
    let blocks = blocks(&page);
    let mut run = 0;
    for (at, block) in blocks.iter().enumerate() {
        let behind = blocks.get(at + 1).filter(|next| next.kind == "text" && next.adjoins);
        match (block.kind.as_str(), place.lacks(block)) {
            ("console", _) => place.start(&block.text),
            ("sh" | "js", Some(missing)) => {
                eprintln!("skipped, because {missing} is missing:\n{}", block.text);
            }
            ("sh" | "js", None) => {
                place.run(block, behind.map(|block| block.text.as_str()));
                run += 1;
            }
            _ => {}
        }
    }
    assert!(run >= 15, "only {run} blocks were run");
    let tls = place.endpoint("weather-tls").replacen("tls://127.0.0.1", "https://localhost", 1);
    crate::one_port::call_as_ada(&tls, &place.folder).expect("the stub is as welcome as the tools");
}

#[test]
fn dots_stand_for_anything() {
    for (pattern, text, fits) in [
        ("a\n...\nc", "a\nb\nb\nc", true),
        ("a\n...\nc", "a\nc", true),
        ("a\n...", "a", true),
        ("x...z", "x y z", true),
        ("x...z", "x y", false),
        ("a", "a\nb", false),
        ("a\n...\nc", "a\nb", false),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern:?} {text:?}");
    }
}

/// A fenced block of a page.
struct Block {
    kind: String,
    text: String,
    /// Nothing stands between it and the block before it.
    adjoins: bool,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines();
    let mut adjoins = false;
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            adjoins = false;
            continue;
        };
        let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(Block { kind: kind.to_owned(), text: text.join("\n"), adjoins });
        adjoins = true;
    }
    blocks
}

/// A folder of its own, the programs found from there, and the servers that have been started.
struct Place {
    folder: PathBuf,
    path: Vec<PathBuf>,
    servers: Vec<Server>,
}

struct Server {
    program: String,
    /// Where it listens, as it says.
    endpoint: String,
    /// The port on the page, and its own.
    ports: (String, String),
    child: Child,
    /// Kept, so that the server can go on printing.
    _output: BufReader<ChildStdout>,
}

impl Place {
    fn new(guide: &Path) -> Self {
        let folder = env::temp_dir().join(format!("farcall-guide-{}", process::id()));
        let programs = folder.join("programs");
        fs::create_dir_all(&programs).expect("a new folder");
        let farcall = env!("CARGO_BIN_EXE_farcall-of-the-guide");
        std::os::unix::fs::symlink(farcall, programs.join("farcall")).expect("a new link");
        fs::write(folder.join("package.json"), r#"{"type": "module"}"#).expect("a new file");
        for script in ["farcall.js", "grpc-web.js"] {
            let page = guide.join("../../examples/browser/page");
            fs::copy(page.join(script), folder.join(script)).expect("a script of the example");
        }
        // Where conformance/run installs the clients that it judges by.
        let judges = guide.join("../../conformance/.work");
        let mut path = vec![programs, judges.join("bin"), judges.join("node/node_modules/.bin")];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        Self { folder, path, servers: Vec::new() }
    }

    fn has(&self, program: &str) -> bool {
        self.path.iter().any(|folder| folder.join(program).is_file())
    }

    /// What a block needs and this machine does not have.
    fn lacks(&self, block: &Block) -> Option<&'static str> {
        if block.kind == "js" {
            let node =
                self.has("node") && self.finish(self.command("node", &[NODE_FLAG, "-e", ""])).0;
            return (!node).then_some("a recent node");
        }
        let mut words = block.text.split_whitespace();
        words.find_map(|word| WELCOME.into_iter().find(|name| word == *name && !self.has(name)))
    }

    /// Starts the program that a block of the page starts, at any free port.
    fn start(&mut self, text: &str) {
        let (command, printed) = text.split_once('\n').expect("a command and what it prints");
        let program = command.strip_prefix("$ cargo run -p guide --bin ").expect(command);
        let shown = printed.strip_prefix("listening at ").expect("where it listens");
        let (before, port) = shown.rsplit_once(':').expect("a port");
        let mut start = self.command(&executable(program), &[&format!("{before}:0")]);
        let mut child = start.stdout(Stdio::piped()).spawn().expect(program);
        let mut output = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("programs print text");
        let endpoint = line.trim_end().strip_prefix("listening at ").expect("where it listens");
        let (_, own) = endpoint.rsplit_once(':').expect("a port");
        self.servers.push(Server {
            program: program.to_owned(),
            ports: (format!(":{port}"), format!(":{own}")),
            endpoint: endpoint.to_owned(),
            child,
            _output: output,
        });
    }

    fn endpoint(&self, program: &str) -> String {
        let server = self.servers.iter().find(|server| server.program == program);
        server.expect("it has been started").endpoint.clone()
    }

    fn run(&self, block: &Block, expected: Option<&str>) {
        let ported = |text: &str| {
            let ports = self.servers.iter().map(|server| &server.ports);
            ports.fold(text.to_owned(), |text, (shown, own)| text.replace(shown, own))
        };
        let script = ported(&block.text);
        let command = if block.kind == "js" {
            fs::write(self.folder.join("block.js"), &script).expect("a new file");
            self.command("node", &[NODE_FLAG, "--no-warnings", "block.js"])
        } else {
            self.command("bash", &["-euc", &script])
        };
        let (well, printed) = self.finish(command);
        let errors = || fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
        assert!(well, "failed:\n{script}\nhaving printed:\n{printed}\n{}", errors());
        let Some(expected) = expected.map(ported) else { return };
        let fits = matches(&expected, &printed);
        assert!(fits, "{script}\nshould print:\n{expected}\nand printed:\n{printed}\n{}", errors());
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.env("PATH", env::join_paths(&self.path).expect("folders as they were given"));
        // What somebody has set up for these programs at home is nothing to the page.
        command.env("HOME", &self.folder).env("NO_PROXY", "*").env("no_proxy", "*");
        command
    }

    /// Whether the command ended well, and what it printed.
    fn finish(&self, mut command: Command) -> (bool, String) {
        let file = |name: &str| fs::File::create(self.folder.join(name)).expect("a new file");
        let mut child =
            command.stdout(file("stdout")).stderr(file("stderr")).spawn().expect("bash");
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match child.try_wait().expect("it is this one's child") {
                Some(status) => break status.success(),
                None if Instant::now() < end => thread::sleep(LOOK_EVERY),
                None => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break false;
                }
            }
        };
        let printed = fs::read(self.folder.join("stdout")).expect("a file of this test");
        (status, String::from_utf8_lossy(&printed).into_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.child.kill();
            let _ = server.child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The file of a program of this package.
fn executable(program: &str) -> String {
    let known = [
        ("weather", env!("CARGO_BIN_EXE_weather")),
        ("weather-tls", env!("CARGO_BIN_EXE_weather-tls")),
        ("weather-in-axum", env!("CARGO_BIN_EXE_weather-in-axum")),
    ];
    let found = known.into_iter().find(|(name, _)| *name == program);
    found.expect("a program of this package").1.to_owned()
}

/// Whether the text is what the page shows; spaces at the ends of lines do not count.
fn matches(pattern: &str, text: &str) -> bool {
    let lines = |text: &str| text.trim_end().lines().map(|it| it.trim_end().to_owned()).collect();
    let (pattern, text): (Vec<String>, Vec<String>) = (lines(pattern), lines(text));
    lines_match(&pattern, &text)
}

fn lines_match(pattern: &[String], text: &[String]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=text.len()).any(|skipped| lines_match(rest, &text[skipped..]))
        }
        Some((line, rest)) => text
            .split_first()
            .is_some_and(|(first, others)| line_matches(line, first) && lines_match(rest, others)),
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once("...") {
        None => pattern == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().any(|(at, _)| line_matches(after, &rest[at..])) || after.is_empty()
        }),
    }
}
