//! The rows of the table: each a client, and a server on a thread of its own, that do the same work through one layer.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use farcall_socket::sockaddr::{Sockaddr, SockaddrUn};
use farcall_socket::{Connection, Endpoint, Family, Listener, Options, Socket};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

use crate::pin;

/// Round trips of one turn.
pub const PINGS: u32 = 2000;
/// Bytes of one turn.
pub const STREAM_BYTES: usize = 128 << 20;
const PING_BYTES: usize = 64;
const CHUNK_BYTES: usize = 64 << 10;

#[derive(Clone, Copy)]
pub enum Work {
    PingPong,
    Stream,
}

pub struct Row {
    pub name: &'static str,
    client: Client,
    work: Work,
}

enum Client {
    Blocking(Box<dyn Pipe>),
    Farcall(Runtime, Connection),
    Tcp(Runtime, tokio::net::TcpStream),
    Unix(Runtime, tokio::net::UnixStream),
}

trait Pipe: Read + Write {}
impl<T: Read + Write> Pipe for T {}

impl Row {
    /// One turn.
    pub fn run(&mut self) -> Turn {
        let (begin, cpu) = (Instant::now(), cpu_seconds());
        let done = match &mut self.client {
            Client::Blocking(pipe) => drive_blocking(pipe, self.work),
            Client::Farcall(runtime, pipe) => runtime.block_on(drive(pipe, self.work)),
            Client::Tcp(runtime, pipe) => runtime.block_on(drive(pipe, self.work)),
            Client::Unix(runtime, pipe) => runtime.block_on(drive(pipe, self.work)),
        };
        done.expect("the server answers");
        Turn { wall: begin.elapsed().as_secs_f64(), cpu: cpu_seconds() - cpu }
    }
}

/// How long a turn took, in seconds.
#[derive(Clone, Copy)]
pub struct Turn {
    pub wall: f64,
    /// Of both ends, user and kernel: it does not grow when others use the machine.
    pub cpu: f64,
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Opens every row's connection and starts its server on the core. A server ends with its connection.
pub fn open(is_unix: bool, work: Work, server_core: usize) -> Vec<Row> {
    let setup = Setup { is_unix, work, server_core };
    let clients = [
        ("farcall", setup.farcall()),
        ("tokio", setup.tokio()),
        ("system calls", setup.system_calls()),
        ("farcall, blocking", setup.farcall_blocking()),
    ];
    clients
        .into_iter()
        .map(|(name, client)| Row { name, client: client.expect("loopback works"), work })
        .collect()
}

struct Setup {
    is_unix: bool,
    work: Work,
    server_core: usize,
}

impl Setup {
    fn farcall(&self) -> io::Result<Client> {
        let runtime = runtime()?;
        let options = Options::default();
        let path = path();
        let endpoint: Endpoint = match self.is_unix {
            true => format!("unix://{}", path.display()),
            false => "tcp://127.0.0.1:0".to_owned(),
        }
        .parse()
        .map_err(io::Error::other)?;
        let (client, server) = runtime.block_on(async {
            let listener = Listener::bind(&endpoint, &options).await?;
            let client = Connection::connect(listener.endpoint(), &options).await?;
            // Its runtime is to be the server's own, so it moves there as a socket.
            Ok::<_, io::Error>((client, listener.accept().await?.into_blocking()?))
        })?;
        self.serve(move || server.into_async());
        Ok(Client::Farcall(runtime, client))
    }

    fn tokio(&self) -> io::Result<Client> {
        let runtime = runtime()?;
        let inside = runtime.enter();
        if self.is_unix {
            let (client, server) = unix_pair()?;
            client.set_nonblocking(true)?;
            server.set_nonblocking(true)?;
            self.serve(move || tokio::net::UnixStream::from_std(server));
            let client = tokio::net::UnixStream::from_std(client)?;
            drop(inside);
            return Ok(Client::Unix(runtime, client));
        }
        let (client, server) = tcp_pair()?;
        client.set_nonblocking(true)?;
        server.set_nonblocking(true)?;
        self.serve(move || tokio::net::TcpStream::from_std(server));
        let client = tokio::net::TcpStream::from_std(client)?;
        drop(inside);
        Ok(Client::Tcp(runtime, client))
    }

