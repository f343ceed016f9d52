//! The project as tidy sees it: manifests and Rust files, read once, by path.

use std::fs;
use std::io;
use std::path::Path;

use super::{Manifest, Source};

/// Folders that hold the project's Rust code. A folder that does not exist is skipped.
const FOLDERS: [&str; 6] = ["benches", "conformance", "crates", "examples", "fuzz", "xtask"];

/// Manifests and Rust files of the project, sorted by path.
#[derive(Debug, Default)]
pub struct Tree {
    /// Every Cargo.toml below the folders of the project, without the workspace's own.
    pub manifests: Vec<Manifest>,
    /// Every Rust file below the folders of the project.
    pub sources: Vec<Source>,
    /// What `cargo tree` says about a crate, where it could be asked: (crate, names of all that it builds on).
    pub dependencies: Vec<(String, Vec<String>)>,
}

impl Tree {
    /// Reads the project below `root`, and asks Cargo what the pure crates build on.
    pub fn load(root: &Path) -> io::Result<Tree> {
        let mut files = Vec::new();
        for folder in FOLDERS {
            let path = root.join(folder);
            if path.is_dir() {
                read_folder(&path, folder, &mut files)?;
            }
        }
        let mut tree = Tree::from_files(files);
        for name in super::purity::PURE_CRATES {
            tree.dependencies.push((name.to_owned(), super::purity::ask_cargo(root, name)?));
        }
        Ok(tree)
    }

    /// A tree from (path, text) pairs; paths are relative to the root and written with `/`.
    pub fn from_files<P, T>(files: impl IntoIterator<Item = (P, T)>) -> Tree
    where
        P: Into<String>,
        T: Into<String>,
    {
        let mut tree = Tree::default();
        for (path, text) in files {
            let (path, text) = (path.into(), text.into());
            if path.ends_with("/Cargo.toml") {
                tree.manifests.push(Manifest::parse(&path, &text));
            } else if has_extension(&path, "rs") {
                tree.sources.push(Source::parse(&path, &text));
            }
        }
        tree.manifests.sort_by(|a, b| a.path.cmp(&b.path));
        tree.sources.sort_by(|a, b| a.path.cmp(&b.path));
        tree
    }

    /// The sources whose path begins so.
    pub fn sources_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a Source> {
        self.sources.iter().filter(move |source| source.path.starts_with(folder))
    }
}

fn read_folder(folder: &Path, name: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(file_name) = entry.file_name().into_string() else {
            continue;
        };
        // Build output and hidden folders are not the project's text.
        if file_name == "target" || file_name.starts_with('.') {
            continue;
        }
        let path = format!("{name}/{file_name}");
        if entry.file_type()?.is_dir() {
            read_folder(&entry.path(), &path, files)?;
        } else if file_name == "Cargo.toml" || has_extension(&file_name, "rs") {
            files.push((path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}
