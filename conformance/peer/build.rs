//! Turns the judges' .proto files into Rust.

fn main() -> farcall_build::Result {
    farcall_build::configure()
        .include("../proto")
        .file("../proto/conformance/v1/calls.proto")
        .file("../proto/grpc/testing/test.proto")
        .file("../proto/connectrpc/conformance/v1/service.proto")
        .file("../proto/connectrpc/conformance/v1/client_compat.proto")
        .file("../proto/connectrpc/conformance/v1/server_compat.proto")
        .compile()
}
