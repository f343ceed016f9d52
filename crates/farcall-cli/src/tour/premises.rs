//! Where the tour takes place: the services, the endpoints they listen at, and the end of it all.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use farcall::tls::{ClientTls, ServerTls};
use farcall::{Channel, ChannelConfig, Codec, Protocol, Server};
use tokio::runtime;
use tokio::sync::oneshot;

use crate::self_signed::SelfSigned;
use crate::{Failure, Result, services};

/// How long the server may take to end; no call is under way then.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);

/// A way to the services.
#[derive(Debug)]
pub(super) struct Route {
    /// The kind of endpoint, in a word.
    pub(super) endpoint: &'static str,
    /// The protocol, in a word; `/1` means HTTP/1.1.
    pub(super) protocol: &'static str,
    pub(super) channel: Channel,
}

/// The protocols that are compared on one kind of endpoint: name, protocol, codec, whether by HTTP/1.1.
const PROTOCOLS: [(&str, Protocol, Codec, bool); 7] = [
    ("gRPC", Protocol::Grpc, Codec::Proto, false),
    ("gRPC-Web", Protocol::GrpcWeb, Codec::Proto, false),
    ("gRPC-Web/1", Protocol::GrpcWeb, Codec::Proto, true),
    ("Connect", Protocol::Connect, Codec::Proto, false),
    ("Connect/1", Protocol::Connect, Codec::Proto, true),
    ("JSON", Protocol::Connect, Codec::Json, false),
    ("JSON/1", Protocol::Connect, Codec::Json, true),
];

/// The services, listening.
pub(super) struct Premises {
    /// The endpoints as they really are.
    endpoints: Vec<String>,
    tls: ClientTls,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result>,
    folder: Folder,
}

impl Premises {
    /// Starts the services at one endpoint of each kind that nobody else can have.
    ///
    /// # Errors
    /// The folder of the Unix socket cannot be made, or an endpoint cannot be bound.
    pub(super) async fn open() -> Result<Self> {
        let folder = Folder::create()?;
        let certificate = SelfSigned::make()?;
        let tls = ClientTls::new().roots(certificate.roots()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, bound) = oneshot::channel();
        let server = services::server()
            .listen("tcp://127.0.0.1:0")
            .listen(format!("unix://{}/tour", folder.path().display()))
            .listen(format!("mem://farcall-tour-{}", std::process::id()))
            .tls(ServerTls::new(certificate.identity()?))
            .shutdown_limit(SHUTDOWN_LIMIT)
            .shutdown_on(async { drop(stopped.await) });
        let server =
            thread::Builder::new().name("server".to_owned()).spawn(|| run(server, ready))?;
        match bound.await {
            Ok(endpoints) => Ok(Self { endpoints, tls, stop, server, folder }),
            Err(_) => Err(join(server).err().unwrap_or_else(|| "the server did not start".into())),
        }
    }

    /// The endpoints, in the order in which they are visited.
    pub(super) fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// A channel for each way there is. None is connected yet.
    ///
    /// # Errors
    /// None in practice: the endpoints are listened at.
    pub(super) fn routes(&self) -> Result<Vec<Route>> {
        let tcp = self.endpoints.first().ok_or("the server listens nowhere")?;
        let mut routes = Vec::new();
        for (protocol, spoken, codec, http1) in PROTOCOLS {
            let channel = self.channel(tcp, http1)?.protocol(spoken).codec(codec);
            routes.push(Route { endpoint: "tcp", protocol, channel });
        }
        let grpc = |endpoint, channel| Route { endpoint, protocol: "gRPC", channel };
        for scheme in ["tls", "ws"] {
            let endpoint = tcp.replacen("tcp", scheme, 1);
            routes.push(grpc(scheme, self.channel(&endpoint, false)?));
        }
        for (name, endpoint) in ["unix", "mem"].into_iter().zip(self.endpoints.iter().skip(1)) {
            routes.push(grpc(name, self.channel(endpoint, false)?));
        }
        routes.push(grpc("in-process", services::server().in_process()));
        Ok(routes)
    }

    fn channel(&self, endpoint: &str, http1: bool) -> Result<Channel> {
        // One connection: what is compared is how it carries calls, not how many there are.
        let tls = Some(self.tls.clone());
        let config = ChannelConfig { max_connections: 1, http1, tls, ..ChannelConfig::default() };
        Ok(Channel::with_config(endpoint, config)?)
    }

    /// Ends the server and removes the folder.
    ///
    /// # Errors
    /// The server did not end well, or the folder cannot be removed.
    pub(super) fn close(self) -> Result {
        drop(self.stop);
        join(self.server)?;
        self.folder.remove()?;
        Ok(())
    }
}

/// The server's thread: says where it listens, and serves until it is stopped.
fn run(server: Server, ready: oneshot::Sender<Vec<String>>) -> Result {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let bound = server.bind().await?;
        // Nobody waits for it when the tour was ended already; then the server is, too.
        let _ = ready.send(bound.endpoints().map(ToString::to_string).collect());
        bound.run().await.map_err(Failure::from)
    })
}

fn join(server: JoinHandle<Result>) -> Result {
    server.join().unwrap_or_else(|_| Err("the server's thread panicked".into()))
}

/// A folder of our own for the Unix socket.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    /// Makes a folder that did not exist and that only this user can look into.
    fn create() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        let mut number = 0;
        loop {
            let path = parent.join(format!("farcall-tour-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {
                    number += 1;
                }
                Err(error) => {
                    let text = format!("cannot make the folder {}: {error}", path.display());
                    return Err(io::Error::new(error.kind(), text));
                }
            }
        }
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(&self.0)
    }
}

impl Drop for Folder {
    /// When the tour ended early.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
