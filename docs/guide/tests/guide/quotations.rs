//! Every block of Rust or protobuf in the guide is found, line by line, in a file that the tests compile.

use std::path::{Path, PathBuf};
use std::{fs, iter};

/// Lines without indentation and without empty ones: a page may show the inside of a function.
type Lines = Vec<String>;

#[test]
fn every_quotation_is_code_that_the_tests_compile() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = ["proto", "src", "tests", "../../examples"];
    let sources: Vec<_> = own
        .iter()
        .flat_map(|folder| files(&guide.join(folder), &["rs", "proto"]))
        .map(|file| lines(&read(&file)))
        .collect();

    let pages = files(guide, &["md"]);
    let quotations: Vec<_> = pages.iter().flat_map(|page| quotations(&read(page))).collect();
    assert!(quotations.len() > 20, "only {} quotations are seen", quotations.len());
    let invented: Vec<_> = quotations
        .iter()
        .filter(|quotation| !sources.iter().any(|source| occurs(quotation, source)))
        .map(|quotation| quotation.join("\n"))
        .collect();
    assert!(invented.is_empty(), "in no source file:\n\n{}", invented.join("\n\n"));
}

/// The files below a folder whose names end in one of these.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of this repository");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let wanted = |path: &PathBuf| {
        path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted))
    };
    let (folders, plain): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| files(folder, endings));
    plain.into_iter().filter(wanted).chain(below).collect()
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("a text file of this repository")
}

/// The blocks of a page that are marked as Rust or protobuf.
fn quotations(page: &str) -> Vec<Lines> {
    let mut rest = page.lines();
    iter::from_fn(|| {
        rest.find(|line| ["```rust", "```proto"].contains(line))?;
        let block: Vec<_> = rest.by_ref().take_while(|line| *line != "```").collect();
        Some(lines(&block.join("\n")))
    })
    .collect()
}

fn lines(text: &str) -> Lines {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn occurs(quotation: &[String], source: &[String]) -> bool {
    source.windows(quotation.len()).any(|window| window == quotation)
}
