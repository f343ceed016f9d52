//! What can go wrong, told the way a compiler tells it: file, line, column, the line itself and a caret.
//!
//! Never asks the reader to enable anything: `Debug` prints the same text as `Display`, because `main` prints `Debug`.

use std::fmt;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

/// The result of this crate; what `main` of a `build.rs` returns.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why no Rust came out.
pub struct Error(Box<Detail>);

struct Detail {
    message: String,
    place: Option<Place>,
    /// Other places that have to do with it, each with what is there.
    related: Vec<(Place, String)>,
    help: Option<String>,
}

/// Where in a `.proto` file the error is. Lines and columns count from 1, columns in characters.
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// The text of the line and how many characters of it the caret marks.
    pub(crate) excerpt: Option<(String, usize)>,
}

impl Error {
    /// An error that has no place in a `.proto` file.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::from_parts(message.into(), None)
    }

    /// An error at the given place.
    pub(crate) fn at(place: Place, message: impl Into<String>) -> Self {
        Self::from_parts(message.into(), Some(place))
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// An error of the parser; `locate` turns the name of a file as imports spell it into its path.
    pub(crate) fn from_protox(error: &protox::Error, locate: impl Fn(&str) -> PathBuf) -> Self {
        let mut out = Self::from_parts(root_message(error), None);
        out.0.help = error.help().map(|help| help.to_string());
        let Some(path) = error.file().map(locate) else { return out };
        let mut places = error.labels().into_iter().flatten().map(|label| {
            let text = label.label().unwrap_or("here").to_owned();
            (Place::of_span(path.clone(), label.offset(), label.len()), text)
        });
        // The parser gives a place unless it ran out of text; an error that is not in the text has none either.
        out.0.place = match places.next() {
            Some((place, _)) => Some(place),
            None if error.is_parse() => Some(Place::of_end(path.clone())),
            None => None,
        };
        out.0.related = places.collect();
        if error.is_parse() && out.0.help.is_none() && uses_edition(&path) {
            out.0.help = Some(
                "editions are read by protoc, not here: use the plugin protoc-gen-farcall"
                    .to_owned(),
            );
        }
        out
    }

    fn from_parts(message: String, place: Option<Place>) -> Self {
        Self(Box::new(Detail { message, place, related: Vec::new(), help: None }))
    }
}

/// Whether the first statement of the file is `edition = ..`.
fn uses_edition(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let statement =
        text.lines().map(str::trim_start).find(|line| !line.is_empty() && !line.starts_with("//"));
    statement.is_some_and(|line| line.starts_with("edition"))
}

/// The message with the cause behind it, as in "error opening file 'x': permission denied".
fn root_message(error: &protox::Error) -> String {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !message.contains(&cause_text) {
            message.push_str(": ");
            message.push_str(&cause_text);
        }
        source = cause.source();
    }
    message
}

impl Place {
    /// The place of a run of bytes in the file.
    fn of_span(path: PathBuf, offset: usize, length: usize) -> Self {
        let Ok(text) = std::fs::read_to_string(&path) else { return Self::unknown(path) };
        let Some(before) = text.get(..offset) else { return Self::unknown(path) };
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = text.get(start..offset).map_or(0, |part| part.chars().count()) + 1;
        let marked = text.get(offset..offset.saturating_add(length)).unwrap_or("");
        let marked = marked.lines().next().unwrap_or("").chars().count();
        let excerpt = excerpt(&text, line, marked);
        Self { path, line, column, excerpt }
    }

    /// The last line of the file: where a parser stands when it ran out of text.
    fn of_end(path: PathBuf) -> Self {
        let length = std::fs::metadata(&path).map_or(0, |data| data.len());
        let Ok(length) = usize::try_from(length) else { return Self::unknown(path) };
        Self::of_span(path, length, 0)
    }

    /// The place that a descriptor's source information gives: zero-based line and column.
    pub(crate) fn of_position(path: &Path, line: usize, column: usize, length: usize) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let excerpt = excerpt(&text, line + 1, length);
        Self { path: path.to_owned(), line: line + 1, column: column + 1, excerpt }
    }

    fn unknown(path: PathBuf) -> Self {
        Self { path, line: 1, column: 1, excerpt: None }
    }

    fn write_excerpt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((line, marked)) = &self.excerpt else { return Ok(()) };
        let before = self.column - 1;
        // A tab stays a tab, so that the caret stands below its character whatever width the terminal gives it.
        let indent: String =
            line.chars().take(before).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let room = line.chars().count().saturating_sub(before).max(1);
        let caret = "^".repeat((*marked).clamp(1, room));
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        write!(f, "\n{margin} |\n{number} | {line}\n{margin} | {indent}{caret}")
    }
}

fn excerpt(text: &str, line: usize, marked: usize) -> Option<(String, usize)> {
    let line = text.lines().nth(line.checked_sub(1)?)?;
    Some((line.to_owned(), marked))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Detail { message, place, related, help } = &*self.0;
        match place {
            Some(place) => {
                write!(f, "{}:{}:{}: {message}", place.path.display(), place.line, place.column)?;
                place.write_excerpt(f)?;
            }
            None => f.write_str(message)?,
        }
        for (place, what) in related {
            write!(f, "\nnote: {}:{}:{}: {what}", place.path.display(), place.line, place.column)?;
            place.write_excerpt(f)?;
        }
        match help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
