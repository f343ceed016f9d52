//! The file that an element comes from: its comments, and where in the text it stands.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use buffa_codegen::generated::descriptor::FileDescriptorProto;

use crate::comment::Comments;
use crate::error::{Error, Place};

/// One `.proto` file, asked about by the path of descriptor fields that leads to an element.
pub(crate) struct Origin<'a> {
    pub(crate) file: &'a FileDescriptorProto,
    pub(crate) comments: Comments<'a>,
    path: &'a Path,
}

impl<'a> Origin<'a> {
    /// `paths` tells where each file lies; one that came as a descriptor has only its name.
    pub(crate) fn of(file: &'a FileDescriptorProto, paths: &'a HashMap<String, PathBuf>) -> Self {
        let name = file.name.as_deref().unwrap_or("");
        let path = paths.get(name).map_or(Path::new(name), PathBuf::as_path);
        Self { file, comments: Comments::of(file), path }
    }

    pub(crate) fn package(&self) -> &'a str {
        self.file.package.as_deref().unwrap_or("")
    }

    /// An error at the element that a path of descriptor fields leads to.
    pub(crate) fn error(&self, path: &[i32], message: String) -> Error {
        let locations =
            self.file.source_code_info.as_option().map_or(&[][..], |info| &info.location);
        let location = locations.iter().find(|location| location.path == path);
        let number = |value: i32| usize::try_from(value).unwrap_or(0);
        let (line, column, length) = match location.map(|location| &location.span[..]) {
            // A span of three lies within one line: line, column, end column.
            Some(&[line, column, end]) => {
                (line, column, number(end).saturating_sub(number(column)))
            }
            // A longer one ends on a later line: mark its first line.
            Some(&[line, column, ..]) => (line, column, usize::MAX),
            _ => return Error::new(format!("{}: {message}", self.path.display())),
        };
        Error::at(Place::of_position(self.path, number(line), number(column), length), message)
    }
}
