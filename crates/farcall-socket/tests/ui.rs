//! What a socket cannot do in its state does not compile, and the compiler says why. Each file of `tests/ui` is compiled
//! against this crate, and what the compiler says is compared with the `.stderr` file beside it; `BLESS=1` writes it anew.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

/// This crate as the tests were linked with it: the newest one in the folder of the test itself.
fn library() -> PathBuf {
    let test = env::current_exe().unwrap();
    let built = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    fs::read_dir(test.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("libfarcall_socket-") && name.ends_with(".rlib")
        })
        .max_by_key(|path| built(path).unwrap_or(SystemTime::UNIX_EPOCH))
        .expect("the library is beside its test")
}

/// What the compiler says about the file; `None` when it compiles.
fn compile(file: &Path, library: &Path) -> Option<String> {
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--out-dir",
            env!("CARGO_TARGET_TMPDIR"),
        ])
        .args(["--error-format", "human", "--color", "never", "--crate-name", "ui"])
        .arg("-L")
        .arg(format!("dependency={}", library.parent().unwrap().display()))
        .arg("--extern")
        .arg(format!("farcall_socket={}", library.display()))
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    (!output.status.success()).then(|| essence(&text, file))
}

/// The first error's first line, where it is, and the notes; without paths and line numbers of other crates, which change
/// with every version of the compiler.
fn essence(text: &str, file: &Path) -> String {
    let name = file.file_name().unwrap().to_string_lossy();
    let mut essence = String::new();
    for line in text.lines() {
        let shown = line.trim_start();
        let ours = line.contains(name.as_ref());
        let says = shown.starts_with("error[")
            || shown.starts_with("= note:")
            || shown.starts_with("= help:")
            || shown.starts_with("- `")
            || line.contains("^^^");
        if ours {
            let line_number = line.rsplit(':').nth(1).unwrap_or_default();
            writeln!(essence, " --> {name}:{line_number}").unwrap();
        } else if says {
            essence.push_str(shown);
            essence.push('\n');
        }
    }
    essence
}

#[test]
fn mistakes_do_not_compile_and_the_messages_name_the_state() {
    let library = library();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    assert!(files.len() >= 8, "{files:?}");
    let mut wrong = String::new();
    for file in files {
        let expected_file = file.with_extension("stderr");
        let said = compile(&file, &library);
        if let Some(said) = said.as_ref().filter(|_| env::var_os("BLESS").is_some()) {
            fs::write(&expected_file, said).unwrap();
        }
        let expected = fs::read_to_string(&expected_file).unwrap_or_default();
        let said = said.unwrap_or_else(|| "it compiles".to_owned());
        if file.file_name().is_some_and(|name| name == "the_right_order.rs") {
            assert_eq!(said, "it compiles");
        } else if said != expected {
            let name = file.display();
            writeln!(wrong, "{name}\nexpected:\n{expected}\ngot:\n{said}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
