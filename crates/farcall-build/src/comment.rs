//! Comments of a `.proto` file as Rust documentation.
//!
//! A comment is text for people: whatever it holds, it must neither fail as a link, nor run as a test, nor end the
//! comment.

use std::collections::HashMap;

use buffa_codegen::generated::descriptor::FileDescriptorProto;

/// The comments of one file, by the path of descriptor fields that leads to an element.
pub(crate) struct Comments<'a> {
    by_path: HashMap<&'a [i32], &'a str>,
}

impl<'a> Comments<'a> {
    /// Reads the comments of a file: the one above an element, else the one behind it.
    pub(crate) fn of(file: &'a FileDescriptorProto) -> Self {
        let locations = file.source_code_info.as_option().map_or(&[][..], |info| &info.location);
        let by_path = locations
            .iter()
            .filter_map(|location| {
                let above = location.leading_comments.as_deref();
                let text = above.or(location.trailing_comments.as_deref())?;
                Some((&location.path[..], text))
            })
            .collect();
        Self { by_path }
    }

    /// The documentation lines of an element, without `///`; empty if it has no comment.
    pub(crate) fn lines(&self, path: &[i32]) -> Vec<String> {
        self.by_path.get(path).map_or_else(Vec::new, |text| documentation(text))
    }
}

/// The lines of a comment, made safe for rustdoc.
fn documentation(comment: &str) -> Vec<String> {
    let lines: Vec<&str> =
        comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    let mut out = Vec::new();
    let mut block = Block::Prose;
    for (index, line) in lines[first..last].iter().enumerate() {
        block = match block {
            Block::Fenced => {
                out.push((*line).to_owned());
                if line.trim_start().starts_with("```") { Block::Prose } else { Block::Fenced }
            }
            _ if line.trim_start().starts_with("```") => {
                // Whatever the language, it is no test of the crate that includes this.
                out.push("```text".to_owned());
                Block::Fenced
            }
            Block::Indented if line.is_empty() || line.starts_with("    ") => {
                out.push((*line).to_owned());
                Block::Indented
            }
            _ if line.starts_with("    ")
                && (index == 0 || lines[first + index - 1].is_empty()) =>
            {
                out.push("```text".to_owned());
                out.push((*line).to_owned());
                Block::Indented
            }
            Block::Indented => {
                out.push("```".to_owned());
                out.push(escape(line));
                Block::Prose
            }
            Block::Prose => {
                out.push(escape(line));
                Block::Prose
            }
        };
    }
    if block != Block::Prose {
        out.push("```".to_owned());
    }
    // A carriage return alone is an error inside a Rust comment.
    out.into_iter().map(|line| line.replace('\r', " ")).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Prose,
    Indented,
    Fenced,
}

/// Escapes what rustdoc would take for a link or for HTML, outside of `code`.
fn escape(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut in_code = false;
    let has_pairs = line.matches('`').count().is_multiple_of(2);
    let mut previous = ' ';
    for c in line.chars() {
        if c == '`' && has_pairs {
            in_code = !in_code;
        }
        if matches!(c, '[' | ']' | '<' | '>') && !in_code && previous != '\\' {
            out.push('\\');
        }
        out.push(c);
        previous = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::documentation;

    #[test]
    fn prose_keeps_its_lines_and_loses_its_margin() {
        assert_eq!(documentation(" Says hello.\n\n Politely.\n"), ["Says hello.", "", "Politely."]);
    }

    #[test]
    fn links_and_html_are_escaped_outside_of_code() {
        assert_eq!(
            documentation(" A [Book] of Vec<T>, `Vec<T>`."),
            [r"A \[Book\] of Vec\<T\>, `Vec<T>`."]
        );
    }

    #[test]
    fn code_never_becomes_a_test() {
        assert_eq!(
            documentation(" Run:\n\n     let x;\n\n Done."),
            ["Run:", "", "```text", "    let x;", "", "```", "Done."]
        );
        assert_eq!(documentation(" ```rust\n x\n ```"), ["```text", "x", "```"]);
        assert_eq!(documentation(" ```\n open"), ["```text", "open", "```"]);
    }
}
