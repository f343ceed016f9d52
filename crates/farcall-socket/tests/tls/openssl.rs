//! The program `openssl` at the other end: TLS as somebody built it who knows nothing of ours. Where there is none, or an
//! old one, the tests say so and pass.

use std::path::Path;
use std::process::Stdio;

use farcall_socket::{ClientTls, Connection, Listener, Options, ServerTls};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::authority::{Authority, Folder, client, in_time, server};

/// Whether there is an `openssl` that knows TLS 1.3.
fn openssl_is_there() -> bool {
    let version = std::process::Command::new("openssl").arg("version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match version {
        Ok(version) if version.starts_with("OpenSSL 3") => true,
        Ok(version) => {
            eprintln!("skipped: expected OpenSSL 3, found {version}");
            false
        }
        Err(error) => {
            eprintln!("skipped: no program openssl ({error})");
            false
        }
    }
}

fn openssl(arguments: &[&str], paths: &[(&str, &Path)]) -> Child {
    let mut command = Command::new("openssl");
    command.args(arguments);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().unwrap()
}

#[tokio::test]
async fn s_client_of_openssl_is_served_in_both_versions_with_its_certificate() {
    if !openssl_is_there() {
        return;
    }
    let folder = Folder::new();
    let authority = Authority::new("Test CA");
    let tls = ServerTls::new(authority.server(&["localhost"]))
        .require_client_certificates(authority.roots());
    let roots = folder.file("ca.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let (certificate, key) = authority.sign(&client("ada")).write(&folder, "client");

    for (version, spoken) in [("-tls1_2", "TLS 1.2"), ("-tls1_3", "TLS 1.3")] {
        let endpoint = "tls://127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(&endpoint, &Options::default()).await.unwrap();
        let address = listener.endpoint().authority();
        let arguments = [
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-servername",
            "localhost",
            "-alpn",
            "h2",
            version,
            "-connect",
            &address,
        ];
        let paths = [("-CAfile", &*roots), ("-cert", &*certificate), ("-key", &*key)];
        let mut client = openssl(&arguments, &paths);
        let work = async {
            let mut server = tls.accept(listener.accept().await.unwrap()).await.unwrap();
            let info = server.tls().unwrap().clone();
            assert_eq!(info.version(), spoken);
            assert_eq!(info.alpn(), Some(&b"h2"[..]));
            assert_eq!(info.server_name(), Some("localhost"));
            assert_eq!(server.peer().certificates()[0].common_name(), Some("ada"));
            let mut input = client.stdin.take().unwrap();
            input.write_all(b"from openssl\n").await.unwrap();
            let mut line = [0; 13];
            server.read_exact(&mut line).await.unwrap();
            assert_eq!(&line, b"from openssl\n");
            server.write_all(b"to openssl\n").await.unwrap();
            server.shutdown().await.unwrap();
            let mut output = String::new();
            client.stdout.take().unwrap().read_to_string(&mut output).await.unwrap();
            assert_eq!(output, "to openssl\n");
        };
        in_time(work).await;
    }
}

#[tokio::test]
async fn s_server_of_openssl_is_a_server_in_both_versions() {
    if !openssl_is_there() {
        return;
    }
    let folder = Folder::new();
    let authority = Authority::new("Test CA");
    let (certificate, key) = authority.sign(&server(&["localhost"])).write(&folder, "server");
    let tls = ClientTls::new().roots(authority.roots());

    for (version, spoken) in [("-tls1_2", "TLS 1.2"), ("-tls1_3", "TLS 1.3")] {
        let arguments = ["s_server", "-accept", "127.0.0.1:0", "-alpn", "h2", version];
        let mut server = openssl(&arguments, &[("-cert", &certificate), ("-key", &key)]);
        let mut output = BufReader::new(server.stdout.take().unwrap()).lines();
        let work = async {
            let endpoint = loop {
                let line = output.next_line().await.unwrap().expect("a line with the port");
                if let Some(address) = line.strip_prefix("ACCEPT ") {
                    break format!("tls://{address}").parse().unwrap();
                }
            };
            let transport = Connection::connect(&endpoint, &Options::default()).await.unwrap();
            let mut client = tls.connect(transport, "localhost").await.unwrap();
            let info = client.tls().unwrap();
            assert_eq!((info.version(), info.alpn()), (spoken, Some(&b"h2"[..])));
            // Left open: the end of its input is the end of the server.
            let mut input = server.stdin.take().unwrap();
            input.write_all(b"from openssl\n").await.unwrap();
            let mut line = [0; 13];
            client.read_exact(&mut line).await.unwrap();
            assert_eq!(&line, b"from openssl\n");
            client.write_all(b"to openssl\n").await.unwrap();
            client.shutdown().await.unwrap();
            while let Some(line) = output.next_line().await.unwrap() {
                if line == "to openssl" {
                    return;
                }
            }
            panic!("the server did not print what it was sent");
        };
        in_time(work).await;
    }
}
