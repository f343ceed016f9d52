//! Wire and core: time and bytes are arguments. No runtime, no clock, no socket, directly or through another crate.

use std::io;
use std::path::Path;
use std::process::Command;

use super::source::has_word;
use super::{Finding, Kind, Source, Tree};

/// The crates that must stay pure.
pub const PURE_CRATES: [&str; 2] = ["farcall-wire", "farcall-core"];

/// Packages that bring a runtime or a socket.
const IMPURE_PACKAGES: [&str; 7] =
    ["async-io", "async-std", "mio", "rustix", "smol", "socket2", "tokio"];

/// What reads a clock, sleeps or opens a socket. `std::time::Instant` as an argument is welcome.
const IMPURE_CODE: [&str; 8] = [
    "Instant::now",
    "SystemTime::now",
    ".elapsed()",
    "std::net",
    "std::os::unix::net",
    "thread::sleep",
    "thread::spawn",
    "tokio",
];

/// The manifests, Cargo's view of the tree below them, and the code.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in PURE_CRATES {
        check_manifest(tree, name, &mut findings);
        check_tree(tree, name, &mut findings);
        let folder = format!("crates/{name}/src/");
        for source in tree.sources_below(&folder) {
            check_source(source, &mut findings);
        }
    }
    findings
}

fn check_manifest(tree: &Tree, name: &str, findings: &mut Vec<Finding>) {
    let manifests = tree.manifests.iter().filter(|manifest| manifest.name == name);
    for manifest in manifests {
        for dependency in &manifest.dependencies {
            if dependency.kind != Kind::Dev
                && IMPURE_PACKAGES.contains(&dependency.package.as_str())
            {
                findings.push(Finding::new(
                    &manifest.path,
                    dependency.line,
                    "no runtime and no socket",
                    &dependency.package,
                ));
            }
        }
    }
}

fn check_tree(tree: &Tree, name: &str, findings: &mut Vec<Finding>) {
    let asked = tree.dependencies.iter().filter(|(asked, _)| asked == name);
    for package in asked.flat_map(|(_, packages)| packages) {
        if IMPURE_PACKAGES.contains(&package.as_str()) {
            findings.push(Finding::new(
                &format!("crates/{name}/Cargo.toml"),
                0,
                "no runtime and no socket among all that it builds on",
                format!("{package} (see: cargo tree -p {name} -e normal,build -i {package})"),
            ));
        }
    }
}

fn check_source(source: &Source, findings: &mut Vec<Finding>) {
    // Tests come last in a file, and they may start from the present.
    let code = source.code.iter().take_while(|line| line.trim() != "#[cfg(test)]");
    for (index, line) in code.enumerate() {
        for code in IMPURE_CODE {
            let word = code.trim_start_matches('.').trim_end_matches("()");
            if line.contains(code) && has_word(line, word) {
                findings.push(Finding::new(
                    &source.path,
                    index + 1,
                    "time and bytes as arguments",
                    code,
                ));
            }
        }
    }
}

/// The names of all packages that `name` builds on, tests left out, by `cargo tree`.
///
/// # Errors
///
/// When cargo cannot be run or refuses, with what it said.
pub(super) fn ask_cargo(root: &Path, name: &str) -> io::Result<Vec<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--package", name])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("cargo tree -p {name}: {said}")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.map(str::to_owned).collect())
}
