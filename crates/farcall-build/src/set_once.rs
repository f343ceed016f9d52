//! Refuses a field that comes twice in one JSON object, where buffa-codegen lets the last one win.
//!
//! Messages with a oneof read their fields one by one into variables called `__f_..`; `derive`, which reads the others,
//! refuses by itself. protobuf's conformance suite wants it so, and a proxy that reads the first one must not be told
//! something else than this program.

use std::fmt::Write as _;

use crate::rust_text::{Run, runs};

/// What a variable is called that a field is read into, and how it is set.
const VARIABLE: &str = "__f_";
const SET: &str = " = Some(";

/// The text with a check in front of each variable that is set.
pub(crate) fn check(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for run in runs(text) {
        match run {
            Run::Code(code) => {
                for line in code.split_inclusive('\n') {
                    check_line(line, &mut out);
                }
            }
            Run::Literal(other) | Run::Comment(other) => out.push_str(other),
        }
    }
    out
}

fn check_line(line: &str, out: &mut String) {
    let statement = line.trim_start();
    let margin = &line[..line.len() - statement.len()];
    if let Some((variable, _)) = statement.split_once(SET)
        && let Some(field) = variable.strip_prefix(VARIABLE)
        && field.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        let _ = writeln!(out, "{margin}if {variable}.is_some() {{");
        let error = format_args!("::serde::de::Error::duplicate_field(\"{field}\")");
        let _ = writeln!(out, "{margin}    return Err({error});");
        let _ = writeln!(out, "{margin}}}");
    }
    out.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_variable_is_checked_before_it_is_set() {
        assert_eq!(
            check("    __f_a = Some(1);\n"),
            "    if __f_a.is_some() {\n        return Err(::serde::de::Error::duplicate_field(\"a\"));\n    }\n    __f_a = Some(1);\n"
        );
    }

    #[test]
    fn anything_else_is_left_alone() {
        for text in
            ["let __f_a = Some(1);\n", "\"\n__f_a = Some(\"", "// __f_a = Some(\n", "__f = Some("]
        {
            assert_eq!(check(text), text);
        }
    }
}
