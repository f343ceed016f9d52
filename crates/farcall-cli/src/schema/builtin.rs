//! Descriptors that everybody needs and not everybody sends along.

use buffa::Message;
use buffa_descriptor::generated::descriptor::{
    DescriptorProto, FileDescriptorProto, FileDescriptorSet,
};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use protox::prost::Message as _;

/// The file of that name, of those that come with protobuf: `google/protobuf/any.proto`.
pub(super) fn google(name: &str) -> Option<FileDescriptorSet> {
    GoogleFileResolver::new().open_file(name).ok()?;
    compile(GoogleFileResolver::new(), name)
}

/// The same as one file, without what it imports.
pub(super) fn google_file(name: &str) -> Option<FileDescriptorProto> {
    let file = GoogleFileResolver::new().open_file(name).ok()?;
    let bytes = file.file_descriptor_proto().encode_to_vec();
    FileDescriptorProto::decode_from_slice(&bytes).ok()
}

/// The messages that details of a status mostly are, where the server does not describe them.
pub(super) fn error_details() -> FileDescriptorSet {
    let mut resolver = ChainFileResolver::new();
    resolver.add(ErrorDetails);
    resolver.add(GoogleFileResolver::new());
    compile(resolver, ERROR_DETAILS).unwrap_or_default()
}

/// A message without fields.
pub(super) fn empty_message(full_name: &str) -> FileDescriptorSet {
    let (package, name) = full_name.rsplit_once('.').unwrap_or(("", full_name));
    let message = DescriptorProto { name: Some(name.to_owned()), ..Default::default() };
    let file = FileDescriptorProto {
        name: Some(format!("unknown/{full_name}.proto")),
        package: Some(package.to_owned()),
        message_type: vec![message],
        ..Default::default()
    };
    FileDescriptorSet { file: vec![file], ..Default::default() }
}

const ERROR_DETAILS: &str = "google/rpc/error_details.proto";

struct ErrorDetails;

impl FileResolver for ErrorDetails {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name != ERROR_DETAILS {
            return Err(protox::Error::file_not_found(name));
        }
        File::from_source(name, include_str!("../../proto/google/rpc/error_details.proto"))
    }
}

fn compile(resolver: impl FileResolver + 'static, name: &str) -> Option<FileDescriptorSet> {
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(false).open_file(name).ok()?;
    FileDescriptorSet::decode_from_slice(&compiler.encode_file_descriptor_set()).ok()
}

#[cfg(test)]
mod tests {
    use buffa_descriptor::DescriptorPool;

    use super::*;

    #[test]
    fn what_is_built_in_can_be_used() {
        let pool = DescriptorPool::new(error_details()).unwrap();
        assert!(pool.message_by_name("google.rpc.BadRequest.FieldViolation").is_some());
        let pool = DescriptorPool::new(google("google/protobuf/any.proto").unwrap()).unwrap();
        assert!(pool.message_by_name("google.protobuf.Any").is_some());
        assert!(google("google/protobuf/none.proto").is_none());
        let pool = DescriptorPool::new(empty_message("a.v1.B")).unwrap();
        assert!(pool.message_by_name("a.v1.B").is_some_and(|message| message.fields().is_empty()));
    }
}
