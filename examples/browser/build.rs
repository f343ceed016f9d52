//! Makes the stubs.

fn main() -> farcall_build::Result {
    farcall_build::compile("proto/chat.proto")
}
