//! How to reach a server and in which words to speak with it, as the command line says it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use farcall::tls::{ClientTls, Identity, Roots};
use farcall::{Channel, ChannelConfig, Protocol};

use crate::exit::Usage;
use crate::failed::Failed;
use crate::metadata::{self, Header, Headers};
use crate::schema::{Origin, Reflection, Schema};
use crate::{Failure, Result, duration, words};

/// How long asking a server about itself may take, when no timeout is given.
const REFLECTION: Duration = Duration::from_secs(10);

/// What every command that calls a server takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
// Each is a switch of its own on the command line.
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Route {
    /// Send this metadata with each call; may be repeated. The value of a name in `-bin` is base64
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = metadata::parse)]
    headers: Vec<Header>,
    /// Give up after this time (`2s`, `300ms`); the server learns of it
    #[arg(long, value_name = "D", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// How calls are made
    #[arg(long, value_name = "PROTOCOL", default_value = "grpc", value_parser = words::protocol())]
    protocol: Protocol,
    /// Speak HTTP/1.1 rather than HTTP/2; not for gRPC
    #[arg(long)]
    http1: bool,
    /// Believe the certificates in this file (PEM), and no others
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Show this certificate (PEM) to a server that asks for one
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Ask for this host, and expect its certificate, whatever the endpoint says
    #[arg(long, value_name = "HOST")]
    server_name: Option<String>,
    /// Believe any certificate: whoever is in between can read and change everything
    #[arg(long, conflicts_with = "cacert")]
    insecure: bool,
}

impl Route {
    /// A channel to the endpoint, connected.
    ///
    /// # Errors
    /// The endpoint is none, options do not go together, a file for TLS cannot be used, or nobody answers.
    pub(crate) async fn connect(&self, endpoint: &str) -> Result<Channel> {
        let channel = self.channel(endpoint)?;
        channel.ready().await.map_err(Failed::connect)?;
        Ok(channel)
    }

    fn channel(&self, endpoint: &str) -> Result<Channel> {
        if self.http1 && self.protocol == Protocol::Grpc {
            return Err(Usage(
                "gRPC needs HTTP/2: leave --http1 out, or say --protocol connect or grpc-web"
                    .into(),
            )
            .into());
        }
        let mut config =
            ChannelConfig { http1: self.http1, tls: Some(self.tls()?), ..ChannelConfig::default() };
        if let Some(timeout) = self.timeout {
            config.connect_timeout = config.connect_timeout.min(timeout);
        }
        let channel = Channel::with_config(with_scheme(endpoint), config)
            .map_err(|status| Usage(status.message().to_owned()))?;
        Ok(channel.protocol(self.protocol))
    }

    /// How calls are made.
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn tls(&self) -> Result<ClientTls> {
        let mut tls = ClientTls::new();
        if let Some(file) = &self.cacert {
            tls = tls.roots(Roots::from_pem_file(file)?);
        }
        if let (Some(certificate), Some(key)) = (&self.cert, &self.key) {
            tls = tls.identity(Identity::from_pem_files(certificate, key)?);
        }
        if let Some(name) = &self.server_name {
            tls = tls.server_name(name);
        }
        Ok(if self.insecure { tls.insecure() } else { tls })
    }

    /// The metadata of each call.
    pub(crate) fn headers(&self) -> Headers {
        Headers::new(self.headers.clone())
    }

    /// What is known of the server's services; of all, unless it knows one of `guesses`. No channel is needed where files
    /// say it.
    ///
    /// # Errors
    /// As of [`Schema::from_files`] and [`Schema::from_server`]; or no endpoint is given, and no file.
    pub(crate) async fn schema(
        &self,
        channel: Option<&Channel>,
        origin: &Origin,
        guesses: &[String],
    ) -> Result<Schema> {
        match channel {
            _ if origin.is_files() => Schema::from_files(origin),
            Some(channel) => Schema::from_server(self.reflection(channel), guesses).await,
            None => Err(no_endpoint()),
        }
    }

    /// How to ask the server about itself.
    pub(crate) fn reflection(&self, channel: &Channel) -> Reflection {
        let limit = self.timeout.map_or(REFLECTION, |timeout| timeout.min(REFLECTION));
        Reflection::new(channel.clone(), self.headers(), limit)
    }

    /// The same at an endpoint that may not have been given.
    ///
    /// # Errors
    /// As of [`Route::connect`]; or no endpoint is given.
    pub(crate) async fn ask(&self, endpoint: Option<&str>) -> Result<Channel> {
        self.connect(endpoint.ok_or_else(no_endpoint)?).await
    }
}

fn no_endpoint() -> Failure {
    Usage("no endpoint is given, and no --proto FILE".into()).into()
}

/// `host:port` alone is reached by TCP.
fn with_scheme(endpoint: &str) -> String {
    if endpoint.contains("://") { endpoint.to_owned() } else { format!("tcp://{endpoint}") }
}
