//! Which process has which socket open, from `/proc/PID/fd`.
//!
//! Processes that this one may not look into are passed over, and so are those that end meanwhile.

use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::path::Path;
use std::str::FromStr;

use super::socket::Holder;
use crate::limits::{TABLE_DESCRIPTORS, TABLE_HOLDERS};

/// The holders of sockets, by inode.
#[derive(Debug, Default)]
pub(super) struct Holders {
    by_inode: HashMap<u32, Vec<Holder>>,
    /// Whether the limit came before the end.
    pub(super) cut: bool,
}

impl Holders {
    /// Looks into every process.
    pub(super) fn read() -> Self {
        let mut holders = Self::default();
        let mut left = TABLE_DESCRIPTORS;
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if let Some(pid) = numbered(&entry) {
                holders.add_process(pid, &mut left);
            }
        }
        holders.cut = left == 0;
        holders
    }

    /// Who has the socket open.
    pub(super) fn take(&mut self, inode: u32) -> Vec<Holder> {
        self.by_inode.remove(&inode).unwrap_or_default()
    }

    fn add_process(&mut self, pid: u32, left: &mut usize) {
        let folder = format!("/proc/{pid}");
        let Ok(entries) = fs::read_dir(format!("{folder}/fd")) else {
            return;
        };
        let mut command = None;
        for entry in entries.flatten() {
            if *left == 0 {
                return;
            }
            *left -= 1;
            let (Some(descriptor), Ok(target)) = (numbered(&entry), fs::read_link(entry.path()))
            else {
                continue;
            };
            let Some(inode) = socket_inode(&target) else {
                continue;
            };
            let holders = self.by_inode.entry(inode).or_default();
            if holders.len() < TABLE_HOLDERS {
                let command = command.get_or_insert_with(|| program(&folder)).clone();
                holders.push(Holder { pid, command, descriptor });
            }
        }
    }
}

fn numbered(entry: &DirEntry) -> Option<u32> {
    u32::from_str(entry.file_name().to_str()?).ok()
}

/// Programs name themselves; what is not printable is escaped.
fn program(folder: &str) -> String {
    let name = fs::read(format!("{folder}/comm")).unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii_end()).escape_debug().to_string()
}

/// The link of a socket's descriptor reads `socket:[12345]`.
fn socket_inode(target: &Path) -> Option<u32> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_link_of_a_socket_names_an_inode() {
        let inode = |text: &str| socket_inode(Path::new(text));
        assert_eq!(inode("socket:[4711]"), Some(4711));
        for other in ["pipe:[4711]", "/tmp/socket:[1]", "socket:[]", "socket:[x]", "socket:[1"] {
            assert_eq!(inode(other), None, "{other}");
        }
    }
}
