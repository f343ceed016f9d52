//! A Cargo.toml, as far as tidy needs it: the crate's name, its dependencies, whether it takes the workspace's lints.
//!
//! Reads the subset of TOML that manifests are written in, line by line. It is no TOML parser.

/// When a dependency is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `[dependencies]`
    Normal,
    /// `[build-dependencies]`
    Build,
    /// `[dev-dependencies]`
    Dev,
}

/// One dependency of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The package's name; what it is renamed to does not count.
    pub package: String,
    /// Which table it stands in.
    pub kind: Kind,
    /// Line, counted from 1.
    pub line: usize,
}

/// What tidy knows of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Path from the root of the project.
    pub path: String,
    /// `package.name`; empty when the manifest describes no package.
    pub name: String,
    /// Dependencies in all tables, those for one target only included.
    pub dependencies: Vec<Dependency>,
    /// Whether `[lints]` says `workspace = true`.
    pub inherits_lints: bool,
}

impl Manifest {
    /// Reads a manifest.
    pub fn parse(path: &str, text: &str) -> Manifest {
        let mut manifest = Manifest { path: path.to_owned(), ..Manifest::default() };
        let mut table = String::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                header.split(']').next().unwrap_or_default().trim().clone_into(&mut table);
                if let Some((kind, Some(package))) = dependency_table(&table) {
                    manifest.add(package, kind, index + 1);
                }
            } else if let Some((key, value)) = line.split_once('=')
                && !line.starts_with('#')
            {
                manifest.read_entry(&table, key.trim(), value.trim(), index + 1);
            }
        }
        manifest
    }

    fn read_entry(&mut self, table: &str, key: &str, value: &str, line: usize) {
        match (table, key) {
            ("package", "name") => unquote(value).clone_into(&mut self.name),
            ("lints", "workspace") => self.inherits_lints = value == "true",
            _ => match dependency_table(table) {
                Some((kind, None)) => {
                    let package = renamed(value)
                        .unwrap_or_else(|| unquote(key.split('.').next().unwrap_or(key)));
                    self.add(package, kind, line);
                }
                // [dependencies.alias] with `package = "name"` below it.
                Some((_, Some(_))) if key == "package" => {
                    if let Some(dependency) = self.dependencies.last_mut() {
                        unquote(value).clone_into(&mut dependency.package);
                    }
                }
                _ => {}
            },
        }
    }

    fn add(&mut self, package: &str, kind: Kind, line: usize) {
        let package = package.to_owned();
        self.dependencies.push(Dependency { package, kind, line });
    }
}

/// The kind of a table of dependencies, and the dependency when the table describes a single one.
fn dependency_table(table: &str) -> Option<(Kind, Option<&str>)> {
    let kinds = [
        ("build-dependencies", Kind::Build),
        ("dev-dependencies", Kind::Dev),
        ("dependencies", Kind::Normal),
    ];
    // [target.'cfg(unix)'.dependencies] counts like [dependencies].
    let table = match table.strip_prefix("target.") {
        Some(rest) => kinds
            .iter()
            .filter_map(|(name, _)| rest.find(&format!(".{name}")))
            .min()
            .map(|at| &rest[at + 1..])?,
        None => table,
    };
    for (name, kind) in kinds {
        if table == name {
            return Some((kind, None));
        }
        if let Some(single) = table.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) {
            return Some((kind, Some(unquote(single))));
        }
    }
    None
}

/// The name behind `package =` in an inline table.
fn renamed(value: &str) -> Option<&str> {
    let rest = value.strip_prefix('{')?;
    let rest = rest.split_once("package")?.1.trim_start();
    let rest = rest.strip_prefix('=')?.trim_start();
    rest.strip_prefix('"')?.split('"').next()
}

fn unquote(value: &str) -> &str {
    value.split('#').next().unwrap_or(value).trim().trim_matches('"')
}
