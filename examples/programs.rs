//! Runs the programs of an example, for the tests of all of them.
//!
//! Servers listen on a Unix socket in the temporary folder, so that tests need no port.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to do its part.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two looks at a program.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What the client and the server printed, after the client has called the server and ended well.
#[allow(dead_code, reason = "not every example has a server of its own")]
pub(crate) fn call(example: &str, server: &str, client: &str) -> (String, String) {
    let socket = Socket::new(example);
    let mut server = Program::start(server, &[&socket.endpoint()]);
    server.wait_until("it listens", |server| {
        assert_eq!(server.ended(), None, "{}: ended by itself", server.name);
        UnixStream::connect(&socket.0).ok()
    });
    let printed = run(client, &[&socket.endpoint()]);
    (printed, server.stop())
}

/// What a program printed that ended well.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let mut program = Program::start(program, arguments);
    let status = program.wait_until("it ends", Program::ended);
    let printed = program.printed();
    assert!(status.success(), "{}: {status}, having printed:\n{printed}", program.name);
    printed
}

/// A program that is running, and is not when this is gone.
struct Program {
    name: String,
    child: Child,
    stdout: ChildStdout,
}

impl Program {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(name);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().expect(name);
        let stdout = child.stdout.take().expect("stdout is a pipe");
        Self { name: name.to_owned(), child, stdout }
    }

    /// What `look` finds in the end.
    fn wait_until<T>(&mut self, what: &str, look: impl Fn(&mut Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(found) = look(self) {
                return found;
            }
            thread::sleep(LOOK_EVERY);
        }
        panic!("{}: waited {PATIENCE:?} until {what}", self.name);
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the program is this one's child")
    }

    /// What was printed before it was stopped.
    fn stop(mut self) -> String {
        assert_eq!(self.ended(), None, "{}: ended by itself", self.name);
        let _ = self.child.kill();
        self.printed()
    }

    /// All that the program, which has ended, has printed.
    fn printed(&mut self) -> String {
        let mut printed = String::new();
        self.stdout.read_to_string(&mut printed).expect("programs print text");
        printed
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A path for a Unix socket that no other test uses.
struct Socket(PathBuf);

impl Socket {
    fn new(example: &str) -> Self {
        let name = format!("farcall-{example}-{}.sock", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn endpoint(&self) -> String {
        format!("unix://{}", self.0.display())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
