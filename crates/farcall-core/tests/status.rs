//! Codes and statuses: statuscodes.md and google.rpc.Status.

mod note;

use std::error::Error;
use std::io;

use farcall_core::status::Any;
use farcall_core::{Code, Metadata, Status};
use note::Note;

#[test]
fn there_are_sixteen_codes_numbered_from_one() {
    for (index, code) in Code::ALL.into_iter().enumerate() {
        assert_eq!(code.as_u32() as usize, index + 1);
        assert_eq!(Code::from_u32(code.as_u32()), Some(code));
    }
    assert_eq!([0, 17, u32::MAX].map(Code::from_u32), [None; 3]);
    assert_eq!(Code::NotFound.to_string(), "NOT_FOUND");
    assert_eq!(Code::Unauthenticated.as_u32(), 16);
}

#[test]
fn constructors_take_a_text_or_any_error() {
    let by_text = Status::not_found("no such user");
    let by_string = Status::not_found(format!("no such {}", "user"));
    assert_eq!(by_text.to_string(), "NOT_FOUND: no such user");
    assert_eq!(by_string.to_string(), by_text.to_string());
    let failed: Result<(), io::Error> = Err(io::Error::from(io::ErrorKind::ConnectionRefused));
    let status = failed.map_err(Status::unavailable).unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, "connection refused"));
}

#[test]
fn every_code_has_its_constructor() {
    type Constructor = fn(&'static str) -> Status;
    let constructors: [Constructor; 16] = [
        Status::cancelled,
        Status::unknown,
        Status::invalid_argument,
        Status::deadline_exceeded,
        Status::not_found,
        Status::already_exists,
        Status::permission_denied,
        Status::resource_exhausted,
        Status::failed_precondition,
        Status::aborted,
        Status::out_of_range,
        Status::unimplemented,
        Status::internal,
        Status::unavailable,
        Status::data_loss,
        Status::unauthenticated,
    ];
    for (constructor, code) in constructors.into_iter().zip(Code::ALL) {
        assert_eq!(constructor("why").code(), code);
    }
}

#[test]
fn an_error_stays_as_the_source_and_a_text_has_none() {
    let status = Status::unavailable(io::Error::other("disk on fire"));
    let source = status.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.to_string(), status.message());
    assert!(Status::unavailable("disk on fire").source().is_none());
    assert!(Status::unavailable("quotes \" and \n".to_owned()).source().is_none());
    let copy = status.clone();
    assert!(copy.source().is_some());
}

#[test]
fn a_status_without_message_shows_its_code_alone() {
    assert_eq!(Status::cancelled("").to_string(), "CANCELLED");
}

#[test]
fn a_status_is_one_pointer() {
    assert_eq!(size_of::<Status>(), size_of::<usize>());
    assert_eq!(size_of::<farcall_core::Result<()>>(), size_of::<usize>());
}

#[test]
fn details_are_typed_messages() {
    let status = Status::invalid_argument("bad name").with_detail(&Note::text("too long"));
    assert_eq!(status.details()[0].type_url, "type.googleapis.com/farcall.test.Note");
    assert_eq!(status.detail::<Note>(), Some(Note::text("too long")));
    let other = Any {
        type_url: "type.googleapis.com/other.Note".to_owned(),
        value: status.details()[0].value.clone(),
    };
    assert_eq!(other.unpack::<Note>(), None);
    let status = Status::invalid_argument("")
        .with_any(other)
        .with_any(Any::pack(&Note::text("second")).unwrap());
    assert_eq!(status.detail::<Note>(), Some(Note::text("second")));
}

#[test]
fn metadata_travels_with_a_status() {
    let mut metadata = Metadata::new();
    metadata.append("retry-after", "3").unwrap();
    let mut status = Status::unavailable("later").with_metadata(metadata);
    status.metadata_mut().append("shard", "7").unwrap();
    assert_eq!(status.metadata().get("retry-after"), Some("3"));
    assert_eq!(status.metadata().get("shard"), Some("7"));
}
