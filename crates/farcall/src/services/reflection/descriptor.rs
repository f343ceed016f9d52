//! As much of a `google.protobuf.FileDescriptorProto` as reflection has to know, read where it lies.
//!
//! The bytes come from generated code; what is no descriptor in them is passed over. Nothing is copied.

/// The fields of a message that hold bytes or a number, by their numbers in descriptor.proto.
pub(super) struct Fields(&'static [u8]);

pub(super) enum Value {
    Number(u64),
    Bytes(&'static [u8]),
}

impl Fields {
    pub(super) fn of(message: &'static [u8]) -> Self {
        Self(message)
    }

    /// The texts and messages of one field.
    pub(super) fn all(message: &'static [u8], field: u64) -> impl Iterator<Item = &'static [u8]> {
        Self::of(message).filter_map(move |(number, value)| match value {
            Value::Bytes(bytes) if number == field => Some(bytes),
            _ => None,
        })
    }

    /// The text of a field; empty when it is not set.
    pub(super) fn text(message: &'static [u8], field: u64) -> &'static str {
        Self::all(message, field).last().and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or("")
    }

    /// The number of a field; 0 when it is not set.
    pub(super) fn number(message: &'static [u8], field: u64) -> u64 {
        let numbers = Self::of(message).filter_map(|(number, value)| match value {
            Value::Number(value) if number == field => Some(value),
            _ => None,
        });
        numbers.last().unwrap_or(0)
    }

    fn take(&mut self, count: u64) -> Option<&'static [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn take_number(&mut self) -> Option<u64> {
        let length = self.0.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
        let bytes = self.take(length as u64)?;
        // The tenth byte has one bit to give.
        let shifted = |(index, byte): (usize, &u8)| u64::from(byte & 0x7f) << (7 * index);
        Some(bytes.iter().enumerate().map(shifted).fold(0, |sum, part| sum | part))
    }
}

impl Iterator for Fields {
    type Item = (u64, Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let tag = self.take_number()?;
            let value = match tag & 7 {
                0 => Value::Number(self.take_number()?),
                2 => {
                    let length = self.take_number()?;
                    Value::Bytes(self.take(length)?)
                }
                1 => {
                    self.take(8)?;
                    continue;
                }
                5 => {
                    self.take(4)?;
                    continue;
                }
                _ => return None,
            };
            return Some((tag >> 3, value));
        }
    }
}

/// The number of the `file` field of a `FileDescriptorSet`.
pub(super) const SET_FILE: u64 = 1;
/// Numbers of `FileDescriptorProto`.
pub(super) mod file {
    pub(in super::super) const NAME: u64 = 1;
    pub(in super::super) const PACKAGE: u64 = 2;
    pub(in super::super) const DEPENDENCY: u64 = 3;
    pub(in super::super) const MESSAGE: u64 = 4;
    pub(in super::super) const ENUM: u64 = 5;
    pub(in super::super) const SERVICE: u64 = 6;
    pub(in super::super) const EXTENSION: u64 = 7;
}
/// Numbers of `DescriptorProto`.
pub(super) mod message {
    pub(in super::super) const FIELD: u64 = 2;
    pub(in super::super) const NESTED: u64 = 3;
    pub(in super::super) const ENUM: u64 = 4;
    pub(in super::super) const EXTENSION: u64 = 6;
    pub(in super::super) const ONEOF: u64 = 8;
}
/// Numbers of `FieldDescriptorProto`.
pub(super) mod field {
    pub(in super::super) const EXTENDEE: u64 = 2;
    pub(in super::super) const NUMBER: u64 = 3;
}
/// The number of the name in every descriptor below a file.
pub(super) const NAME: u64 = 1;
/// The numbers of `EnumDescriptorProto.value` and of `ServiceDescriptorProto.method`.
pub(super) const ENUM_VALUE: u64 = 2;
pub(super) const SERVICE_METHOD: u64 = 2;
