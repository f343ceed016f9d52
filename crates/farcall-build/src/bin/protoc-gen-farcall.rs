//! `protoc --farcall_out=DIR greet.proto`, or `local: protoc-gen-farcall` in `buf.gen.yaml` (with `strategy: all`).
//!
//! Options: `file=NAME` (`farcall.rs`), `keep_unknown_fields`, `bytes=PATH`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match farcall_build::run_plugin(std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("protoc-gen-farcall: {error}");
            ExitCode::FAILURE
        }
    }
}
