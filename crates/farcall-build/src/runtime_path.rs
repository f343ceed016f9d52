//! Points generated messages at the runtime that `farcall` re-exports: `::buffa::` becomes `::farcall::buffa::`.
//!
//! buffa-codegen has no option for this. Paths in code and in attribute strings (`#[serde(with = "::buffa::..")]`) are
//! rewritten; documentation, default values and a package that happens to be called `buffa` are not.

use crate::rust_text::{Run, runs};

const FROM: &str = "::buffa::";
const TO: &str = "::farcall::buffa::";

/// The text with every path to the runtime rewritten.
pub(crate) fn rewrite(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut attribute = AttributeDepth::default();
    for run in runs(text) {
        match run {
            Run::Code(code) => {
                attribute.follow(code);
                rewrite_code(code, &mut out);
            }
            Run::Literal(literal) if attribute.inside() => {
                let path = literal.strip_prefix('"').and_then(|body| body.strip_prefix(FROM));
                match path {
                    Some(path) => out.extend(["\"", TO, path]),
                    None => out.push_str(literal),
                }
            }
            // What buffa-codegen itself links to in its documentation.
            Run::Comment(comment) => {
                out.push_str(&comment.replace("[`::buffa::", "[`::farcall::buffa::"));
            }
            Run::Literal(other) => out.push_str(other),
        }
    }
    out
}

fn rewrite_code(code: &str, out: &mut String) {
    let mut rest = code;
    while let Some(at) = rest.find(FROM) {
        let (before, after) = rest.split_at(at);
        // `super::buffa::` is a package of the user, not the crate.
        let continues = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>');
        out.push_str(before);
        out.push_str(if continues { FROM } else { TO });
        rest = &after[FROM.len()..];
    }
    out.push_str(rest);
}

/// Whether the text stands inside `#[..]`.
#[derive(Default)]
struct AttributeDepth {
    brackets: usize,
}

impl AttributeDepth {
    fn follow(&mut self, code: &str) {
        let mut previous = ' ';
        for c in code.chars() {
            match c {
                '[' if self.brackets > 0 || previous == '#' => self.brackets += 1,
                ']' => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
            previous = c;
        }
    }

    fn inside(&self) -> bool {
        self.brackets > 0
    }
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn paths_in_code_and_in_attribute_strings_are_rewritten() {
        assert_eq!(
            rewrite(
                "#[serde(a = \"x\", with = \"::buffa::json\")]\nf: <::buffa::Bytes as ::buffa::T>::X"
            ),
            "#[serde(a = \"x\", with = \"::farcall::buffa::json\")]\nf: <::farcall::buffa::Bytes as ::farcall::buffa::T>::X"
        );
    }

    #[test]
    fn text_of_the_user_is_left_alone() {
        for text in
            ["/// See ::buffa::Message.", "let x = \"::buffa::\";", "a: super::buffa::v1::Message"]
        {
            assert_eq!(rewrite(text), text);
        }
    }
}
