//! The chunked transfer coding (RFC 9112 section 7.1), octet by octet: it keeps no input.
//!
//! ```text
//!   Size --";"--> Extension --CR--> SizeEnd --LF--> Data(n) --n octets--> DataCr --CR--> DataLf --LF--> Size
//!                                      '--LF, size 0--> (trailers)
//! ```

use super::refusal::Refusal;

/// What the next octet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    /// Whitespace behind the size, which only an extension may follow.
    Space,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
}

/// What was found at the front of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// So many octets of content come next, or fewer if the input ends. Tell
    /// [`taken`](Chunked::taken) how many there were.
    Content(u64),
    /// The last chunk; trailers and an empty line follow.
    Last,
    /// The input ended.
    Nothing,
}

/// How far a body is.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// Digits of the size so far.
    digits: u32,
    /// The size of the chunk, or what is left of it.
    left: u64,
    /// Octets of extensions that the message may still have.
    extensions: usize,
}

/// Hex digits of a size: as many as a `u64` has.
const MAX_DIGITS: u32 = 16;

impl Chunked {
    pub(super) fn new(max_extensions: usize) -> Self {
        Self { state: State::Size, digits: 0, left: 0, extensions: max_extensions }
    }

    /// Reads up to the next content. Returns how many octets of `input` that took.
    pub(super) fn parse(&mut self, input: &[u8]) -> Result<(usize, Found), Refusal> {
        let mut used = 0;
        while used < input.len() && self.state != State::Data {
            let octet = input[used];
            self.step(octet).map_err(|reason| Refusal::malformed(reason, &[octet]))?;
            used += 1;
            if self.state == State::Data && self.left == 0 {
                return Ok((used, Found::Last));
            }
        }
        let found =
            if self.state == State::Data { Found::Content(self.left) } else { Found::Nothing };
        Ok((used, found))
    }

    /// So many octets of the chunk were taken.
    pub(super) fn taken(&mut self, octets: u64) {
        self.left = self.left.saturating_sub(octets);
        if self.left == 0 {
            self.state = State::DataCr;
        }
    }

    fn step(&mut self, octet: u8) -> Result<(), &'static str> {
        self.state = match (self.state, octet) {
            (State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                if self.digits == MAX_DIGITS {
                    return Err("expected a chunk size of at most 16 digits");
                }
                self.digits += 1;
                let digit = (octet as char).to_digit(16).map_or(0, u64::from);
                self.left = self.left << 4 | digit;
                State::Size
            }
            (State::Size, _) if self.digits == 0 => {
                return Err("expected a chunk size in hex digits");
            }
            (State::Size | State::Extension, b'\r') => State::SizeEnd,
            (State::Size | State::Space, b' ' | b'\t') => self.extension(State::Space)?,
            (State::Size | State::Space, b';')
            | (State::Extension, b'\t' | b' '..=b'~' | 0x80..) => {
                self.extension(State::Extension)?
            }
            (State::SizeEnd, b'\n') => {
                self.digits = 0;
                State::Data
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::DataCr | State::DataLf, _) => return Err("expected CRLF behind a chunk"),
            _ => return Err("expected CRLF behind a chunk size"),
        };
        Ok(())
    }

    /// One more octet between a size and its CRLF.
    fn extension(&mut self, state: State) -> Result<State, &'static str> {
        self.extensions = self.extensions.checked_sub(1).ok_or("too many chunk extensions")?;
        Ok(state)
    }
}
