//! Rust text, line by line, indented by its braces. Knows no Rust.

use std::fmt;

/// A text that grows by lines.
#[derive(Default)]
pub(crate) struct Text {
    out: String,
    depth: usize,
}

impl Text {
    /// Adds a line; one that starts with a closing bracket steps out first, one that ends with an opening one steps in.
    pub(crate) fn line(&mut self, line: impl fmt::Display) {
        let line = line.to_string();
        let comment = line.starts_with("//");
        if !comment && line.starts_with(['}', ')', ']']) {
            self.depth = self.depth.saturating_sub(1);
        }
        for _ in 0..self.depth {
            self.out.push_str("    ");
        }
        self.out.push_str(&line);
        self.out.push('\n');
        if !comment && line.ends_with(['{', '(', '[']) {
            self.depth += 1;
        }
    }

    /// Adds several lines, each as [`line`](Self::line) does.
    pub(crate) fn lines(&mut self, lines: &str) {
        for line in lines.lines() {
            self.line(line);
        }
    }

    /// Adds an empty line.
    pub(crate) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// Adds a line that stands one step further in than its neighbours.
    pub(crate) fn inset(&mut self, line: impl fmt::Display) {
        self.depth += 1;
        self.line(line);
        self.depth -= 1;
    }

    /// Adds documentation.
    pub(crate) fn doc(&mut self, lines: &[String]) {
        for line in lines {
            if line.is_empty() {
                self.line("///");
            } else {
                self.line(format_args!("/// {line}"));
            }
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.out
    }
}
