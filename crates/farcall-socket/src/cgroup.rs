//! How much memory the process may have, as the kernel's control groups say.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where the kernel shows control groups.
const ROOT: &str = "/sys/fs/cgroup";
/// No machine has so much: the first version of control groups says it where there is no limit.
const UNLIMITED: u64 = 1 << 60;

/// The most bytes of memory that the control group of this process may have, or one of those around it if that is less:
/// what a container was given. None where there is no limit, or none that can be read. Reads files: ask once.
pub fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_of(&groups, Path::new(ROOT))
}

/// The least limit of the groups that `/proc/self/cgroup` names and those around them.
fn limit_of(groups: &str, root: &Path) -> Option<u64> {
    groups.lines().filter_map(|line| limit_of_line(line, root)).min()
}

/// A line is `number:controllers:/path`: without controllers in the second version, of which there is one.
fn limit_of_line(line: &str, root: &Path) -> Option<u64> {
    let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
    let (root, file) = if controllers.is_empty() {
        (root.to_owned(), "memory.max")
    } else if controllers.split(',').any(|controller| controller == "memory") {
        (root.join("memory"), "memory.limit_in_bytes")
    } else {
        return None;
    };
    let group = group_below(&root, path);
    let around = group.ancestors().take_while(|folder| folder.starts_with(&root));
    around.filter_map(|folder| limit_in(&folder.join(file))).min()
}

/// The group's folder. Seen from inside of a container, a path may lead out of what can be seen: then the root is all that
/// is known.
fn group_below(root: &Path, path: &str) -> PathBuf {
    let mut group = root.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => group.push(name),
            Component::ParentDir => return root.to_owned(),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    group
}

/// The number in the file; none for `max`.
fn limit_in(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.trim().parse().ok().filter(|limit| *limit < UNLIMITED)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of control groups with these files.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root =
                std::env::temp_dir().join(format!("farcall-cgroup-{}-{name}", std::process::id()));
            for (file, text) in files {
                let file = root.join(file);
                fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
                fs::write(file, text).expect("it can be written");
            }
            Self(root)
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_least_limit_on_the_way_to_the_root_holds() {
        let tree = Tree::new(
            "second",
            &[("memory.max", "max\n"), ("a/memory.max", "4096\n"), ("a/b/memory.max", "8192\n")],
        );
        assert_eq!(limit_of("0::/a/b\n", &tree.0), Some(4096));
        assert_eq!(limit_of("0::/a\n", &tree.0), Some(4096));
        assert_eq!(limit_of("0::/\n", &tree.0), None);
        assert_eq!(limit_of("0::/a/b/not/seen\n", &tree.0), Some(4096));
    }

    #[test]
    fn the_first_version_has_a_folder_of_its_own() {
        let tree = Tree::new(
            "first",
            &[
                ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ("memory/a/memory.limit_in_bytes", "65536\n"),
                ("cpu/a/memory.limit_in_bytes", "1\n"),
            ],
        );
        assert_eq!(limit_of("4:cpu:/a\n3:hugetlb,memory:/a\n0::/\n", &tree.0), Some(65536));
        assert_eq!(limit_of("3:memory:/\n", &tree.0), None);
    }

    #[test]
    fn a_group_out_of_sight_is_known_by_the_root() {
        let tree = Tree::new("outside", &[("memory.max", "123456"), ("a/memory.max", "1")]);
        assert_eq!(limit_of("0::/../../a\n", &tree.0), Some(123_456));
    }

    #[test]
    fn what_is_no_limit_is_none() {
        let tree = Tree::new("none", &[("memory.max", "plenty"), ("a/memory.max", "-1")]);
        for groups in ["", "0", "0:", "0::", "0::/a", "x:memory", "\n\n", "0:memory:/"] {
            assert_eq!(limit_of(groups, &tree.0), None, "{groups:?}");
        }
    }
}