    fn system_calls(&self) -> io::Result<Client> {
        if self.is_unix {
            let (client, server) = unix_pair()?;
            self.serve_blocking(server);
            return Ok(Client::Blocking(Box::new(client)));
        }
        let (client, server) = tcp_pair()?;
        self.serve_blocking(server);
        Ok(Client::Blocking(Box::new(client)))
    }

    fn farcall_blocking(&self) -> io::Result<Client> {
        let options = Options::default();
        let path = path();
        let address: Sockaddr = match self.is_unix {
            true => SockaddrUn::from_path(&path)?.into(),
            false => std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into(),
        };
        let open = || Socket::stream(Family::from(&address), &options);
        let listening = open()?.bind(&address)?.listen()?;
        let client = open()?.connect(&listening.local()?)?;
        self.serve_blocking(listening.accept()?);
        Ok(Client::Blocking(Box::new(client)))
    }

    fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        open: impl FnOnce() -> io::Result<S> + Send + 'static,
    ) {
        let (work, core) = (self.work, self.server_core);
        thread::spawn(move || {
            pin(core);
            runtime()?.block_on(async { answer(&mut open()?, work).await })
        });
    }

    fn serve_blocking(&self, mut pipe: impl Pipe + Send + 'static) {
        let (work, core) = (self.work, self.server_core);
        thread::spawn(move || {
            pin(core);
            answer_blocking(&mut pipe, work)
        });
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

fn unix_pair() -> io::Result<(UnixStream, UnixStream)> {
    let path = path();
    let listener = UnixListener::bind(&path)?;
    let client = UnixStream::connect(&path)?;
    let (server, _) = listener.accept()?;
    std::fs::remove_file(path)?;
    Ok((client, server))
}

fn path() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("farcall-bench-{}-{number}", std::process::id()))
}

// The work, once for each kind of waiting. The loops are the same, so that only what is under them differs.

type Done<'a> = Pin<Box<dyn Future<Output = io::Result<()>> + 'a>>;

fn drive<S: AsyncRead + AsyncWrite + Unpin>(pipe: &mut S, work: Work) -> Done<'_> {
    Box::pin(async move {
        if let Work::PingPong = work {
            let mut ping = [7; PING_BYTES];
            for _ in 0..PINGS {
                pipe.write_all(&ping).await?;
                pipe.read_exact(&mut ping).await?;
            }
            return Ok(());
        }
        let chunk = vec![7; CHUNK_BYTES];
        for _ in 0..STREAM_BYTES / CHUNK_BYTES {
            pipe.write_all(&chunk).await?;
        }
        pipe.read_exact(&mut [0]).await?;
        Ok(())
    })
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(pipe: &mut S, work: Work) -> io::Result<()> {
    if let Work::PingPong = work {
        let mut ping = [0; PING_BYTES];
        loop {
            pipe.read_exact(&mut ping).await?;
            pipe.write_all(&ping).await?;
        }
    }
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let mut left = STREAM_BYTES;
        while left > 0 {
            match pipe.read(&mut chunk).await? {
                0 => return Ok(()),
                count => left -= count,
            }
        }
        pipe.write_all(&[1]).await?;
    }
}

fn drive_blocking(pipe: &mut Box<dyn Pipe>, work: Work) -> io::Result<()> {
    if let Work::PingPong = work {
        let mut ping = [7; PING_BYTES];
        for _ in 0..PINGS {
            pipe.write_all(&ping)?;
            pipe.read_exact(&mut ping)?;
        }
        return Ok(());
    }
    let chunk = vec![7; CHUNK_BYTES];
    for _ in 0..STREAM_BYTES / CHUNK_BYTES {
        pipe.write_all(&chunk)?;
    }
    pipe.read_exact(&mut [0])
}

fn answer_blocking(pipe: &mut impl Pipe, work: Work) -> io::Result<()> {
    if let Work::PingPong = work {
        let mut ping = [0; PING_BYTES];
        loop {
            pipe.read_exact(&mut ping)?;
            pipe.write_all(&ping)?;
        }
    }
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let mut left = STREAM_BYTES;
        while left > 0 {
            match pipe.read(&mut chunk)? {
                0 => return Ok(()),
                count => left -= count,
            }
        }
        pipe.write_all(&[1])?;
    }
}
