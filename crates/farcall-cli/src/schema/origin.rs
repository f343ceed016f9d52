//! Where descriptors come from, as the command line says it.

use std::path::PathBuf;

use clap::Args;

/// `--proto`, `--proto-path`, `--descriptor-set`; without them it is the server's reflection.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Descriptors")]
pub(crate) struct Origin {
    /// Take the descriptors from this .proto file rather than from the server's reflection; may be repeated
    #[arg(long = "proto", value_name = "FILE", conflicts_with = "descriptor_sets")]
    pub(crate) protos: Vec<PathBuf>,
    /// Look imports up in this folder; may be repeated. By default in the folders above the file
    #[arg(long = "proto-path", value_name = "DIR", requires = "protos")]
    pub(crate) proto_paths: Vec<PathBuf>,
    /// Take the descriptors from a compiled set, as of `protoc -o` or `buf build -o`; may be repeated
    #[arg(long = "descriptor-set", value_name = "FILE")]
    pub(crate) descriptor_sets: Vec<PathBuf>,
}

impl Origin {
    /// Whether files say everything, so that no server has to be asked.
    pub(crate) fn is_files(&self) -> bool {
        !self.protos.is_empty() || !self.descriptor_sets.is_empty()
    }
}
