//! One method of a service, with everything that the emitters need decided.

use buffa_codegen::context::CodeGenContext;
use buffa_codegen::generated::descriptor::MethodDescriptorProto;
use buffa_codegen::generated::descriptor::method_options::IdempotencyLevel;

use super::names;
use crate::error::{Error, Result};

/// One method of a service.
pub(super) struct Method {
    /// As the `.proto` spells it.
    pub(super) name: String,
    /// The name of the trait's and the client's method.
    pub(super) function: String,
    /// The name of its entry in the table of methods.
    pub(super) constant: String,
    /// The path to the type of the request.
    pub(super) request: String,
    /// The path to the type of the reply.
    pub(super) reply: String,
    pub(super) kind: Kind,
    /// The variant of `farcall::Idempotency`.
    pub(super) idempotency: &'static str,
    pub(super) documentation: Vec<String>,
    pub(super) deprecated: bool,
}

/// Which sides stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unary,
    ClientStreaming,
    ServerStreaming,
    Bidirectional,
}

impl Kind {
    /// The name of the variant of `farcall::Kind` and of the trait in `farcall::stub`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unary => "Unary",
            Self::ClientStreaming => "ClientStreaming",
            Self::ServerStreaming => "ServerStreaming",
            Self::Bidirectional => "Bidirectional",
        }
    }

    /// The name of the function in `farcall::stub` and of the method of its `ServiceBuilder`.
    pub(super) fn function(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::ClientStreaming => "client_streaming",
            Self::ServerStreaming => "server_streaming",
            Self::Bidirectional => "bidirectional",
        }
    }
}

impl Method {
    pub(super) fn new(
        descriptor: &MethodDescriptorProto,
        documentation: Vec<String>,
        package: &str,
        context: &CodeGenContext<'_>,
    ) -> Result<Self> {
        let name = descriptor.name.clone().unwrap_or_default();
        let options = descriptor.options.as_option();
        let path = |type_name: Option<&str>| {
            let type_name = type_name.unwrap_or("");
            context
                .rust_type_relative(type_name, package, 0)
                .map(|path| names::type_path(&path))
                .ok_or_else(|| {
                    Error::new(format!("rpc `{name}`: no message `{type_name}` is known"))
                })
        };
        Ok(Self {
            function: names::method_identifier(&name),
            constant: names::constant_identifier(&name),
            request: path(descriptor.input_type.as_deref())?,
            reply: path(descriptor.output_type.as_deref())?,
            kind: match (
                descriptor.client_streaming == Some(true),
                descriptor.server_streaming == Some(true),
            ) {
                (false, false) => Kind::Unary,
                (true, false) => Kind::ClientStreaming,
                (false, true) => Kind::ServerStreaming,
                (true, true) => Kind::Bidirectional,
            },
            idempotency: match options.and_then(|options| options.idempotency_level) {
                Some(IdempotencyLevel::NO_SIDE_EFFECTS) => "NoSideEffects",
                Some(IdempotencyLevel::IDEMPOTENT) => "Idempotent",
                _ => "Unknown",
            },
            documentation,
            deprecated: options.is_some_and(|options| options.deprecated == Some(true)),
            name,
        })
    }

    /// The parameters of the trait's method after `&self`, as name and type.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let Self { request, reply, .. } = self;
        let call = ("call", "&mut ::farcall::Call".to_owned());
        let one = ("request", request.clone());
        let many = ("requests", format!("&mut ::farcall::Inbound<{request}>"));
        let replies = ("replies", format!("&mut ::farcall::Outbound<{reply}>"));
        match self.kind {
            Kind::Unary => vec![one, call],
            Kind::ServerStreaming => vec![one, replies, call],
            Kind::ClientStreaming => vec![many, call],
            Kind::Bidirectional => vec![many, replies, call],
        }
    }

    /// What the trait's method comes to when all goes well.
    pub(super) fn outcome(&self) -> &str {
        match self.kind {
            Kind::Unary | Kind::ClientStreaming => &self.reply,
            Kind::ServerStreaming | Kind::Bidirectional => "()",
        }
    }

    /// What awaiting the client's method gives.
    pub(super) fn pending(&self) -> String {
        let Self { request, reply, .. } = self;
        match self.kind {
            Kind::Unary => reply.clone(),
            Kind::ServerStreaming => format!("::farcall::Inbound<{reply}>"),
            Kind::ClientStreaming => {
                format!("(::farcall::Outbound<{request}>, ::farcall::Pending<{reply}>)")
            }
            Kind::Bidirectional => {
                format!("(::farcall::Outbound<{request}>, ::farcall::Inbound<{reply}>)")
            }
        }
    }
}
