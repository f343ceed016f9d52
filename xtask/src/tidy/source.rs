//! A Rust file taken apart into code and comments, line by line.
//!
//! Knows just enough of the language for that: comments, strings, characters, lifetimes. It parses nothing else.

/// A Rust file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path from the root of the project.
    pub path: String,
    /// The lines as they stand.
    pub lines: Vec<String>,
    /// The same lines with comments and the insides of strings and characters blanked.
    pub code: Vec<String>,
    /// The same lines with everything but comments blanked.
    pub comments: Vec<String>,
}

/// What the scanner is in the middle of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    LineComment,
    /// Block comments nest.
    BlockComment(usize),
    String,
    /// A raw string ends at a quote and this many `#`.
    RawString(usize),
    Character,
}

impl Source {
    /// Takes a file apart.
    pub fn parse(path: &str, text: &str) -> Source {
        let characters: Vec<char> = text.chars().collect();
        let mut code = String::with_capacity(text.len());
        let mut comments = String::with_capacity(text.len());
        let mut state = State::Code;
        let mut at = 0;
        while at < characters.len() {
            let before = state;
            let length = step(&characters, at, &mut state);
            let comment = is_comment(before) || is_comment(state);
            for &character in &characters[at..at + length] {
                let blank = if character == '\n' { '\n' } else { ' ' };
                let keep_code = before == State::Code && !comment;
                code.push(if keep_code { character } else { blank });
                comments.push(if comment { character } else { blank });
            }
            at += length;
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        Source {
            path: path.to_owned(),
            lines: lines(text),
            code: lines(&code),
            comments: lines(&comments),
        }
    }

    /// Whether the code, comments and strings left out, holds this identifier.
    pub fn names(&self, identifier: &str) -> bool {
        self.code.iter().any(|line| has_word(line, identifier))
    }
}

/// Whether `word` stands in `line` with no letter, digit or underscore next to it.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

fn is_comment(state: State) -> bool {
    matches!(state, State::LineComment | State::BlockComment(_))
}

/// Moves over one token of at least one character: sets the state behind it and returns its length.
fn step(characters: &[char], at: usize, state: &mut State) -> usize {
    let next = characters.get(at + 1).copied();
    match (*state, characters[at]) {
        (State::Code, _) => return step_code(characters, at, state),
        (State::BlockComment(depth), '*') if next == Some('/') => {
            *state = match depth {
                1 => State::Code,
                _ => State::BlockComment(depth - 1),
            };
            return 2;
        }
        (State::BlockComment(depth), '/') if next == Some('*') => {
            *state = State::BlockComment(depth + 1);
            return 2;
        }
        (State::String | State::Character, '\\') => return 2.min(characters.len() - at),
        (State::LineComment, '\n') | (State::String, '"') | (State::Character, '\'') => {
            *state = State::Code;
        }
        (State::RawString(hashes), '"') if hashes_from(characters, at + 1) >= hashes => {
            *state = State::Code;
            return 1 + hashes;
        }
        _ => {}
    }
    1
}

fn step_code(characters: &[char], at: usize, state: &mut State) -> usize {
    let next = characters.get(at + 1).copied();
    match characters[at] {
        '/' if next == Some('/') => {
            *state = State::LineComment;
            2
        }
        '/' if next == Some('*') => {
            *state = State::BlockComment(1);
            2
        }
        '"' => {
            *state = State::String;
            1
        }
        'r' if !follows_word(characters, at) => raw_string(characters, at, state),
        'b' | 'c' if next == Some('r') && !follows_word(characters, at) => {
            1 + raw_string(characters, at + 1, state)
        }
        '\'' if starts_character(characters, at) => {
            *state = State::Character;
            1
        }
        _ => 1,
    }
}

/// At an `r`: moves over the opening of a raw string, or over the `r` alone.
fn raw_string(characters: &[char], at: usize, state: &mut State) -> usize {
    let hashes = hashes_from(characters, at + 1);
    if characters.get(at + 1 + hashes) != Some(&'"') {
        return 1;
    }
    *state = State::RawString(hashes);
    2 + hashes
}

fn hashes_from(characters: &[char], at: usize) -> usize {
    let rest = characters.get(at..).unwrap_or_default();
    rest.iter().take_while(|&&hash| hash == '#').count()
}

/// Whether the letter continues a word, as the `r` of `for"` would. In `br"` the `b` is skipped together with it.
fn follows_word(characters: &[char], at: usize) -> bool {
    at > 0 && (characters[at - 1].is_alphanumeric() || characters[at - 1] == '_')
}

/// Tells `'a'` and `'\n'` from the lifetime `'a`.
fn starts_character(characters: &[char], at: usize) -> bool {
    characters.get(at + 1) == Some(&'\\') || characters.get(at + 2) == Some(&'\'')
}
