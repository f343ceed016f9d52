//! Custom metadata: PROTOCOL-HTTP2.md, "Requests" and "Custom-Metadata".

use std::error::Error;

use farcall_core::metadata::Value;
use farcall_core::{CallHead, Code, Limits, Metadata, MetadataError, ServerExchange, Status};
use farcall_wire::event::{RequestHead, RequestLine};
use farcall_wire::fields::Fields;

/// Metadata as a server receives it.
fn received(fields: &[(&str, &str)]) -> Metadata {
    let line = RequestLine { method: b"POST", path: Some(b"/a.B/C"), ..RequestLine::default() };
    let mut all: Fields =
        [("content-type", "application/grpc"), ("te", "trailers")].into_iter().collect();
    for (name, value) in fields {
        all.push(name, value);
    }
    let (_, CallHead { metadata, .. }) =
        ServerExchange::accept(RequestHead::new(line, None, all), None, &Limits::default())
            .unwrap();
    metadata
}

#[test]
fn duplicate_names_keep_their_order() -> Result<(), MetadataError> {
    let mut metadata = Metadata::new();
    metadata.append("tenant", "first")?;
    metadata.append("other", "between")?;
    metadata.append("tenant", "second")?;
    assert_eq!(metadata.get("tenant"), Some("first"));
    assert_eq!(metadata.get_all("tenant").collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(metadata.len(), 3);
    Ok(())
}

#[test]
fn insert_replaces_all_values_of_a_name() -> Result<(), MetadataError> {
    let mut metadata = Metadata::new();
    metadata.append("tenant", "first")?;
    metadata.append("tenant", "second")?;
    metadata.insert("tenant", "only")?;
    assert_eq!(metadata.get_all("tenant").collect::<Vec<_>>(), ["only"]);
    metadata.append_bin("trace-bin", [1])?;
    metadata.append_bin("trace-bin", [2])?;
    metadata.insert_bin("trace-bin", [3])?;
    assert_eq!(metadata.get_all_bin("trace-bin").collect::<Vec<_>>(), [vec![3]]);
    assert_eq!(metadata.remove("tenant"), 1);
    assert!(!metadata.contains("tenant"));
    Ok(())
}

#[test]
fn header_names_are_lower_case_digits_underscore_dash_and_dot() {
    let mut metadata = Metadata::new();
    metadata.append("X-Tenant_1.a", "acme").unwrap();
    assert_eq!(metadata.iter().next(), Some(("x-tenant_1.a", Value::Text("acme"))));
    assert_eq!(metadata.get("X-TENANT_1.A"), Some("acme"));
    for name in ["", "with space", "colon:", "ümlaut", "new\nline", "nul\0"] {
        let error = metadata.append(name, "value").unwrap_err();
        assert!(matches!(error, MetadataError::Name(_)), "{name:?}: {error}");
    }
}

#[test]
fn ascii_values_are_space_and_printable_ascii() {
    let mut metadata = Metadata::new();
    metadata.append("tenant", "from ! to ~").unwrap();
    metadata.append("empty", "").unwrap();
    for value in ["tab\tinside", "cr\r", "lf\nset-cookie: x", "nul\0", "é", "\u{1b}[31m"] {
        let error = metadata.append("tenant", value).unwrap_err();
        assert!(matches!(error, MetadataError::Value(_)), "{value:?}");
    }
}

#[test]
fn whitespace_around_a_value_may_be_stripped() {
    let mut metadata = Metadata::new();
    metadata.append("tenant", "  acme \t").unwrap();
    assert_eq!(metadata.get("tenant"), Some("acme"));
}

#[test]
fn names_ending_in_bin_carry_bytes_and_others_text() {
    let mut metadata = Metadata::new();
    assert!(matches!(metadata.append("trace-bin", "text"), Err(MetadataError::Binary(_))));
    assert!(matches!(metadata.append_bin("trace", [0]), Err(MetadataError::NotBinary(_))));
    metadata.append_bin("trace-bin", [0, 0xff, b'\n']).unwrap();
    metadata.append_bin("trace-bin", []).unwrap();
    assert_eq!(
        metadata.get_all_bin("trace-bin").collect::<Vec<_>>(),
        [vec![0, 0xff, b'\n'], vec![]]
    );
    assert_eq!(metadata.get("trace-bin"), None);
    assert_eq!(metadata.iter().next(), Some(("trace-bin", Value::Binary(vec![0, 0xff, b'\n']))));
}

#[test]
fn g11_padded_and_unpadded_base64_are_accepted() {
    let metadata = received(&[("a-bin", "Zm9vYg=="), ("a-bin", "Zm9vYg"), ("a-bin", "")]);
    assert_eq!(
        metadata.get_all_bin("a-bin").collect::<Vec<_>>(),
        [b"foob".to_vec(), b"foob".to_vec(), vec![]]
    );
}

#[test]
fn g11_binary_headers_are_split_on_commas_before_decoding() {
    let metadata = received(&[("a-bin", "Zg,Zm8=, Zm9v"), ("text", "one,two")]);
    let values: Vec<_> = metadata.get_all_bin("a-bin").collect();
    assert_eq!(values, [b"f".to_vec(), b"fo".to_vec(), b"foo".to_vec()]);
    assert_eq!(metadata.iter().count(), 4);
    assert_eq!(metadata.get("text"), Some("one,two"));
}

#[test]
fn g14_names_of_the_protocol_are_refused_from_the_application() {
    let mut metadata = Metadata::new();
    let reserved = [
        ":path",
        "grpc-status",
        "grpc-timeout",
        "Grpc-Anything",
        "grpc-custom-bin",
        "content-type",
        "te",
        "connection",
        "transfer-encoding",
        "host",
        "content-length",
    ];
    for name in reserved {
        assert!(matches!(metadata.append(name, "x"), Err(MetadataError::Reserved(_))), "{name}");
        assert!(
            matches!(metadata.append_bin(name, "x"), Err(MetadataError::Reserved(_))),
            "{name}"
        );
        assert!(matches!(metadata.insert(name, "x"), Err(MetadataError::Reserved(_))), "{name}");
    }
    assert!(metadata.is_empty());
    metadata.append("x-grpc-like", "fine").unwrap();
    metadata.append("user-agent", "mine/1").unwrap();
}

#[test]
fn names_of_the_protocol_are_not_seen_in_what_was_received() {
    let mut metadata = received(&[
        ("grpc-accept-encoding", "gzip"),
        ("user-agent", "stranger/2"),
        ("tenant", "acme"),
    ]);
    assert_eq!(metadata.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["user-agent", "tenant"]);
    assert_eq!((metadata.len(), metadata.get("content-type"), metadata.get("te")), (2, None, None));
    assert_eq!(metadata.remove("content-type"), 0);
}

#[test]
fn a_received_value_outside_the_ascii_range_is_no_error() {
    let metadata =
        received(&[("tenant", "caf\u{e9}"), ("tenant", "tab\tinside"), ("tenant", "acme")]);
    assert_eq!(metadata.get_all("tenant").collect::<Vec<_>>(), ["acme"]);
}

#[test]
fn received_metadata_can_be_sent_back() {
    let fields = [("tenant", "caf\u{e9}"), ("a-bin", "Zg,Zm8="), ("plain", "text")];
    let metadata = received(&fields);
    let mut copy = Metadata::new();
    for (name, value) in metadata.iter() {
        match value {
            Value::Text(text) => copy.append(name, text).unwrap(),
            Value::Binary(bytes) => copy.append_bin(name, bytes).unwrap(),
        }
    }
    let mut echo = Metadata::new();
    echo.extend(&metadata);
    assert_eq!(echo.len(), fields.len());
    assert_eq!(copy.len(), 3);
}

#[test]
fn a_metadata_error_becomes_a_status_that_names_the_field() {
    let error = Metadata::new().append("content-type", "x").unwrap_err();
    let status = Status::from(error.clone());
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.message(), "metadata name \"content-type\" is reserved for the protocol");
    assert_eq!(status.source().unwrap().downcast_ref(), Some(&error));
}

#[test]
fn a_secret_is_not_shown() {
    let mut metadata = Metadata::new();
    metadata.append_sensitive("api-key", "hunter2").unwrap();
    metadata.append("authorization", "Bearer hunter2").unwrap();
    assert!(!format!("{metadata:?}").contains("hunter2"));
    assert_eq!(metadata.get("api-key"), Some("hunter2"));
}
