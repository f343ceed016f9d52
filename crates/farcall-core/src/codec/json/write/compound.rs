//! Arrays and objects on their way out.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::key::Key;
use super::writer::Writer;
use super::{Error, Result};

/// An array or an object that serde has not closed yet.
pub struct Compound<'w> {
    writer: &'w mut Writer,
    state: State,
    /// The bracket that closes it.
    close: u8,
    /// Whether an object around it, whose one name is a variant's, is closed with it.
    is_in_variant: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    Filled,
    /// It is no object but stands for the number that its one member has as a string.
    Textual,
}

impl<'w> Compound<'w> {
    #[inline]
    pub(super) fn array(writer: &'w mut Writer) -> Result<Self> {
        writer.byte(b'[')?;
        Ok(Self { writer, state: State::Empty, close: b']', is_in_variant: false })
    }

    #[inline]
    pub(super) fn object(writer: &'w mut Writer) -> Result<Self> {
        writer.byte(b'{')?;
        Ok(Self { writer, state: State::Empty, close: b'}', is_in_variant: false })
    }

    /// A number that comes as a string in a struct.
    pub(super) fn textual(writer: &'w mut Writer) -> Self {
        Self { writer, state: State::Textual, close: 0, is_in_variant: false }
    }

    pub(super) fn in_variant(self) -> Self {
        Self { is_in_variant: true, ..self }
    }

    /// Writes the comma before the next element or key.
    #[inline]
    fn comma(&mut self) -> Result {
        if self.state == State::Empty {
            self.state = State::Filled;
            return Ok(());
        }
        self.writer.byte(b',')
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.comma()?;
        value.serialize(&mut *self.writer)
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a third of all writing: inlined, a name is a copy of known bytes"
    )]
    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
        if self.state == State::Textual {
            return self.writer.textual_number(value);
        }
        self.writer.name(self.state == State::Empty, name)?;
        self.state = State::Filled;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn close(self) -> Result {
        if self.state != State::Textual {
            self.writer.byte(self.close)?;
        }
        if self.is_in_variant { self.writer.byte(b'}') } else { Ok(()) }
    }
}

macro_rules! arrays {
    ($($kind:ident $method:ident,)*) => {$(
        impl $kind for Compound<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Result {
                self.close()
            }
        }
    )*};
}

arrays! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! structs {
    ($($kind:ident)*) => {$(
        impl $kind for Compound<'_> {
            type Ok = ();
            type Error = Error;

            #[inline(always)]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
                self.member(name, value)
            }

            #[inline]
            fn end(self) -> Result {
                self.close()
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.comma()?;
        key.serialize(Key(self.writer))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.writer.byte(b':')?;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn end(self) -> Result {
        self.close()
    }
}
