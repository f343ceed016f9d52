//! The plugin of `protoc` and `buf`: a request in, a response out.

use buffa::Message;
use buffa_codegen::generated::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};
use buffa_codegen::generated::descriptor::{
    DescriptorProto, Edition, FieldDescriptorProto, FileDescriptorProto, MethodDescriptorProto,
    ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

/// `edition = "2023"; package e; message M { string text = 1; } service S { rpc Get(M) returns (stream M); }`
fn file() -> FileDescriptorProto {
    let field = FieldDescriptorProto {
        name: Some("text".into()),
        number: Some(1),
        label: Some(Label::LABEL_OPTIONAL),
        r#type: Some(Type::TYPE_STRING),
        ..Default::default()
    };
    FileDescriptorProto {
        name: Some("e.proto".into()),
        package: Some("e".into()),
        syntax: Some("editions".into()),
        edition: Some(Edition::EDITION_2023),
        message_type: vec![DescriptorProto {
            name: Some("M".into()),
            field: vec![field],
            ..Default::default()
        }],
        service: vec![ServiceDescriptorProto {
            name: Some("S".into()),
            method: vec![method("Get", ".e.M")],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn method(name: &str, reply: &str) -> MethodDescriptorProto {
    MethodDescriptorProto {
        name: Some(name.into()),
        input_type: Some(".e.M".into()),
        output_type: Some(reply.into()),
        server_streaming: Some(true),
        ..Default::default()
    }
}

fn respond(file: FileDescriptorProto, parameter: &str) -> CodeGeneratorResponse {
    let request = CodeGeneratorRequest {
        file_to_generate: vec!["e.proto".into()],
        parameter: Some(parameter.into()),
        proto_file: vec![file],
        ..Default::default()
    };
    let mut output = Vec::new();
    farcall_build::run_plugin(&request.encode_to_vec()[..], &mut output).unwrap();
    CodeGeneratorResponse::decode_from_slice(&output).unwrap()
}

#[test]
fn a_request_is_answered_with_one_file() {
    let response = respond(file(), "");
    assert_eq!(response.error, None);
    assert_eq!(response.file.len(), 1);
    assert_eq!(response.file[0].name.as_deref(), Some("farcall.rs"));
    let text = response.file[0].content.as_deref().unwrap();
    assert!(text.contains("pub trait S:") && text.contains("pub struct SClient"));
    assert!(text.contains("pub text: ::core::option::Option<"), "an edition has explicit presence");
}

#[test]
fn optional_fields_and_editions_are_declared_as_supported() {
    let response = respond(file(), "");
    assert_eq!(response.supported_features, Some(3));
    assert_eq!((response.minimum_edition, response.maximum_edition), (Some(998), Some(1001)));
}

#[test]
fn options_are_read_from_the_parameter() {
    let response =
        respond(file(), "file=e.rs, keep_unknown_fields,bytes=.e,element_memory_limit=unlimited");
    assert_eq!(response.file[0].name.as_deref(), Some("e.rs"));
    assert!(response.file[0].content.as_deref().unwrap().contains("UnknownFields"));
}

#[test]
fn an_unknown_option_is_an_error_in_the_response() {
    for parameter in ["colour=red", "file=", "keep_unknown_fields=maybe"] {
        let response = respond(file(), parameter);
        assert!(response.file.is_empty());
        assert!(response.error.unwrap().contains(&format!("option `{parameter}` is not known")));
    }
}

#[test]
fn names_that_clash_are_an_error_in_the_response() {
    let mut clash = file();
    clash.service[0].method.push(method("get", ".e.M"));
    let error = respond(clash, "").error.unwrap();
    assert!(error.starts_with("e.proto: service `S`: rpc `Get` and rpc `get`"), "{error}");
}

#[test]
fn a_type_that_the_request_lacks_is_an_error_in_the_response() {
    let mut dangling = file();
    dangling.service[0].method.push(method("Other", ".e.Gone"));
    let error = respond(dangling, "").error.unwrap();
    assert_eq!(error, "rpc `Other`: no message `.e.Gone` is known");
}

#[test]
fn a_request_that_is_none_is_refused() {
    let error = farcall_build::run_plugin(&b"\xff\xff\xff"[..], Vec::new()).unwrap_err();
    assert!(!error.to_string().is_empty());
}

#[test]
fn an_empty_request_makes_an_empty_tree() {
    let mut output = Vec::new();
    farcall_build::run_plugin(&b""[..], &mut output).unwrap();
    assert_eq!(CodeGeneratorResponse::decode_from_slice(&output).unwrap().error, None);
}

#[test]
fn a_request_cut_off_anywhere_never_panics() {
    let request = CodeGeneratorRequest {
        file_to_generate: vec!["e.proto".into()],
        proto_file: vec![file()],
        ..Default::default()
    }
    .encode_to_vec();
    for length in 0..request.len() {
        let _ = farcall_build::run_plugin(&request[..length], Vec::new());
    }
}
