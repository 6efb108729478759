//! Trace, span and event ids.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ParseError;
use crate::util::{hex, text_enum};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $bytes:literal, $digits:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id with these bytes, or `None` when all of them are zero, which the specification forbids.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                let (words, _) = bytes.as_chunks::<8>();
                let mut any = 0;
                let mut i = 0;
                while i < words.len() {
                    any |= u64::from_ne_bytes(words[i]);
                    i += 1;
                }
                if any == 0 { None } else { Some(Self(bytes)) }
            }

            /// The bytes, most significant first.
            pub const fn to_bytes(self) -> [u8; $bytes] {
                self.0
            }

            #[doc = concat!("Reads exactly ", $digits, " hexadecimal digits of either case. `None` for anything else, zero included.")]
            pub fn from_hex(digits: &[u8]) -> Option<Self> {
                hex::decode::<$digits, $bytes>(digits.try_into().ok()?).and_then(Self::from_bytes)
            }

            /// The lower-case digits, on the stack.
            pub fn to_hex(self) -> Hex<$digits> {
                Hex(hex::encode(self.0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                Self::from_hex(text.as_bytes()).ok_or_else(|| {
                    let rule = match explain(text.as_bytes(), $digits) {
                        Some(rule) => rule,
                        None => "it is all zero, which means no id".to_owned(),
                    };
                    ParseError::new($what, text.as_bytes(), rule, concat!("use ", $digits, " hexadecimal digits, not all zero"))
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.to_hex())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text_enum::deserialize(deserializer, $what)
            }
        }
    };
}

id! {
    /// Names one trace across all services: 16 bytes, 32 hexadecimal digits, never all zero.
    ///
    /// Sentry SDK specification, *Trace Propagation* 1.9.
    ///
    /// ```
    /// use sentrace_protocol::TraceId;
    ///
    /// let id: TraceId = "0AF7651916CD43DD8448EB211C80319C".parse()?;
    /// assert_eq!(id.to_string(), "0af7651916cd43dd8448eb211c80319c");
    /// # Ok::<(), sentrace_protocol::ParseError>(())
    /// ```
    TraceId, "trace id", 16, 32
}

id! {
    /// Names one span within a trace: 8 bytes, 16 hexadecimal digits, never all zero.
    ///
    /// Sentry SDK specification, *Trace Propagation* 1.9.
    SpanId, "span id", 8, 16
}

id! {
    /// Names one event, such as a transaction: 16 bytes, 32 hexadecimal digits without dashes, never all
    /// zero.
    ///
    /// Sentry SDK specification, *Event Payloads*.
    EventId, "event id", 16, 32
}

/// `N` lower-case hexadecimal digits on the stack; derefs to `str`.
///
/// ```
/// let id = sentrace_protocol::SpanId::from_bytes([0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]).unwrap();
/// assert_eq!(&*id.to_hex(), "b7ad6b7169203331");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    /// The digits as ASCII bytes.
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Deref for Hex<N> {
    type Target = str;

    fn deref(&self) -> &str {
        // Always ASCII; the check costs a few nanoseconds and spares `unsafe`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> AsRef<str> for Hex<N> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Why these are not `digits` hexadecimal digits; `None` when they are.
pub(crate) fn explain(text: &[u8], digits: usize) -> Option<String> {
    if text.len() != digits {
        return Some(format!("it has {} digits, not {digits}", text.len()));
    }
    let at = text.iter().position(|byte| !byte.is_ascii_hexdigit())?;
    Some(format!("byte {} is not a hexadecimal digit", at + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_full_length_non_zero_hex_is_an_id() {
        let rows: [(&str, bool, &str); 8] = [
            ("b7ad6b7169203331", true, "lower case"),
            ("B7AD6B7169203331", true, "upper case is read"),
            ("0000000000000001", true, "one bit is enough"),
            ("0000000000000000", false, "all zero means none"),
            ("b7ad6b716920333", false, "one digit short"),
            ("b7ad6b71692033311", false, "one digit long"),
            ("b7ad6b716920333g", false, "g is no digit"),
            ("b7ad6b716920333\u{e9}", false, "a letter of two bytes"),
        ];
        for (text, valid, reason) in rows {
            assert_eq!(SpanId::from_hex(text.as_bytes()).is_some(), valid, "{reason}");
            assert_eq!(text.parse::<SpanId>().is_ok(), valid, "{reason}");
        }
    }

    #[test]
    fn an_error_says_what_is_wrong_with_the_id() {
        let rows = [
            ("b7", "invalid span id `b7`: it has 2 digits, not 16; use 16 hexadecimal digits, not all zero"),
            (
                "b7ad6b716920333x",
                "invalid span id `b7ad6b716920333x`: byte 16 is not a hexadecimal digit; \
                 use 16 hexadecimal digits, not all zero",
            ),
            (
                "0000000000000000",
                "invalid span id `0000000000000000`: it is all zero, which means no id; \
                 use 16 hexadecimal digits, not all zero",
            ),
        ];
        for (text, message) in rows {
            assert_eq!(text.parse::<SpanId>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn ids_are_json_strings() {
        let id: EventId = serde_json::from_str("\"5F0C1F3B7A9E4C0D8B1E2A3C4D5E6F70\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70\"");
        assert!(serde_json::from_str::<EventId>("7").is_err());
    }

    #[test]
    fn debug_names_the_type_and_the_digits() {
        let id = SpanId::from_bytes([1; 8]).unwrap();
        assert_eq!(format!("{id:?}"), "SpanId(0101010101010101)");
    }

    proptest! {
        #[test]
        fn printing_then_reading_an_id_is_identity(bytes in any::<[u8; 16]>()) {
            if let Some(id) = TraceId::from_bytes(bytes) {
                prop_assert_eq!(id.to_bytes(), bytes);
                prop_assert_eq!(TraceId::from_hex(id.to_hex().as_bytes()), Some(id));
                prop_assert_eq!(id.to_string().to_uppercase().parse::<TraceId>(), Ok(id));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = TraceId::from_hex(&bytes);
            let _ = SpanId::from_hex(&bytes);
        }
    }
}
