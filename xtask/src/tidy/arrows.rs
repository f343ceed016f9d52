//! The arrows between crates, as ARCHITECTURE.md draws them. Dependencies of tests are free.

use super::{Dependency, Finding, Kind, Manifest, Tree};

/// One crate and what it may depend on.
struct Arrow {
    from: &'static str,
    normal: &'static [&'static str],
    build: &'static [&'static str],
}

const ARROWS: &[Arrow] = &[
    Arrow { from: "farcall-socket", normal: &[], build: &[] },
    Arrow { from: "farcall-wire", normal: &[], build: &[] },
    Arrow { from: "farcall-core", normal: &["farcall-wire"], build: &[] },
    Arrow {
        from: "farcall",
        normal: &["farcall-core", "farcall-wire", "farcall-socket"],
        build: &[],
    },
    Arrow { from: "farcall-build", normal: &[], build: &[] },
    Arrow { from: "farcall-cli", normal: &["farcall"], build: &["farcall-build"] },
];

/// Every crate below crates/ has its arrows drawn here, and no others.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.manifests
        .iter()
        .filter(|manifest| manifest.path.starts_with("crates/"))
        .flat_map(check_crate)
        .collect()
}

fn check_crate(manifest: &Manifest) -> Vec<Finding> {
    let Some(arrow) = ARROWS.iter().find(|arrow| arrow.from == manifest.name) else {
        return vec![Finding::new(
            &manifest.path,
            0,
            "a crate whose arrows are drawn in xtask/src/tidy/arrows.rs",
            format!("\"{}\"", manifest.name),
        )];
    };
    manifest
        .dependencies
        .iter()
        .filter_map(|dependency| check_dependency(manifest, arrow, dependency))
        .collect()
}

fn check_dependency(
    manifest: &Manifest,
    arrow: &Arrow,
    dependency: &Dependency,
) -> Option<Finding> {
    let allowed = match dependency.kind {
        Kind::Normal => arrow.normal,
        Kind::Build => arrow.build,
        Kind::Dev => return None,
    };
    let ours = dependency.package == "farcall" || dependency.package.starts_with("farcall-");
    if !ours || allowed.contains(&dependency.package.as_str()) {
        return None;
    }
    let expected = match allowed {
        [] => format!("{} to depend on no crate of farcall in this table", arrow.from),
        allowed => format!("{} to depend only on {}", arrow.from, allowed.join(", ")),
    };
    Some(Finding::new(&manifest.path, dependency.line, expected, &dependency.package))
}
