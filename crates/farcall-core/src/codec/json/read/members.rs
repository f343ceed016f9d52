//! Objects and arrays as messages take them: member by member, element by element.

use super::Result;
use super::fault::{Error, Fault};
use super::reader::Reader;
use crate::codec::json::name::Name;
use crate::codec::json::value::Key;

/// What is left of a message's object.
#[derive(Debug)]
pub(in crate::codec::json) struct Members {
    names: &'static [Name],
    is_first: bool,
    /// The field that is guessed to be next: whoever writes keeps the order of the declaration.
    guess: usize,
    seen: Seen,
}

impl Reader<'_> {
    /// Opens an object, behind white space.
    #[inline]
    pub(in crate::codec::json) fn members(&mut self, names: &'static [Name]) -> Result<Members> {
        if self.next() != b'{' {
            return Err(self.mismatch(&"an object"));
        }
        self.open_object()?;
        Ok(Members { names, is_first: true, guess: 0, seen: Seen::default() })
    }

    /// Opens an array, behind white space.
    #[inline]
    pub(in crate::codec::json) fn elements(&mut self) -> Result<Elements> {
        if self.next() != b'[' {
            return Err(self.mismatch(&"an array"));
        }
        self.open_array()?;
        Ok(Elements { is_first: true })
    }

    /// Opens the object of a map, behind white space.
    #[inline]
    pub(in crate::codec::json) fn entries(&mut self) -> Result<Entries> {
        if self.next() != b'{' {
            return Err(self.mismatch(&"an object"));
        }
        self.open_object()?;
        Ok(Entries { is_first: true })
    }

    /// Goes on in an object or array that `close` ends. Whether there is anything more.
    #[inline]
    fn more(&mut self, is_first: &mut bool, close: u8, what: &'static str) -> Result<bool> {
        match (self.next(), *is_first) {
            (byte, _) if byte == close => {
                self.at += 1;
                self.depth += 1;
                return Ok(false);
            }
            (_, true) => *is_first = false,
            (b',', _) => self.comma(close == b'}')?,
            _ => return Err(self.expected(what)),
        }
        Ok(true)
    }

    /// Passes over the value of a field that the message has not.
    #[inline(never)]
    pub(super) fn unknown(&mut self) -> Result {
        if self.ignores_unknown() { self.skip() } else { Err(self.fault(Fault::UnknownField)) }
    }
}

impl Members {
    /// Takes the next member's name and colon: the number of the field, that of the last name for an extension, whose own
    /// name is in the scratch; none behind the last. Members that are not known are passed over.
    #[inline]
    pub(in crate::codec::json) fn next(
        &mut self,
        reader: &mut Reader<'_>,
    ) -> Result<Option<usize>> {
        match self.guessed(reader) {
            Some(field) => Ok(Some(field)),
            None => self.any(reader),
        }
    }

    /// Takes a comma and the name of the field that is guessed to be next with its colon, if that is what is there.
    #[inline]
    fn guessed(&mut self, reader: &mut Reader<'_>) -> Option<usize> {
        let field = self.guess;
        let rest = reader.rest();
        let behind = if self.is_first { rest } else { rest.strip_prefix(b",")? };
        let len = self.names.get(field)?.starts(behind)?;
        if !self.seen.add_first(field) || !self.is_first && !reader.charge_member() {
            return None;
        }
        reader.at += rest.len() - behind.len() + len;
        self.guess += 1;
        self.is_first = false;
        Some(field)
    }

    /// Takes whatever comes next.
    #[inline(never)]
    fn any(&mut self, reader: &mut Reader<'_>) -> Result<Option<usize>> {
        while reader.more(&mut self.is_first, b'}', "a comma or '}'")? {
            match self.named(reader)? {
                Some(field) if self.seen.add(field) => {
                    self.guess = field + 1;
                    return Ok(Some(field));
                }
                Some(field) => return Err(self.doubled(field)),
                None if self.has_extensions() && reader.scratch.starts_with('[') => {
                    return Ok(Some(self.names.len() - 1));
                }
                None => reader.unknown()?,
            }
        }
        Ok(None)
    }

    /// Takes any name with its colon: the number of the field that has it, none if none has.
    fn named(&self, reader: &mut Reader<'_>) -> Result<Option<usize>> {
        if reader.next() != b'"' {
            return Err(reader.expected("a name in quotes"));
        }
        let name = reader.text("a name in quotes")?;
        // The name in JSON first: another field may be called so in the `.proto` file.
        let position = |is_it: &dyn Fn(&Name) -> bool| {
            self.names.iter().position(|known| !known.is_for_extensions() && is_it(known))
        };
        let found = position(&|known| known.json() == name);
        let found = found.or_else(|| position(&|known| known.proto() == name));
        if found.is_none() && self.has_extensions() {
            let name = name.to_owned();
            reader.scratch = name;
        }
        reader.take(b':', "a colon")?;
        Ok(found)
    }

    fn has_extensions(&self) -> bool {
        self.names.last().is_some_and(Name::is_for_extensions)
    }

    #[cold]
    fn doubled(&self, field: usize) -> Error {
        let name = self.names.get(field).map_or("", Name::json);
        Error::new(format_args!("duplicate field `{name}`"))
    }
}

/// The fields that have been there.
#[derive(Debug, Default)]
struct Seen {
    first: u64,
    others: Vec<u64>,
}

impl Seen {
    /// Adds a field that is among the first and new; else, does nothing and says no.
    #[inline]
    fn add_first(&mut self, field: usize) -> bool {
        let bit = 1_u64.checked_shl(field as u32).unwrap_or(0);
        let is_new = field < 64 && self.first & bit == 0;
        self.first |= bit;
        is_new
    }

    /// Adds a field. Whether it is new.
    fn add(&mut self, field: usize) -> bool {
        let bit = 1 << (field % 64);
        let word = match field / 64 {
            0 => &mut self.first,
            index => self.other(index - 1),
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    #[cold]
    fn other(&mut self, index: usize) -> &mut u64 {
        if self.others.len() <= index {
            self.others.resize(index + 1, 0);
        }
        &mut self.others[index]
    }
}

/// What is left of an array.
pub(in crate::codec::json) struct Elements {
    is_first: bool,
}

impl Elements {
    /// Whether there is another element, which is next then.
    #[inline]
    pub(in crate::codec::json) fn next(&mut self, reader: &mut Reader<'_>) -> Result<bool> {
        reader.more(&mut self.is_first, b']', "a comma or ']'")
    }
}

/// What is left of a map's object.
pub(in crate::codec::json) struct Entries {
    is_first: bool,
}

impl Entries {
    /// Takes the next key and its colon; none behind the last.
    pub(in crate::codec::json) fn key<K: Key>(
        &mut self,
        reader: &mut Reader<'_>,
    ) -> Result<Option<K>> {
        if !reader.more(&mut self.is_first, b'}', "a comma or '}'")? {
            return Ok(None);
        }
        if reader.next() != b'"' {
            return Err(reader.expected("a name in quotes"));
        }
        let key = K::read(reader)?;
        reader.take(b':', "a colon")?;
        Ok(Some(key))
    }
}
