//! Bytes: Base64, written in the standard alphabet with padding, and read in that for URLs too, with padding or without.

use bytes::Bytes;

use super::super::read::{self, Reader};
use super::super::write::{self, Writer};
use super::Json;
use crate::base64;

impl Json for Vec<u8> {
    fn write(&self, writer: &mut Writer) -> write::Result {
        write(self, writer)
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
        *self = read(reader)?;
        Ok(true)
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl Json for Bytes {
    fn write(&self, writer: &mut Writer) -> write::Result {
        write(self, writer)
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> read::Result<bool> {
        *self = read(reader)?.into();
        Ok(true)
    }

    fn is_default(&self) -> bool {
        self.is_empty()
    }
}

fn write(value: &[u8], writer: &mut Writer) -> write::Result {
    writer.byte(b'"')?;
    writer.bytes(&base64::encode_padded(value))?;
    writer.byte(b'"')
}

fn read(reader: &mut Reader<'_>) -> read::Result<Vec<u8>> {
    let text = reader.text("a string of Base64")?.as_bytes();
    let bytes = if text.iter().any(|digit| matches!(digit, b'-' | b'_')) {
        let digits: Vec<u8> = text.iter().map(|digit| standard(*digit)).collect();
        base64::decode(&digits)
    } else {
        base64::decode(text)
    };
    bytes.ok_or_else(|| read::Error::new("invalid value: expected Base64"))
}

/// The digit of the standard alphabet.
fn standard(digit: u8) -> u8 {
    match digit {
        b'-' => b'+',
        b'_' => b'/',
        digit => digit,
    }
}
