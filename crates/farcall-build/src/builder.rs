//! The options of a build and the way from files to a file.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::generate::generate;
use crate::protos;
use crate::source::Sources;

/// The name of the one file that is written; `farcall::include_protos!()` includes it.
pub(crate) const OUTPUT: &str = "farcall.rs";

/// Starts a build with options; [`compile`](crate::compile) is the build without any.
pub fn configure() -> Builder {
    Builder::default()
}

/// A build: which files, where imports are found, what the generated messages are like.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is built before `compile` is called"]
pub struct Builder {
    files: Vec<PathBuf>,
    includes: Vec<PathBuf>,
    out_dir: Option<PathBuf>,
    pub(crate) messages: MessageOptions,
}

/// What the generated messages are like.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageOptions {
    pub(crate) keep_unknown_fields: bool,
    pub(crate) shared_bytes: Vec<String>,
}

impl Builder {
    /// Adds a `.proto` file to compile. Types it uses from its imports are generated along with it.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.files.push(path.as_ref().to_owned());
        self
    }

    /// Adds a folder that imports are looked up in. The files to compile have to lie below one of them.
    ///
    /// Without any, it is the folder of the files, and when an import is missing there, the ones above it.
    pub fn include(mut self, folder: impl AsRef<Path>) -> Self {
        self.includes.push(folder.as_ref().to_owned());
        self
    }

    /// Writes `farcall.rs` into this folder instead of `$OUT_DIR`.
    pub fn out_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.out_dir = Some(folder.as_ref().to_owned());
        self
    }

    /// Whether messages carry fields along that their `.proto` does not know, as a proxy wants it.
    ///
    /// Off by default, because it adds a field to every message: a literal then needs `..Default::default()`.
    pub fn keep_unknown_fields(mut self, yes: bool) -> Self {
        self.messages.keep_unknown_fields = yes;
        self
    }

    /// Makes `bytes` fields `farcall::buffa::bytes::Bytes`, which is shared, not copied, instead of `Vec<u8>`.
    ///
    /// `path` selects the fields: `"."` all, `".photo.v1"` a package, `".photo.v1.Photo.pixels"` one field.
    pub fn bytes(mut self, path: impl Into<String>) -> Self {
        self.messages.shared_bytes.push(path.into());
        self
    }

    /// Compiles and writes `farcall.rs`, and tells Cargo which files to watch.
    ///
    /// # Errors
    ///
    /// A file that is missing or wrong (with line and column), names that clash in Rust, a folder that cannot be written.
    pub fn compile(self) -> Result {
        let folder = match &self.out_dir {
            Some(folder) => folder.clone(),
            None => std::env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| {
                Error::new("OUT_DIR is not set: call this from build.rs, or name a folder with `.out_dir(..)`")
            })?,
        };
        let (text, read) = self.build()?;
        let path = folder.join(OUTPUT);
        std::fs::write(&path, text)
            .map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))?;
        if std::env::var_os("OUT_DIR").is_some() {
            for path in read {
                println!("cargo:rerun-if-changed={}", path.display());
            }
        }
        Ok(())
    }

    /// The text that [`compile`](Self::compile) writes.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile), but nothing is written.
    pub fn generate(self) -> Result<String> {
        self.build().map(|(text, _)| text)
    }

    /// The files and all that they import, as the bytes of a `google.protobuf.FileDescriptorSet`: what a tool needs to call
    /// services it has no stubs for.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate); names that clash in Rust are fine.
    pub fn descriptor_set(self) -> Result<Vec<u8>> {
        let sources = Sources::compile(&self.files, &self.includes)?;
        Ok(protos::descriptor_set(&sources.files, &sources.requested))
    }

    /// The text and the files that were read for it, sorted.
    fn build(&self) -> Result<(String, Vec<PathBuf>)> {
        let sources = Sources::compile(&self.files, &self.includes)?;
        let mut read: Vec<_> = sources.paths.values().cloned().collect();
        read.sort();
        Ok((generate(sources, &self.messages)?, read))
    }
}
