//! A text that is read from its start to its end: brackets, words, white space, and the bounds on them.

use std::mem;

use serde::Deserialize;

use crate::codec::UnknownFields;
use crate::limits::{
    JSON_ELEMENT_MEMORY, JSON_MEMBER_MEMORY, JSON_OBJECT_MEMORY, Limits, MAX_JSON_DEPTH, MAX_QUOTED,
};

use super::fault::{Error, Fault};
use super::place::Place;
use super::{Result, Unreadable};

/// A text, the place in it, and what it may still cost.
#[derive(Debug)]
pub struct Reader<'de> {
    pub(super) text: &'de str,
    /// The byte that is next.
    pub(super) at: usize,
    /// Levels of nesting that may still be opened.
    pub(super) depth: u32,
    /// Bytes that elements may still take in memory.
    memory: usize,
    max_depth: u32,
    max_memory: usize,
    unknown_fields: UnknownFields,
    /// The last string that had escapes, without them, or the name of an extension. No longer than the text.
    pub(super) scratch: String,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str, limits: &Limits) -> Self {
        let max_depth = limits.max_depth.min(MAX_JSON_DEPTH);
        let max_memory = limits.max_element_memory;
        Self {
            text,
            at: 0,
            depth: max_depth,
            memory: max_memory,
            max_depth,
            max_memory,
            unknown_fields: limits.json_unknown_fields,
            scratch: String::new(),
        }
    }

    /// The byte that is next; zero, which stands nowhere in JSON, at the end.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The text from the next byte on.
    #[inline]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The byte that is next behind white space; zero at the end.
    #[inline]
    pub(in crate::codec::json) fn next(&mut self) -> u8 {
        let byte = self.peek();
        if byte > b' ' { byte } else { self.behind_space() }
    }

    #[inline(never)]
    fn behind_space(&mut self) -> u8 {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.peek()
    }

    /// Takes a byte, behind white space.
    #[inline]
    pub(super) fn take(&mut self, byte: u8, what: &'static str) -> Result {
        if self.next() != byte {
            return Err(self.expected(what));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes a word.
    pub(super) fn word(&mut self, word: &'static str) -> Result {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.expected(word));
        }
        self.at += word.len();
        Ok(())
    }

    /// Opens an object, whose bracket is next.
    #[inline]
    pub(super) fn open_object(&mut self) -> Result {
        self.charge(JSON_OBJECT_MEMORY)?;
        self.open()
    }

    /// Opens an array, whose bracket is next.
    #[inline]
    pub(super) fn open_array(&mut self) -> Result {
        self.charge(JSON_ELEMENT_MEMORY)?;
        self.open()
    }

    #[inline]
    fn open(&mut self) -> Result {
        if self.depth == 0 {
            return Err(self.too_deep());
        }
        self.depth -= 1;
        self.at += 1;
        Ok(())
    }

    /// Takes the comma between two members or two elements, which is next.
    #[inline]
    pub(super) fn comma(&mut self, is_object: bool) -> Result {
        self.charge(if is_object { JSON_MEMBER_MEMORY } else { JSON_ELEMENT_MEMORY })?;
        self.at += 1;
        Ok(())
    }

    /// Charges for a member, unless there is too little left for it.
    #[inline]
    pub(super) fn charge_member(&mut self) -> bool {
        let left = self.memory.checked_sub(JSON_MEMBER_MEMORY);
        self.memory = left.unwrap_or(self.memory);
        left.is_some()
    }

    #[inline]
    fn charge(&mut self, bytes: usize) -> Result {
        match self.memory.checked_sub(bytes) {
            Some(memory) => self.memory = memory,
            None => return Err(self.fault(Fault::Memory { limit: self.max_memory })),
        }
        Ok(())
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result {
        self.next();
        if self.at < self.text.len() { Err(self.expected("the end of the text")) } else { Ok(()) }
    }

    /// Takes a value of a type that serde knows.
    ///
    /// # Errors
    /// When the text is no JSON or no such value, or costs more than the limits allow.
    pub fn by_serde<T: Deserialize<'de>>(&mut self) -> Result<T> {
        T::deserialize(self)
    }

    /// Takes any value as it is written.
    ///
    /// # Errors
    /// When the text is no JSON or is too deep.
    pub fn raw(&mut self) -> Result<&'de str> {
        self.next();
        let start = self.at;
        self.skip()?;
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// Whether a field or the name of an enum's value that is not known is skipped.
    pub(in crate::codec::json) fn ignores_unknown(&self) -> bool {
        self.unknown_fields == UnknownFields::Ignore
    }

    pub(in crate::codec::json) fn take_scratch(&mut self) -> String {
        mem::take(&mut self.scratch)
    }

    /// The place in the text.
    pub(in crate::codec::json) fn at(&self) -> usize {
        self.at
    }

    /// What was read from a place on is not what it should be.
    #[cold]
    pub(in crate::codec::json) fn invalid(&self, start: usize, expected: &str) -> Error {
        let got = self.text.get(start..self.at).unwrap_or_default();
        Error::new(format_args!("invalid value: {got:.MAX_QUOTED$}, expected {expected}"))
    }

    #[cold]
    pub(super) fn too_deep(&self) -> Error {
        self.fault(Fault::Depth { limit: self.max_depth })
    }

    #[cold]
    pub(in crate::codec::json) fn expected(&self, what: &'static str) -> Error {
        self.fault(Fault::Expected(what))
    }

    /// Something is wrong with the byte that is next.
    #[cold]
    pub(super) fn fault(&self, fault: Fault) -> Error {
        Error::at(fault, self.at)
    }

    /// What an error that ended the reading was about.
    #[cold]
    pub(super) fn explain(&self, error: Error) -> Unreadable {
        let (fault, at) = error.into_parts();
        let got = at.and_then(|at| self.text.get(at..)?.chars().next());
        let got = got.map(|character| format!("{character:?}"));
        // A byte that is wrong has its own column; what was read is in the columns before.
        let place = Place::of(
            self.text.as_bytes(),
            at.unwrap_or(self.at),
            usize::from(at.is_some() && got.is_some()),
        );
        Unreadable { fault, got, place }
    }
}
