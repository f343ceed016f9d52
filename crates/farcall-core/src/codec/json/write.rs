//! Values as compact JSON. What a message looks like is the business of its [`Json`].

mod compound;
mod key;
mod members;
mod number;
mod string;
mod writer;

use std::cell::Cell;
use std::fmt;

use super::value::Json;
use crate::limits::MAX_KEPT_JSON;

pub use members::Members;
pub use writer::Writer;

/// What writing comes to.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

thread_local! {
    /// The buffer of the thread's last text. Whoever writes takes it away, so that a [`Json`] may write another
    /// text meanwhile.
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Writes a value and hands over its text.
///
/// # Errors
/// When the text has more than `max_len` bytes, and no more memory is taken then, or the value has no JSON form.
pub(super) fn write<T, R>(value: &T, max_len: usize, take: impl FnOnce(&[u8]) -> R) -> Result<R>
where
    T: Json,
{
    // While the thread ends there is no buffer any more.
    let mut writer = Writer::new(KEPT.try_with(Cell::take).unwrap_or_default(), max_len);
    let taken = value.write(&mut writer).map(|()| take(writer.text()));
    keep(writer.into_buffer());
    taken
}

#[inline]
fn keep(mut buffer: Vec<u8>) {
    if buffer.len() > MAX_KEPT_JSON {
        buffer.truncate(MAX_KEPT_JSON);
        buffer.shrink_to_fit();
    }
    let _ = KEPT.try_with(|kept| kept.set(buffer));
}

/// Why there is no text.
#[derive(Debug)]
pub struct Error(Box<Fault>);

#[derive(Debug)]
enum Fault {
    /// The text is longer than it may be.
    TooLong,
    /// The value's own words.
    Said(String),
}

impl Error {
    /// The value has no form in JSON, in its own words.
    #[cold]
    pub fn new(message: impl fmt::Display) -> Self {
        Self(Box::new(Fault::Said(message.to_string())))
    }

    #[cold]
    fn too_long() -> Self {
        Self(Box::new(Fault::TooLong))
    }

    /// Whether the text is longer than it may be.
    pub(super) fn is_too_long(&self) -> bool {
        matches!(*self.0, Fault::TooLong)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Fault::TooLong => f.write_str("the text is longer than the limit"),
            Fault::Said(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::ser::{Error as _, Serialize, SerializeStruct, Serializer};

    use super::super::read::{self, Reader};
    use super::*;

    /// A value with its form for serde.
    struct Form<'a, T>(&'a T);

    impl<T: Serialize> Json for Form<'_, T> {
        fn write(&self, writer: &mut Writer) -> Result {
            writer.by_serde(self.0)
        }

        fn read(&mut self, _: &mut Reader<'_>) -> read::Result<bool> {
            Ok(false)
        }
    }

    fn text<T: Serialize>(value: &T) -> Result<String> {
        write(&Form(value), usize::MAX, |text| String::from_utf8_lossy(text).into_owned())
    }

    /// A number as `serde_json` has it with `arbitrary_precision`.
    struct Textual(&'static str);

    impl Serialize for Textual {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            let name = "$serde_json::private::Number";
            let mut number = serializer.serialize_struct(name, 1)?;
            number.serialize_field(name, self.0)?;
            number.end()
        }
    }

    #[test]
    fn a_number_that_is_kept_as_text_is_written_as_a_number() {
        let numbers = [Textual("1"), Textual("0.10"), Textual("")];
        assert_eq!(text(&numbers).unwrap(), "[1,0.10,]");
    }

    #[test]
    fn what_is_not_finite_is_null_and_no_key() {
        assert_eq!(text(&[f64::NAN, f64::INFINITY]).unwrap(), "[null,null]");
        assert_eq!(text(&f32::NEG_INFINITY).unwrap(), "null");
        for key in [None, Some("a")] {
            let map = BTreeMap::from([(key, 1)]);
            assert_eq!(text(&map).is_ok(), key.is_some());
        }
        assert!(text(&BTreeMap::from([([1], 1)])).is_err());
    }

    /// Writes another text meanwhile, and perhaps fails.
    struct Busy(bool);

    impl Serialize for Busy {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            assert_eq!(text(&"inner").map_err(S::Error::custom)?, r#""inner""#);
            if self.0 { serializer.serialize_str("outer") } else { Err(S::Error::custom("no")) }
        }
    }

    #[test]
    fn a_text_may_be_written_within_another() {
        assert_eq!(text(&[Busy(true), Busy(true)]).unwrap(), r#"["outer","outer"]"#);
        assert_eq!(text(&[Busy(true), Busy(false)]).unwrap_err().to_string(), "no");
        assert_eq!(text(&["after"]).unwrap(), r#"["after"]"#);
    }

    #[test]
    fn the_buffer_that_is_kept_is_small() {
        let large = "a".repeat(1_000_000);
        for _ in 0..2 {
            assert_eq!(text(&large).unwrap().len(), large.len() + 2);
            let kept = KEPT.take();
            assert!((1..=MAX_KEPT_JSON).contains(&kept.capacity()), "{}", kept.capacity());
            KEPT.set(kept);
            assert_eq!(text(&1).unwrap(), "1");
            assert!(write(&Form(&large), 1000, |_| ()).unwrap_err().is_too_long());
        }
    }
}
