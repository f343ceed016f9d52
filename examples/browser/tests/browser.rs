//! Opens the page in a real Chromium, twice, and uses it as a person would.

#[path = "browser/driver.rs"]
mod driver;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use driver::Driver;

#[test]
fn two_tabs_talk_to_each_other_by_json_grpc_web_and_websocket() {
    let Some(driver) = Driver::start() else {
        eprintln!(
            "skipped: chromedriver is not installed (Debian packages chromium, chromium-driver)"
        );
        return;
    };
    let server = Server::start();
    let ada = driver.open(&server.page);
    let bob = driver.open(&server.page);
    bob.replace("name", "Bob");

    // gRPC-Web: replies come as they are made, while the call goes on.
    ada.click("listen");
    ada.wait_for("heard", "listening\n");

    // A WebSocket: both sides at once.
    bob.click("join");
    bob.wait_for("room", "joined\n");
    bob.click("talk");
    bob.wait_for("room", "joined\nBob: Hello!\n");
    ada.wait_for("heard", "listening\nBob: Hello!\n");

    // JSON: nothing but fetch.
    ada.click("say");
    ada.wait_for("said", "heard by 2\n");
    ada.wait_for("heard", "listening\nBob: Hello!\nAda: Hello!\nend\n");
    bob.wait_for("room", "joined\nBob: Hello!\nAda: Hello!\n");
    ada.replace("text", "");
    ada.click("say");
    ada.wait_for("said", "heard by 2\ninvalid_argument: there is nothing to say\n");

    bob.click("leave");
    bob.wait_for("room", "joined\nBob: Hello!\nAda: Hello!\nleft\n");
}

/// The example, on a port of its own.
struct Server {
    child: Child,
    page: String,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_browser-server"));
        let mut child =
            command.arg("tcp://127.0.0.1:0").stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let endpoint = line.trim().strip_prefix("listening at tcp://").expect("an endpoint");
        Self { page: format!("http://{endpoint}/"), child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
