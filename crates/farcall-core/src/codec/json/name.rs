//! The names of fields.

/// The names of a field: in JSON, and in the `.proto` file. Both are read.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// As most write it: in quotes, with a colon behind.
    token: &'static str,
    /// The first eight bytes of it, or all and zeros, and which of them it has.
    head: u64,
    mask: u64,
    json: &'static str,
    proto: &'static str,
}

impl Name {
    /// Stands behind the names of a message's fields when it can have extensions: those have names in brackets.
    pub const EXTENSIONS: Self = Self::new("", "", "");

    /// `token` is the name in JSON in quotes, with a colon behind.
    pub const fn new(token: &'static str, json: &'static str, proto: &'static str) -> Self {
        let (mut head, mut mask, mut at) = ([0; 8], [0; 8], 0);
        while at < 8 && at < token.len() {
            head[at] = token.as_bytes()[at];
            mask[at] = 0xff;
            at += 1;
        }
        let (head, mask) = (u64::from_le_bytes(head), u64::from_le_bytes(mask));
        Self { token, head, mask, json, proto }
    }

    pub(super) fn is_for_extensions(&self) -> bool {
        self.token.is_empty()
    }

    /// The length of the name with its quotes and colon, if the text starts with it.
    #[inline]
    pub(super) fn starts(&self, text: &[u8]) -> Option<usize> {
        let head = u64::from_le_bytes(*text.first_chunk()?);
        let len = self.token.len();
        let is_it = len > 0
            && (head ^ self.head) & self.mask == 0
            && (len <= 8 || text.get(8..len) == self.token.as_bytes().get(8..));
        is_it.then_some(len)
    }

    /// The name in JSON.
    pub(super) fn json(&self) -> &'static str {
        self.json
    }

    /// The name in the `.proto` file.
    pub(super) fn proto(&self) -> &'static str {
        self.proto
    }
}

/// The [names](Name) of fields: pairs of that in JSON and that in the `.proto` file, and whether there may be extensions.
#[doc(hidden)]
#[macro_export]
macro_rules! __json_names {
    ($(($json:literal, $proto:literal),)* $($extensions:ident)?) => {
        &[
            $($crate::json::Name::new(concat!("\"", $json, "\":"), $json, $proto),)*
            $($crate::json::Name::$extensions)?
        ]
    };
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_is_found_where_it_is_all_there() {
        for name in ["", "a", "abcde", "abcdef", "abcdefg", "abcdefgh", "a_very_long_name"] {
            let token = format!("\"{name}\":").leak();
            let known = Name::new(token, "", "");
            for behind in ["1", "1234567", "[{}]      "] {
                let text = format!("{token}{behind}");
                let enough = text.len() >= 8;
                assert_eq!(known.starts(text.as_bytes()), enough.then_some(token.len()), "{text}");
                for at in 0..token.len() {
                    let mut other = text.clone().into_bytes();
                    other[at] ^= 1;
                    assert_eq!(known.starts(&other), None);
                    assert_eq!(known.starts(&text.as_bytes()[..at]), None);
                }
            }
        }
    }
}
