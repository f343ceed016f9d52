//! `grpc.reflection`: what a server offers, told to tools by the descriptors of its services.
//!
//! Version `v1` and its forerunner `v1alpha` differ in their package only, so that one set of messages serves both. Nothing
//! here is asked for before a question comes, and nothing is learned from a client.

mod descriptor;
mod index;

use std::sync::{Arc, OnceLock};

use farcall_core::{Code, Idempotency, Kind, Method, Result, Status};

use crate::call::Call;
use crate::messages::{Inbound, Outbound};
use crate::service::{Attendant, Service};
use crate::services::generated::grpc::reflection::v1;
use crate::stub::{Bidirectional, ServiceBuilder};
use index::{Found, Index};

pub use v1::server_reflection_request::MessageRequest;
pub use v1::server_reflection_response::MessageResponse;
pub use v1::{
    ErrorResponse, ExtensionNumberResponse, ExtensionRequest, FileDescriptorResponse,
    ListServiceResponse, ServerReflectionClient, ServerReflectionRequest, ServerReflectionResponse,
    ServiceResponse,
};

/// The method of the forerunner, for a client of servers that know no other.
#[doc(hidden)]
pub static V1ALPHA: Method = Method {
    service: "grpc.reflection.v1alpha.ServerReflection",
    name: "ServerReflectionInfo",
    path: "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    kind: Kind::Bidirectional,
    idempotency: Idempotency::Unknown,
};

/// The forerunner's file.
const V1ALPHA_DESCRIPTORS: &[u8] = include_bytes!("../generated/reflection_v1alpha.binpb");

/// Both versions of the service, for the server that they are added to.
pub(crate) fn services() -> [Service; 2] {
    let catalogue = Catalogue(Arc::default());
    let v1alpha = ServiceBuilder::new(V1ALPHA.service, catalogue.clone())
        .bidirectional::<Forerunner>(&V1ALPHA)
        .build()
        .with_descriptors(Some(V1ALPHA_DESCRIPTORS));
    let attendant = Arc::new(catalogue.clone());
    [v1::ServerReflection::into_service(catalogue).with_attendant(attendant), v1alpha]
}

/// What there is to be told; empty until the server begins.
#[derive(Clone)]
struct Catalogue(Arc<OnceLock<Index>>);

impl Attendant for Catalogue {
    fn begin(&self, services: &[Service]) {
        self.0.get_or_init(|| Index::of(services));
    }
}

struct Forerunner;

impl Bidirectional<Catalogue> for Forerunner {
    type Request = ServerReflectionRequest;
    type Reply = ServerReflectionResponse;

    async fn call(
        catalogue: &Catalogue,
        requests: &mut Inbound<ServerReflectionRequest>,
        replies: &mut Outbound<ServerReflectionResponse>,
        call: &mut Call,
    ) -> Result<()> {
        v1::ServerReflection::server_reflection_info(catalogue, requests, replies, call).await
    }
}

impl v1::ServerReflection for Catalogue {
    async fn server_reflection_info(
        &self,
        requests: &mut Inbound<ServerReflectionRequest>,
        replies: &mut Outbound<ServerReflectionResponse>,
        _: &mut Call,
    ) -> Result<()> {
        let Some(index) = self.0.get() else {
            return Err(Status::internal("the reflection service belongs to no server"));
        };
        let mut sent = vec![false; index.file_count()];
        while let Some(request) = requests.receive().await? {
            let answer = answer(index, &request, &mut sent)?;
            replies
                .send(ServerReflectionResponse {
                    valid_host: request.host.clone(),
                    original_request: request.into(),
                    message_response: Some(answer),
                })
                .await?;
        }
        Ok(())
    }
}

/// The answer to one question. `sent` are the files that the stream has carried.
fn answer(
    index: &Index,
    request: &ServerReflectionRequest,
    sent: &mut [bool],
) -> Result<MessageResponse> {
    let files = |found: Option<Found>, sent: &mut [bool]| {
        found.map(|found| {
            let files = index.with_imports(found, sent);
            let file_descriptor_proto = files.into_iter().map(<[u8]>::to_vec).collect();
            MessageResponse::from(FileDescriptorResponse { file_descriptor_proto })
        })
    };
    Ok(match &request.message_request {
        Some(MessageRequest::FileByFilename(name)) => {
            files(index.file(name), sent).unwrap_or_else(|| not_found("file", name))
        }
        Some(MessageRequest::FileContainingSymbol(name)) => {
            files(index.symbol(name), sent).unwrap_or_else(|| not_found("symbol", name))
        }
        Some(MessageRequest::FileContainingExtension(extension)) => {
            let ExtensionRequest { containing_type, extension_number } = &**extension;
            files(index.extension(containing_type, *extension_number), sent).unwrap_or_else(|| {
                not_found("extension", &format!("{extension_number} of {containing_type}"))
            })
        }
        Some(MessageRequest::AllExtensionNumbersOfType(name)) => match index.extensions(name) {
            Some(extension_number) => MessageResponse::from(ExtensionNumberResponse {
                base_type_name: name.clone(),
                extension_number,
            }),
            None => not_found("message", name),
        },
        Some(MessageRequest::ListServices(_)) => {
            let named = |name: &&str| ServiceResponse { name: (*name).to_owned() };
            let service = index.services().iter().map(named).collect();
            MessageResponse::from(ListServiceResponse { service })
        }
        None => return Err(Status::invalid_argument("a request for reflection that asks nothing")),
    })
}

/// That something is not there ends no stream: a tool asks on.
fn not_found(what: &str, name: &str) -> MessageResponse {
    let name: String = name.chars().take(256).collect();
    MessageResponse::from(ErrorResponse {
        error_code: i32::from(Code::NotFound as u8),
        error_message: format!("no {what} {name} here"),
    })
}
