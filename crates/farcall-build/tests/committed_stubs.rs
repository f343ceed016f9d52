//! The stubs of the services that every server can have are committed in `farcall`, because it cannot generate its own code
//! while it is being built. They are what this crate generates now; `BLESS=1 cargo test -p farcall-build` writes them.

use std::path::{Path, PathBuf};

use farcall_build::{Builder, configure};

fn services() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../farcall/src/services")
}

fn of(files: &[&str]) -> Builder {
    let folder = services().join("proto");
    let builder = configure().include(&folder);
    files.iter().fold(builder, |builder, file| builder.file(folder.join(file)))
}

fn check(name: &str, is: &[u8]) {
    let path = services().join("generated").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, is).unwrap();
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert!(committed == is, "{name} is not what would be generated; BLESS=1 writes it anew");
}

#[test]
fn health_and_reflection_are_what_is_generated_now() {
    let files = ["grpc/health/v1/health.proto", "grpc/reflection/v1/reflection.proto"];
    check("grpc.rs", of(&files).generate().unwrap().as_bytes());
}

#[test]
fn the_old_reflection_is_described_as_its_file_says() {
    let files = ["grpc/reflection/v1alpha/reflection.proto"];
    check("reflection_v1alpha.binpb", &of(&files).descriptor_set().unwrap());
}
