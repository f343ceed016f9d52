//! A browser by remote control: as much of W3C WebDriver as one page needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long something may take to appear on a page.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two looks at the page.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The key under which an element is named in answers (W3C WebDriver section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A driver, with a folder for what its browsers keep.
pub(crate) struct Driver {
    child: Child,
    port: u16,
    folder: PathBuf,
    opened: AtomicU32,
}

impl Driver {
    /// Starts it on a free port; none when it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        let mut child = command.arg("--port=0").stdout(Stdio::piped()).spawn().ok()?;
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let port = BufReader::new(stdout).lines().map_while(Result::ok).find_map(|line| {
            line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        let folder = std::env::temp_dir().join(format!("farcall-browser-{}", std::process::id()));
        let port = port.expect("chromedriver says its port");
        Some(Self { child, port, folder, opened: AtomicU32::new(0) })
    }

    /// Opens a page in a browser of its own.
    pub(crate) fn open(&self, url: &str) -> Tab<'_> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let profile = self.folder.join(number.to_string());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let session = self.call("POST", "/session", &wanted);
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        let tab = Tab { driver: self, session };
        tab.call("POST", "/url", &json!({ "url": url }));
        tab
    }

    /// One command, over a connection of its own.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body =
            if matches!(method, "GET" | "DELETE") { String::new() } else { body.to_string() };
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("chromedriver reads");
        let mut answer: Value = read_answer(BufReader::new(stream));
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {value}");
        value
    }
}

/// The body of an answer, whose length stands in its head: the connection may stay open.
fn read_answer(mut stream: BufReader<TcpStream>) -> Value {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("chromedriver answers");
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().expect("a length is a number");
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("chromedriver answers");
    serde_json::from_slice(&body).expect("an answer is JSON")
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A page that is open.
pub(crate) struct Tab<'a> {
    driver: &'a Driver,
    session: String,
}

impl Tab<'_> {
    /// Clicks on the element with this id.
    pub(crate) fn click(&self, id: &str) {
        self.call("POST", &format!("/element/{}/click", self.element(id)), &json!({}));
    }

    /// Types over what stands in a field.
    pub(crate) fn replace(&self, id: &str, text: &str) {
        let element = self.element(id);
        self.call("POST", &format!("/element/{element}/clear"), &json!({}));
        if !text.is_empty() {
            self.call("POST", &format!("/element/{element}/value"), &json!({ "text": text }));
        }
    }

    /// Waits until exactly this stands in the element.
    pub(crate) fn wait_for(&self, id: &str, expected: &str) {
        let path = format!("/element/{}/property/textContent", self.element(id));
        let end = Instant::now() + PATIENCE;
        loop {
            let text = self.call("GET", &path, &Value::Null);
            if text.as_str() == Some(expected) {
                return;
            }
            assert!(Instant::now() < end, "{id}: expected {expected:?}, got {text}");
            thread::sleep(LOOK_EVERY);
        }
    }

    fn element(&self, id: &str) -> String {
        let selector = json!({"using": "css selector", "value": format!("#{id}")});
        let found = self.call("POST", "/element", &selector);
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.driver.call(method, &format!("/session/{}{path}", self.session), body)
    }
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.call("DELETE", "", &Value::Null);
        }
    }
}
