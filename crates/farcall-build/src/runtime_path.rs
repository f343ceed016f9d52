//! Points generated messages at the crates that `farcall` re-exports: `::buffa::` becomes `::farcall::buffa::`, `::serde::`
//! becomes `::farcall::serde::`.
//!
//! buffa-codegen has no option for this. Paths in code and in attribute strings (`#[serde(with = "::buffa::..")]`) are
//! rewritten; documentation, default values and a package that happens to be called `buffa` are not.

use crate::rust_text::{Run, runs};

/// What is rewritten, and to what. The longer ones come first.
const PATHS: [(&str, &str); 4] = [
    // How an `Any` is taken apart and put together is the runtime's business: it bounds what that may cost.
    ("::buffa::type_registry::any_to_json::", "::farcall::stub::any_to_json::"),
    ("::buffa::type_registry::any_from_json::", "::farcall::stub::any_from_json::"),
    ("::buffa::", "::farcall::buffa::"),
    ("::serde::", "::farcall::serde::"),
];

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
            Run::Literal(literal) if attribute.inside() => match literal.strip_prefix('"') {
                Some(body) => {
                    out.push('"');
                    rewrite_start(body, &mut out);
                }
                None => out.push_str(literal),
            },
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
    while let Some(at) = rest.find("::") {
        let (before, path) = rest.split_at(at);
        out.push_str(before);
        // `super::buffa::` is a package of the user, not the crate.
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>') {
            out.push_str("::");
            rest = &path[2..];
        } else {
            rest = rewrite_head(path, out);
        }
    }
    out.push_str(rest);
}

/// Rewrites a string that is a path.
fn rewrite_start(body: &str, out: &mut String) {
    let rest = if body.starts_with("::") { rewrite_head(body, out) } else { body };
    out.push_str(rest);
}

/// Writes the head of an absolute path as it is to be; what is left comes back.
fn rewrite_head<'a>(path: &'a str, out: &mut String) -> &'a str {
    for (from, to) in PATHS {
        if let Some(rest) = path.strip_prefix(from) {
            out.push_str(to);
            return rest;
        }
    }
    out.push_str("::");
    &path[2..]
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
                "#[serde(a = \"x\", with = \"::buffa::json\")]\nf: <::buffa::Bytes as ::serde::T>::X"
            ),
            "#[serde(a = \"x\", with = \"::farcall::buffa::json\")]\nf: <::farcall::buffa::Bytes as ::farcall::serde::T>::X"
        );
        assert_eq!(
            rewrite("x(::buffa::type_registry::any_to_json::<M>, ::core::y::<::buffa::M>)"),
            "x(::farcall::stub::any_to_json::<M>, ::core::y::<::farcall::buffa::M>)"
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
