//! Cuts generated Rust text into code, string literals and comments, so that edits touch the code alone.
//!
//! Understands what generators print, not all of Rust; never judges it.

/// A run of Rust text; the runs of a text, joined, are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run<'a> {
    Code(&'a str),
    /// A string, byte string or character with its quotes and prefix.
    Literal(&'a str),
    /// A comment, without the newline that ends it.
    Comment(&'a str),
}

/// Cuts a text into runs.
pub(crate) fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut code_start = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let previous = text[..at].chars().next_back();
        let Some((length, make)) = special_run(rest, previous) else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if code_start < at {
            runs.push(Run::Code(&text[code_start..at]));
        }
        runs.push(make(&rest[..length]));
        at += length;
        code_start = at;
    }
    if code_start < text.len() {
        runs.push(Run::Code(&text[code_start..]));
    }
    runs
}

type MakeRun<'a> = fn(&'a str) -> Run<'a>;

/// The length in bytes and the kind of the literal or comment that `rest` starts with.
fn special_run<'a>(rest: &'a str, previous: Option<char>) -> Option<(usize, MakeRun<'a>)> {
    if rest.starts_with("//") {
        return Some((rest.find('\n').unwrap_or(rest.len()), Run::Comment));
    }
    if rest.starts_with("/*") {
        return Some((block_comment_length(rest), Run::Comment));
    }
    if rest.starts_with('\'') {
        return character_length(rest).map(|length| (length, Run::Literal as MakeRun<'a>));
    }
    if rest.starts_with('"') {
        return Some((quoted_length(rest), Run::Literal));
    }
    let in_word = previous.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if in_word {
        return None;
    }
    let unprefixed = rest.trim_start_matches(['b', 'c']);
    let prefix = rest.len() - unprefixed.len();
    if prefix > 1 {
        return None;
    }
    if prefix == 1 && unprefixed.starts_with('"') {
        return Some((prefix + quoted_length(unprefixed), Run::Literal));
    }
    let hashes = unprefixed.strip_prefix('r')?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let body = hashes[count..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(count));
    let end = body.find(&close).map_or(body.len(), |end| end + close.len());
    Some((rest.len() - body.len() + end, Run::Literal))
}

/// Block comments nest.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; `None` if the quote starts a lifetime.
fn character_length(rest: &str) -> Option<usize> {
    let body = &rest[1..];
    let first = body.chars().next()?;
    if first == '\\' {
        return body.get(2..)?.find('\'').map(|end| 1 + 2 + end + 1);
    }
    let after = 1 + first.len_utf8();
    rest[after..].starts_with('\'').then_some(after + 1)
}

#[cfg(test)]
mod tests {
    use super::{Run, runs};

    #[test]
    fn strings_characters_and_comments_are_told_from_code() {
        let text =
            "let a = b\"x\\\"y\"; // c \"d\"\nfn f<'a>(c: 'b', r#type: r#\"q\"u\"#) /* /* */ */ {}";
        let found: Vec<_> =
            runs(text).into_iter().filter(|run| !matches!(run, Run::Code(_))).collect();
        assert_eq!(
            found,
            [
                Run::Literal("b\"x\\\"y\""),
                Run::Comment("// c \"d\""),
                Run::Literal("'b'"),
                Run::Literal("r#\"q\"u\"#"),
                Run::Comment("/* /* */ */"),
            ]
        );
    }

    #[test]
    fn the_runs_joined_are_the_text() {
        let text = "a 'x '\\'' \"open";
        let joined: String = runs(text)
            .into_iter()
            .map(|run| match run {
                Run::Code(text) | Run::Literal(text) | Run::Comment(text) => text,
            })
            .collect();
        assert_eq!(joined, text);
    }
}
