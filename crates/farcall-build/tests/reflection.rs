//! What a server with reflection tells of generated services, in the words of gRPC's doc/server-reflection.md.

#![allow(clippy::unwrap_used)]

use buffa::Message;
use buffa_codegen::generated::descriptor::FileDescriptorProto;
use farcall::reflection::{
    ExtensionRequest, MessageRequest, MessageResponse, ServerReflectionClient,
    ServerReflectionRequest, V1ALPHA,
};
use farcall::stub::{Protos, ServiceBuilder};
use farcall::{Channel, Code, Inbound, Outbound, Server};

/// A server with one generated service, whose files import others and have extensions.
fn server() -> Channel {
    let folder = "tests/proto";
    let set = farcall_build::configure()
        .include(folder)
        .file("tests/proto/everything/everything.proto")
        .descriptor_set();
    let protos = Box::leak(Box::new(Protos::new(set.unwrap().leak(), |_| {})));
    let service = ServiceBuilder::new("everything.Everything", ()).protos(protos).build();
    Server::new().add(service).reflection().health().in_process()
}

struct Asked {
    requests: Outbound<ServerReflectionRequest>,
    responses: Inbound<farcall::reflection::ServerReflectionResponse>,
}

impl Asked {
    async fn new() -> Self {
        let client = ServerReflectionClient::new(server());
        let (requests, responses) = client.server_reflection_info().await.unwrap();
        Self { requests, responses }
    }

    async fn ask(&mut self, question: MessageRequest) -> MessageResponse {
        let request = ServerReflectionRequest { host: "h".into(), message_request: Some(question) };
        self.requests.send(request.clone()).await.unwrap();
        let response = self.responses.receive().await.unwrap().unwrap();
        assert_eq!(response.valid_host, "h");
        assert_eq!(*response.original_request, request);
        response.message_response.unwrap()
    }

    /// The names of the files in the answer.
    async fn files(&mut self, question: MessageRequest) -> Vec<String> {
        match self.ask(question).await {
            MessageResponse::FileDescriptorResponse(found) => found
                .file_descriptor_proto
                .iter()
                .map(|file| FileDescriptorProto::decode_from_slice(file).unwrap().name.unwrap())
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    async fn not_found(&mut self, question: MessageRequest) {
        match self.ask(question).await {
            MessageResponse::ErrorResponse(error) => {
                assert_eq!(error.error_code, Code::NotFound as i32, "{}", error.error_message);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn symbol(name: &str) -> MessageRequest {
    MessageRequest::FileContainingSymbol(name.into())
}

fn extension(containing_type: &str, extension_number: i32) -> MessageRequest {
    ExtensionRequest { containing_type: containing_type.into(), extension_number }.into()
}

#[tokio::test]
async fn all_services_of_the_server_are_listed_by_name() {
    let mut asked = Asked::new().await;
    let answer = asked.ask(MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "everything.Everything",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"
        ]
    );
}

#[tokio::test]
async fn a_file_comes_with_what_it_imports_and_a_stream_carries_an_import_once() {
    let mut asked = Asked::new().await;
    let files = asked.files(MessageRequest::FileByFilename("everything/everything.proto".into()));
    let files = files.await;
    assert_eq!(files[0], "everything/everything.proto");
    // The options need descriptor.proto, which no Rust is generated for.
    for import in ["google/protobuf/any.proto", "google/protobuf/descriptor.proto"] {
        assert!(files.iter().any(|file| file == import), "{import}");
    }
    assert_eq!(files.len(), 15, "{files:?}");
    assert_eq!(asked.files(symbol("everything.Old")).await, ["everything/everything.proto"]);
}

#[tokio::test]
async fn a_symbol_is_a_service_a_method_a_type_or_a_part_of_one() {
    let mut asked = Asked::new().await;
    for (name, file) in [
        ("everything.Everything", "everything/everything.proto"),
        ("everything.Everything.Wrap", "everything/everything.proto"),
        ("everything.WellKnown.any", "everything/everything.proto"),
        ("everything.old.Legacy.Group", "everything/old.proto"),
        ("everything.old.note", "everything/old.proto"),
        ("google.protobuf.NullValue", "google/protobuf/struct.proto"),
        ("google.protobuf.NULL_VALUE", "google/protobuf/struct.proto"),
        ("google.protobuf.Value.kind", "google/protobuf/struct.proto"),
        ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
        ("grpc.reflection.v1alpha.ErrorResponse", "grpc/reflection/v1alpha/reflection.proto"),
    ] {
        assert_eq!(asked.files(symbol(name)).await[0], file, "{name}");
    }
    for name in ["", "everything", "everything.Nobody", ".everything.Old"] {
        asked.not_found(symbol(name)).await;
    }
}

#[tokio::test]
async fn extensions_are_found_by_message_and_number() {
    let mut asked = Asked::new().await;
    assert_eq!(
        asked.files(extension("everything.old.Legacy", 100)).await[0],
        "everything/old.proto"
    );
    assert_eq!(
        asked.files(extension("google.protobuf.ServiceOptions", 50001)).await[0],
        "everything/options.proto"
    );
    asked.not_found(extension("everything.old.Legacy", 101)).await;
    for (message, numbers) in [("everything.old.Legacy", &[100][..]), ("everything.Old", &[])] {
        let question = MessageRequest::AllExtensionNumbersOfType(message.into());
        let answer = asked.ask(question).await;
        let MessageResponse::AllExtensionNumbersResponse(found) = answer else { panic!() };
        assert_eq!((&*found.base_type_name, &*found.extension_number), (message, numbers));
    }
    asked.not_found(MessageRequest::AllExtensionNumbersOfType("everything.Nobody".into())).await;
}

#[tokio::test]
async fn a_question_without_an_answer_ends_no_stream_and_none_at_all_does() {
    let mut asked = Asked::new().await;
    asked.not_found(MessageRequest::FileByFilename("nobody.proto".into())).await;
    assert!(!asked.files(symbol("everything.Old")).await.is_empty());
    asked.requests.send(ServerReflectionRequest::default()).await.unwrap();
    let status = asked.responses.receive().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_forerunner_answers_the_same() {
    let call = farcall::stub::bidirectional(&server(), &V1ALPHA);
    let (requests, responses) = call.await.unwrap();
    let mut asked = Asked { requests, responses };
    assert_eq!(asked.files(symbol("everything.old.Legacy")).await[0], "everything/old.proto");
}
