//! A service whose behaviour the requests decide, and the ways to reach it, for the tests.

use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::{Call, Channel, Code, Inbound, Outbound, Result, Server, Status};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What `farcall-build` made of `proto/probe.proto`.
pub mod proto {
    farcall::include_protos!();
}
pub use proto::probe::v1::{Probe, ProbeClient, Reply, Request};

/// The service. Clones share everything.
#[derive(Clone, Debug)]
pub struct Subject {
    gate: Arc<watch::Sender<bool>>,
    running: Arc<AtomicUsize>,
    started: Arc<AtomicUsize>,
    changed: Arc<watch::Sender<()>>,
}

impl Default for Subject {
    fn default() -> Self {
        Self {
            gate: Arc::new(watch::Sender::new(false)),
            running: Arc::default(),
            started: Arc::default(),
            changed: Arc::new(watch::Sender::new(())),
        }
    }
}

impl Subject {
    /// A service whose gate is closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets all go on who wait at the gate, now and later.
    pub fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// Handlers whose futures exist.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Handlers that have been started in all.
    pub fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    /// Waits until `condition` holds; it is looked at whenever a handler starts or goes.
    pub async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let mut changed = self.changed.subscribe();
        while !condition(self) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn enter(&self) -> Presence {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.running.fetch_add(1, Ordering::SeqCst);
        self.changed.send_replace(());
        Presence(self.clone())
    }

    async fn obey(&self, request: &Request) -> Result<()> {
        if request.wait_at_gate {
            let mut gate = self.gate.subscribe();
            let _ = gate.wait_for(|open| *open).await;
        }
        if request.hang {
            future::pending::<()>().await;
        }
        assert!(!request.panic, "asked to panic");
        match Code::from_u32(request.fail_with) {
            Some(code) => Err(Status::new(code, request.fail_message.clone())),
            None => Ok(()),
        }
    }
}

/// Counts a handler while its future exists.
struct Presence(Subject);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.send_replace(());
    }
}

impl Probe for Subject {
    async fn unary(&self, request: Request, call: &mut Call) -> Result<Reply> {
        let _presence = self.enter();
        mirror(call)?;
        self.obey(&request).await?;
        Ok(Reply { payload: request.payload, count: 1 })
    }

    async fn replies(
        &self,
        request: Request,
        replies: &mut Outbound<Reply>,
        call: &mut Call,
    ) -> Result<()> {
        let _presence = self.enter();
        mirror(call)?;
        for count in 0..request.count {
            replies.send(Reply { payload: request.payload.clone(), count }).await?;
        }
        self.obey(&request).await
    }

    async fn requests(&self, requests: &mut Inbound<Request>, call: &mut Call) -> Result<Reply> {
        let _presence = self.enter();
        mirror(call)?;
        let mut reply = Reply::default();
        while let Some(request) = requests.receive().await? {
            self.obey(&request).await?;
            reply.count += 1;
            reply.payload = request.payload;
        }
        Ok(reply)
    }

    async fn both(
        &self,
        requests: &mut Inbound<Request>,
        replies: &mut Outbound<Reply>,
        call: &mut Call,
    ) -> Result<()> {
        let _presence = self.enter();
        mirror(call)?;
        let mut count = 0;
        while let Some(request) = requests.receive().await? {
            self.obey(&request).await?;
            count += 1;
            replies.send(Reply { payload: request.payload, count }).await?;
        }
        Ok(())
    }
}

/// Metadata `x-leading` comes back before the replies, `x-trailing` after them.
fn mirror(call: &mut Call) -> Result<()> {
    let leading: Vec<_> = call.metadata().get_all("x-leading").map(str::to_owned).collect();
    for value in leading {
        call.add_reply_metadata("x-leading", &value)?;
    }
    let trailing: Vec<_> = call.metadata().get_all("x-trailing").map(str::to_owned).collect();
    for value in trailing {
        call.add_reply_trailer("x-trailing", &value)?;
    }
    Ok(())
}

/// A server of the subject on a task of its own.
#[derive(Debug)]
pub struct Running {
    /// Where it is.
    pub endpoint: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    task: JoinHandle<Result<()>>,
}

impl Running {
    /// Starts `server` at `endpoint`.
    ///
    /// # Panics
    /// The endpoint cannot be bound.
    pub async fn start(server: Server, endpoint: &str) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = server.listen(endpoint).shutdown_on(async {
            let _ = stopped.await;
        });
        let bound = server.bind().await.expect("the endpoint is free");
        let endpoint = bound.endpoints().next().expect("one endpoint").to_string();
        Self { endpoint, stop: Some(stop), task: tokio::spawn(bound.run()) }
    }

    /// A client of it.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn client(&self) -> ProbeClient {
        ProbeClient::new(Channel::connect(&self.endpoint).await.expect("the server answers"))
    }

    /// Tells it to stop and waits until it has.
    ///
    /// # Panics
    /// It ended with an error.
    pub async fn stop(mut self) {
        self.begin_to_stop();
        self.task.await.expect("no panic").expect("an orderly end");
    }

    /// Tells it to stop.
    pub fn begin_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// A server of `subject` on TCP, with a client.
///
/// # Panics
/// Loopback has no free port.
pub async fn over_tcp(subject: &Subject) -> (Running, ProbeClient) {
    let server = Server::new().add(subject.clone().into_service());
    let running = Running::start(server, "tcp://127.0.0.1:0").await;
    let client = running.client().await;
    (running, client)
}
