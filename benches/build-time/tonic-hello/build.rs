//! Stubs of the greeter; asks for protoc.

fn main() -> std::io::Result<()> {
    tonic_prost_build::compile_protos("proto/greet.proto")
}
