//! The real command as a child process, ended with the test.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The command, not started yet.
pub(crate) fn farcall(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farcall"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the command to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Ended::from(farcall(arguments).output().unwrap())
}

/// Runs the command to its end with this input.
pub(crate) fn run_with(arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = farcall(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // A command that did not want its input has ended; its exit code tells more.
    let _ = child.stdin.take().unwrap().write_all(input);
    Ended::from(child.wait_with_output().unwrap())
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl From<Output> for Ended {
    fn from(ended: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: ended.status.code(), output: text(ended.stdout), errors: text(ended.stderr) }
    }
}

/// A command that listens.
pub(crate) struct Listening {
    pub(crate) process: Child,
    errors: BufReader<ChildStderr>,
    pub(crate) endpoint: String,
    /// What it said before it listened.
    pub(crate) before: String,
}

impl Listening {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(&mut farcall(arguments))
    }

    #[allow(clippy::zombie_processes)] // A command that ends before it listens fails the test.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut process = command.spawn().unwrap();
        let mut errors = BufReader::new(process.stderr.take().unwrap());
        let mut before = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(errors.read_line(&mut line).unwrap(), 0, "it ended: {before}");
            let place =
                ["listening at ", "receiving at "].iter().find_map(|p| line.strip_prefix(p));
            if let Some(endpoint) = place {
                let endpoint = endpoint.trim().to_owned();
                return Self { process, errors, endpoint, before };
            }
            before.push_str(&line);
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn port(&self) -> u16 {
        self.endpoint.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Waits for a line on standard error with `words` in it.
    pub(crate) fn until_it_says(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.errors.read_line(&mut line).unwrap(), 0, "it ended without {words}");
        }
        line
    }

    /// Waits for the end; what it said since it listened.
    pub(crate) fn end(mut self) -> Ended {
        let (mut output, mut errors) = (String::new(), String::new());
        self.process.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        self.errors.read_to_string(&mut errors).unwrap();
        let code = self.process.wait().unwrap().code();
        Ended { code, output, errors }
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(self) -> Ended {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.end()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder of the test's own.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("farcall-by-hand-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn socket(&self) -> String {
        format!("unix://{}/x", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asks again until it is so: the kernel moves connections on in its own time.
pub(crate) fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "it did not happen");
        std::thread::yield_now();
    }
}
