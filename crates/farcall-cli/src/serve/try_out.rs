//! What to type to try the services out: lines for a shell, with the real address.

use std::path::{Path, PathBuf};

/// A method for a first call.
const METHOD: &str = "greet.v1.Greeter/SayHello";
/// Its request, for a shell.
const REQUEST: &str = "'{\"name\": \"Ada\"}'";

/// How a server is reached.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// Host and port, in plain.
    Plain(String),
    /// Host and port, by TLS, and the file of the certificate to believe, when it is known.
    Tls(String, Option<PathBuf>),
    /// A Unix socket.
    Socket(PathBuf),
}

/// The command as it was called.
pub(super) fn command() -> String {
    std::env::args().next().unwrap_or_else(|| "farcall".to_owned())
}

impl Place {
    pub(super) fn plain(authority: String) -> Self {
        Self::Plain(authority)
    }

    pub(super) fn tls(authority: String, root: Option<&Path>) -> Self {
        Self::Tls(authority, root.map(Path::to_owned))
    }

    pub(super) fn socket(path: &Path) -> Self {
        Self::Socket(path.to_owned())
    }

    /// The lines, one call each; `farcall` is what the command is called.
    pub(super) fn lines(&self, farcall: &str) -> Vec<String> {
        match self {
            Self::Plain(authority) => vec![
                format!("{farcall} call {authority} SayHello {REQUEST}"),
                format!("{farcall} list {authority}"),
                format!(
                    "curl -H 'Content-Type: application/json' -d {REQUEST} http://{authority}/{METHOD}"
                ),
                format!("curl --http2-prior-knowledge http://{authority}/"),
                format!("grpcurl -plaintext -d {REQUEST} {authority} {METHOD}"),
                format!(
                    "buf curl --http2-prior-knowledge -d {REQUEST} http://{authority}/{METHOD}"
                ),
                format!(
                    "{farcall} call ws://{authority} RunningSum    # a number per line: {{\"value\": 1}}"
                ),
                format!("# in a browser: http://{authority}/"),
            ],
            Self::Tls(authority, root) => {
                let option = |name: &str, otherwise: &str| {
                    let given = root.as_ref().map(|root| format!("{name} {}", root.display()));
                    given.unwrap_or_else(|| otherwise.to_owned())
                };
                let cacert = option("--cacert", "--insecure");
                vec![
                    format!("{farcall} call {cacert} https://{authority} SayHello {REQUEST}"),
                    format!(
                        "curl {cacert} -H 'Content-Type: application/json' -d {REQUEST} https://{authority}/{METHOD}"
                    ),
                    format!(
                        "grpcurl {} -d {REQUEST} {authority} {METHOD}",
                        option("-cacert", "-insecure")
                    ),
                    format!(
                        "buf curl {} -d {REQUEST} https://{authority}/{METHOD}",
                        option("--cacert", "--insecure")
                    ),
                ]
            }
            Self::Socket(path) => {
                let path = path.display();
                vec![
                    format!("{farcall} call unix://{path} SayHello {REQUEST}"),
                    format!("grpcurl -plaintext -d {REQUEST} unix://{path} {METHOD}"),
                    format!("curl --unix-socket {path} http://localhost/"),
                ]
            }
        }
    }
}
