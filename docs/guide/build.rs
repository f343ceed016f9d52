//! Turns the .proto files of the examples into Rust.

use std::path::Path;

fn main() -> farcall_build::Result {
    let examples = Path::new("../../examples");
    let files =
        ["hello/proto/greet.proto", "streaming/proto/numbers.proto", "deadline/proto/shop.proto"];
    let start = farcall_build::configure();
    files.into_iter().fold(start, |build, file| build.file(examples.join(file))).compile()
}
