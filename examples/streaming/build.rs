//! Turns the .proto file into Rust.

fn main() -> farcall_build::Result {
    farcall_build::compile("proto/numbers.proto")
}
