//! UTF-8 in pieces: each octet is judged as soon as it comes (RFC 6455 section 8.1).

/// What was begun at the end of the last piece.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Utf8 {
    begun: [u8; 4],
    length: usize,
}

/// Octets that no valid text continues with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Invalid;

impl Utf8 {
    /// Takes the next piece; an error as soon as no valid text can begin like this.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Invalid> {
        let mut rest = piece;
        while self.length > 0 {
            let Some((octet, behind)) = rest.split_first() else { return Ok(()) };
            rest = behind;
            self.begun[self.length] = *octet;
            self.length += 1;
            match judge(&self.begun[..self.length])? {
                0 => self.length = 0,
                open => debug_assert_eq!(open, self.length),
            }
        }
        let open = judge(rest)?;
        self.length = open;
        self.begun[..open].copy_from_slice(&rest[rest.len() - open..]);
        Ok(())
    }

    /// Whether the text may end here: no character is incomplete.
    pub(super) fn is_complete(self) -> bool {
        self.length == 0
    }
}

/// How many octets at the end belong to a character that goes on, at most three.
fn judge(octets: &[u8]) -> Result<usize, Invalid> {
    match std::str::from_utf8(octets) {
        Ok(_) => Ok(0),
        Err(error) if error.error_len().is_none() => Ok(octets.len() - error.valid_up_to()),
        Err(_) => Err(Invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_is_judged_like_the_whole() {
        let text = "κόσμε \u{10ffff}\u{fffd}a\u{7ff}\u{ffff}";
        for at in 0..=text.len() {
            let mut utf8 = Utf8::default();
            let (begin, end) = text.as_bytes().split_at(at);
            assert_eq!((utf8.push(begin), utf8.push(end)), (Ok(()), Ok(())));
            assert!(utf8.is_complete());
        }
    }

    #[test]
    fn what_cannot_become_valid_fails_at_its_first_wrong_octet() {
        // A surrogate, an overlong form, above U+10FFFF, a lone continuation.
        for wrong in [&[0xed, 0xa0][..], &[0xc0], &[0xe0, 0x80], &[0xf4, 0x90], &[0xf5], &[0x80]] {
            let mut utf8 = Utf8::default();
            for octet in &wrong[..wrong.len() - 1] {
                assert_eq!(utf8.push(&[*octet]), Ok(()));
            }
            assert_eq!(utf8.push(&wrong[wrong.len() - 1..]), Err(Invalid), "{wrong:x?}");
        }
    }
}
