//! Descriptors from files on this machine: .proto text, which protox compiles, or sets that were compiled before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use buffa::{DecodeOptions, Message};
use buffa_descriptor::DescriptorPool;
use buffa_descriptor::generated::descriptor::FileDescriptorSet;
use protox::Compiler;

use super::Origin;
use crate::{Failure, Result};

/// Reads the files that the command line names.
///
/// # Errors
/// A file cannot be read or compiled, with its line; or the descriptors do not fit together.
pub(super) fn read(origin: &Origin) -> Result<DescriptorPool> {
    let mut set = FileDescriptorSet::default();
    if !origin.protos.is_empty() {
        set.merge_from_slice_trusted(&compile(&origin.protos, &origin.proto_paths)?)?;
    }
    for path in &origin.descriptor_sets {
        let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
        set.merge_from_slice_trusted(&bytes).map_err(|error| {
            format!("{}: expected a FileDescriptorSet: {error}", path.display())
        })?;
    }
    DescriptorPool::new(set)
        .map_err(|error| format!("the descriptors do not fit together: {error}").into())
}

/// Decoding without the limits for what strangers send: these are the user's own files.
trait Trusted: Message {
    fn merge_from_slice_trusted(&mut self, bytes: &[u8]) -> Result<(), buffa::DecodeError> {
        DecodeOptions::new().with_element_memory_limit(usize::MAX).merge_from_slice(self, bytes)
    }
}

impl Trusted for FileDescriptorSet {}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    io::Error::new(error.kind(), format!("{}: {error}", path.display())).into()
}

/// Compiles .proto files; without `includes` imports are looked up in the files' own folder and then in those above it.
fn compile(protos: &[PathBuf], includes: &[PathBuf]) -> Result<Vec<u8>> {
    for proto in protos {
        if !proto.is_file() && includes.iter().all(|include| !include.join(proto).is_file()) {
            return Err(unreadable(proto, &io::ErrorKind::NotFound.into()));
        }
    }
    if !includes.is_empty() {
        return compile_in(protos, includes).map_err(|error| explained(&error));
    }
    let mut first = None;
    for folder in protos.first().into_iter().flat_map(|proto| proto.ancestors().skip(1)) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        match compile_in(protos, &[folder.to_owned()]) {
            Ok(set) => return Ok(set),
            Err(error) if error.is_file_not_found() => first = first.or(Some(error)),
            Err(error) => return Err(explained(&error)),
        }
    }
    let why = first.map_or_else(|| "no .proto file".into(), |error| explained(&error));
    Err(format!("{why}; say with --proto-path where imports begin").into())
}

fn compile_in(protos: &[PathBuf], includes: &[PathBuf]) -> Result<Vec<u8>, protox::Error> {
    let mut compiler = Compiler::new(includes)?;
    compiler.include_imports(true).include_source_info(false).open_files(protos)?;
    Ok(compiler.encode_file_descriptor_set())
}

/// The compiler says where it is in the form for debugging only: `greet.proto:3:1: ...`.
fn explained(error: &protox::Error) -> Failure {
    format!("{error:?}").into()
}
