//! Turns the .proto files of the demonstration services into Rust.

fn main() -> farcall_build::Result {
    farcall_build::configure()
        .file("proto/greet.proto")
        .file("proto/numbers.proto")
        .file("proto/echo.proto")
        .compile()
}
