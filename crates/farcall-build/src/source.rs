//! `.proto` text to descriptors, by protox: finds the files, parses and checks them.
//!
//! Generates nothing and writes nothing.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use buffa_codegen::generated::descriptor::{FileDescriptorProto, FileDescriptorSet};
use protox::Compiler;

use crate::error::{Error, Result};

/// The compiled files with everything they import.
pub(crate) struct Sources {
    /// Every file, each before the ones that import it.
    pub(crate) files: Vec<FileDescriptorProto>,
    /// The names, as imports spell them, of the files that were asked for.
    pub(crate) requested: Vec<String>,
    /// Where each file that was read lies. Well-known types that come with protox are absent.
    pub(crate) paths: HashMap<String, PathBuf>,
}

impl Sources {
    /// Compiles `files`, looking imports up in `includes`; without any, in the folders around the files.
    pub(crate) fn compile(files: &[PathBuf], includes: &[PathBuf]) -> Result<Self> {
        if files.is_empty() {
            return Err(Error::new("no .proto file was given"));
        }
        for file in files {
            if !file.is_file() && includes.iter().all(|include| !include.join(file).is_file()) {
                return Err(Error::new(format!("{}: no such file", file.display())));
            }
        }
        if !includes.is_empty() {
            return Self::compile_in(files, includes).map_err(|failure| failure.error);
        }
        let mut first_failure: Option<Failure> = None;
        let candidates = candidate_includes(files);
        for include in &candidates {
            match Self::compile_in(files, std::slice::from_ref(include)) {
                Ok(sources) => return Ok(sources),
                // A folder further up may be the one that imports start from; any other error is the answer.
                Err(failure) if failure.import_missing => {
                    first_failure.get_or_insert(failure);
                }
                Err(failure) => return Err(first_failure.unwrap_or(failure).error),
            }
        }
        let looked_in: Vec<_> = candidates.iter().map(|path| path.display().to_string()).collect();
        Err(first_failure.map_or_else(
            || Error::new("the files have no folder in common; name one with `.include(..)`"),
            |failure| {
                failure.error.with_help(format!(
                    "imports were looked up in {}; name another folder with `farcall_build::configure().include(..)`",
                    looked_in.join(", ")
                ))
            },
        ))
    }

    fn compile_in(files: &[PathBuf], includes: &[PathBuf]) -> Result<Self, Failure> {
        let failure = |error: protox::Error| Failure {
            import_missing: error.is_file_not_found(),
            error: Error::from_protox(&error, |name| locate(name, includes)),
        };
        let mut compiler = Compiler::new(includes).map_err(failure)?;
        compiler.include_imports(true).include_source_info(true);
        compiler.open_files(files).map_err(failure)?;

        let set = decode_set(&compiler.encode_file_descriptor_set())?;
        let requested =
            compiler.files().filter(|file| !file.is_import()).map(|file| file.name().to_owned());
        let paths = compiler
            .files()
            .filter_map(|file| Some((file.name().to_owned(), file.path()?.to_owned())));
        Ok(Self { files: set.file, requested: requested.collect(), paths: paths.collect() })
    }
}

struct Failure {
    error: Error,
    import_missing: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, import_missing: false }
    }
}

fn decode_set(bytes: &[u8]) -> Result<FileDescriptorSet> {
    buffa_codegen::tooling_decode_options()
        .map_err(Error::new)?
        .decode_from_slice(bytes)
        .map_err(|error| Error::new(format!("the descriptors could not be read back: {error}")))
}

/// The path of the file that an import names: the first include folder that has it.
fn locate(name: &str, includes: &[PathBuf]) -> PathBuf {
    includes
        .iter()
        .map(|include| include.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| name.into())
}

/// The folder that holds all files, then the folders above it, up to the crate.
fn candidate_includes(files: &[PathBuf]) -> Vec<PathBuf> {
    let Some(common) = common_folder(files) else { return Vec::new() };
    let crate_folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let mut candidates: Vec<PathBuf> = Vec::new();
    for folder in common.ancestors() {
        let last = folder.components().next_back();
        if last == Some(Component::RootDir) && !candidates.is_empty() {
            break;
        }
        let folder = if last.is_none() { Path::new(".") } else { folder };
        if candidates.last().is_none_or(|previous| previous != folder) {
            candidates.push(folder.to_owned());
        }
        if last == Some(Component::ParentDir) || crate_folder.as_deref() == Some(folder) {
            break;
        }
    }
    candidates
}

fn common_folder(files: &[PathBuf]) -> Option<PathBuf> {
    let mut common = files.first()?.parent()?.to_owned();
    for file in files {
        let folder = file.parent()?;
        while !folder.starts_with(&common) {
            if !common.pop() {
                return None;
            }
        }
    }
    Some(common)
}
