//! Turns the .proto files of the examples and of the guide into Rust.

use std::path::Path;

fn main() -> farcall_build::Result {
    let root = Path::new("../..");
    let files = [
        "docs/guide/proto/weather.proto",
        "examples/deadline/proto/shop.proto",
        "examples/hello/proto/greet.proto",
        "examples/streaming/proto/numbers.proto",
    ];
    let start = farcall_build::configure();
    files.into_iter().fold(start, |build, file| build.file(root.join(file))).compile()
}
