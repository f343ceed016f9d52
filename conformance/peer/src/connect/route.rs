//! Channels to the suite's servers, one for each way to be connected.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use farcall::tls::{ClientTls, Identity, Roots};
use farcall::{Channel, ChannelConfig, Codec, Limits, Protocol};

use crate::proto::connectrpc::conformance::v1::{
    ClientCompatRequest, Codec as SuiteCodec, HTTPVersion, Protocol as SuiteProtocol, TLSCreds,
};
use crate::verdict::Verdict;

/// Connections to one server at once; more than there are calls, so that no call waits for another.
const MAX_CONNECTIONS: usize = 32;

/// All channels that have been used. Servers come and go; a channel that is not used costs nothing.
#[derive(Debug, Default)]
pub struct Routes(Mutex<HashMap<Way, Channel>>);

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Way {
    authority: String,
    http1: bool,
    /// Certificates in PEM; empty without TLS.
    server_certificate: Vec<u8>,
    client_certificate: Vec<u8>,
    client_key: Vec<u8>,
    message_limit: u32,
}

impl Routes {
    /// The channel for this case.
    ///
    /// # Errors
    /// The case asks for what there is not, or its certificates are none.
    pub fn channel(&self, case: &ClientCompatRequest) -> Verdict<Channel> {
        let way = Way::of(case);
        let channel = {
            let mut channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match channels.get(&way) {
                Some(channel) => channel.clone(),
                None => channels.entry(way.clone()).or_insert(way.connect()?).clone(),
            }
        };
        let channel = channel.protocol(protocol(case)?).codec(codec(case)?);
        Ok(if case.use_get_http_method { channel.get() } else { channel })
    }
}

impl Way {
    fn of(case: &ClientCompatRequest) -> Self {
        let TLSCreds { cert, key } =
            case.client_tls_creds.clone().into_option().unwrap_or_default();
        Self {
            authority: format!("{}:{}", case.host, case.port),
            http1: case.http_version.as_known() == Some(HTTPVersion::HTTP_VERSION_1),
            server_certificate: case.server_tls_cert.clone(),
            client_certificate: cert,
            client_key: key,
            message_limit: case.message_receive_limit,
        }
    }

    fn connect(&self) -> Verdict<Channel> {
        let scheme = if self.server_certificate.is_empty() { "http" } else { "https" };
        let config = ChannelConfig {
            max_connections: MAX_CONNECTIONS,
            limits: self.limits(),
            http1: self.http1,
            tls: self.tls()?,
            ..ChannelConfig::default()
        };
        Ok(Channel::with_config(format!("{scheme}://{}", self.authority), config)?)
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if self.message_limit > 0 {
            limits.max_receive_message = self.message_limit as usize;
            limits.max_decompressed = self.message_limit as usize;
        }
        limits
    }

    fn tls(&self) -> Verdict<Option<ClientTls>> {
        if self.server_certificate.is_empty() {
            return Ok(None);
        }
        let tls = ClientTls::new().roots(Roots::from_pem(&self.server_certificate)?);
        if self.client_certificate.is_empty() {
            return Ok(Some(tls));
        }
        let identity = Identity::from_pem(&self.client_certificate, &self.client_key)?;
        Ok(Some(tls.identity(identity)))
    }
}

fn protocol(case: &ClientCompatRequest) -> Verdict<Protocol> {
    match case.protocol.as_known() {
        Some(SuiteProtocol::PROTOCOL_CONNECT) => Ok(Protocol::Connect),
        Some(SuiteProtocol::PROTOCOL_GRPC) => Ok(Protocol::Grpc),
        Some(SuiteProtocol::PROTOCOL_GRPC_WEB) => Ok(Protocol::GrpcWeb),
        _ => {
            Err(format!("protocol {:?}: expected Connect, gRPC or gRPC-Web", case.protocol).into())
        }
    }
}

fn codec(case: &ClientCompatRequest) -> Verdict<Codec> {
    match case.codec.as_known() {
        Some(SuiteCodec::CODEC_PROTO) => Ok(Codec::Proto),
        Some(SuiteCodec::CODEC_JSON) => Ok(Codec::Json),
        _ => Err(format!("codec {:?}: expected proto or JSON", case.codec).into()),
    }
}
