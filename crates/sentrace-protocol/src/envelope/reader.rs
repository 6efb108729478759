//! Reading envelopes, for those who receive them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::{Map, Value};

use crate::ParseError;

/// Most items of one envelope. The specification has lower limits for each type; this one bounds the memory.
pub const MAX_ITEMS: usize = 1_000;

/// An envelope taken apart, its items not yet looked into.
#[derive(Debug, Clone, PartialEq)]
pub struct RawEnvelope<'a> {
    /// The first line.
    pub headers: Map<String, Value>,
    /// The items in order.
    pub items: Vec<RawItem<'a>>,
}

/// One item of an envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct RawItem<'a> {
    /// Its header line, which has a `type`.
    pub headers: Map<String, Value>,
    /// Its payload, without the line break behind it.
    pub payload: &'a [u8],
}

impl RawItem<'_> {
    /// Its `type`, such as `transaction`.
    pub fn kind(&self) -> &str {
        self.headers.get("type").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Takes an envelope apart.
///
/// A payload is as long as its header's `length` says, or goes to the end of its line without one. The last
/// line break may be missing.
///
/// Sentry SDK specification, *Envelopes*, serialization format.
///
/// ```
/// use sentrace_protocol::envelope::read;
///
/// let envelope = read(b"{}\n{\"type\":\"transaction\"}\n{\"spans\":[]}\n")?;
/// assert_eq!(envelope.items[0].kind(), "transaction");
/// assert_eq!(envelope.items[0].payload, b"{\"spans\":[]}");
/// # Ok::<(), sentrace_protocol::ParseError>(())
/// ```
///
/// # Errors
///
/// When a header line is not a JSON object, `sent_at` is there twice, an item has no `type`, a `length` is no
/// number or beyond the end, or there are more than [`MAX_ITEMS`] items. The error says at which byte.
pub fn read(bytes: &[u8]) -> Result<RawEnvelope<'_>, ParseError> {
    let (header, items) = split(bytes);
    let envelope = Rest { bytes, at: 0 };
    let Headers(headers) = envelope.headers(header, "the envelope's header", 0)?;
    let mut read = Vec::new();
    for item in items {
        let SplitItem { header, payload, .. } = item?;
        // Already found to be an object.
        let Headers(headers) = envelope.headers(header, "the header of item", read.len() + 1)?;
        read.push(RawItem { headers, payload });
    }
    Ok(RawEnvelope { headers, items: read })
}

/// Takes an envelope apart without parsing more of it than it has to, and without allocating: for receivers of
/// envelopes from anywhere. Returns the envelope's header line, unchecked, and its items.
///
/// The items follow the same rules as those of [`read`]. After an error there are no more.
///
/// ```
/// use sentrace_protocol::envelope::split;
///
/// let (header, items) = split(b"{}\n{\"type\":\"session\",\"length\":2}\n{}\n");
/// assert_eq!(header, b"{}");
/// for item in items {
///     assert_eq!(item?.kind, "session");
/// }
/// # Ok::<(), sentrace_protocol::ParseError>(())
/// ```
pub fn split(bytes: &[u8]) -> (&[u8], SplitItems<'_>) {
    let mut rest = Rest { bytes, at: 0 };
    let header = rest.line();
    (header, SplitItems { rest, number: 0 })
}

/// One item of an envelope whose header is not parsed further than needed; see [`split`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitItem<'a> {
    /// Its `type`, such as `transaction`.
    pub kind: Cow<'a, str>,
    /// Its header line, which is a JSON object.
    pub header: &'a [u8],
    /// Its payload, without the line break behind it.
    pub payload: &'a [u8],
}

/// The items of an envelope, in order; see [`split`].
#[derive(Debug, Clone)]
pub struct SplitItems<'a> {
    rest: Rest<'a>,
    number: usize,
}

impl<'a> Iterator for SplitItems<'a> {
    type Item = Result<SplitItem<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let item = if self.number == MAX_ITEMS {
            let rule = format!("it has more than {MAX_ITEMS} items");
            Err(self.rest.error(self.rest.at, rule, "send several envelopes"))
        } else {
            self.number += 1;
            self.rest.item(self.number)
        };
        if item.is_err() {
            self.rest.at = self.rest.bytes.len();
        }
        Some(item)
    }
}

#[derive(Debug, Clone)]
struct Rest<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// What goes to the next line break, and steps behind that.
    fn line(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        self.at += length + 1;
        &rest[..length]
    }

    /// Parses a header line of this envelope.
    fn headers<T: Deserialize<'a>>(
        &self,
        line: &'a [u8],
        what: &str,
        number: usize,
    ) -> Result<T, ParseError> {
        serde_json::from_slice(line).map_err(|error| {
            let start = line.as_ptr().addr().saturating_sub(self.bytes.as_ptr().addr());
            let number = if number == 0 { String::new() } else { format!(" {number}") };
            let rule = format!("{what}{number} at byte {start} is wrong: {error}");
            self.error(start, rule, "send one JSON object in one line there")
        })
    }

    fn item(&mut self, number: usize) -> Result<SplitItem<'a>, ParseError> {
        let start = self.at;
        let header = self.line();
        let head: ItemHead<'a> = self.headers(header, "the header of item", number)?;
        let Some(kind) = head.kind else {
            let rule = format!("the header of item {number} at byte {start} has no `type`");
            return Err(self.error(start, rule, "name its type, as in `\"type\":\"transaction\"`"));
        };
        let payload = match head.length {
            Length::Absent => self.line(),
            Length::Bytes(length) => self.payload(length, number)?,
            Length::Wrong => {
                let rule = format!("the `length` of item {number} at byte {start} is no whole number");
                return Err(self.error(start, rule, "give the payload's length in bytes, or none"));
            }
        };
        Ok(SplitItem { kind, header, payload })
    }

    fn payload(&mut self, length: usize, number: usize) -> Result<&'a [u8], ParseError> {
        let start = self.at.min(self.bytes.len());
        let rest = &self.bytes[start..];
        let Some((payload, behind)) = rest.split_at_checked(length) else {
            let left = rest.len();
            let rule = format!(
                "item {number} has a `length` of {length}, but from byte {start} on there are {left}"
            );
            return Err(self.error(start, rule, "give the payload's length in bytes"));
        };
        if !matches!(behind, [] | [b'\n', ..]) {
            let end = start + length;
            let rule = format!("no line break follows the {length} bytes of item {number} at byte {end}");
            return Err(self.error(
                start,
                rule,
                "give the payload's length in bytes, and end it with a line break",
            ));
        }
        self.at = start + length + 1;
        Ok(payload)
    }

    fn error(&self, start: usize, rule: String, advice: &'static str) -> ParseError {
        let shown = self.bytes.get(start..).unwrap_or_default();
        ParseError::new(
            "envelope",
            shown.split(|byte| *byte == b'\n').next().unwrap_or_default(),
            rule,
            advice,
        )
    }
}

/// A header line. Sentry refuses one that says `sent_at` twice, which a plain map would hide.
struct Headers(Map<String, Value>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            /// The usual refusal would repeat the text, which can be as long as the envelope.
            fn visit_str<E: Error>(self, _: &str) -> Result<Headers, E> {
                Err(E::invalid_type(Unexpected::Other("string"), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Headers, A::Error> {
                let mut headers = Map::new();
                while let Some((key, value)) = access.next_entry::<String, Value>()? {
                    if key == "sent_at" && headers.contains_key(&key) {
                        return Err(A::Error::custom("`sent_at` is there twice"));
                    }
                    headers.insert(key, value);
                }
                Ok(Headers(headers))
            }
        }

        // Not `deserialize_map`: that would refuse a text by itself, and repeat it.
        deserializer.deserialize_any(Object)
    }
}

/// What of an item's header decides where the item ends.
struct ItemHead<'a> {
    kind: Option<Cow<'a, str>>,
    length: Length,
}

enum Length {
    Absent,
    Bytes(usize),
    Wrong,
}

impl<'de> Deserialize<'de> for ItemHead<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = ItemHead<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            /// The usual refusal would repeat the text, which can be as long as the envelope.
            fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
                Err(E::invalid_type(Unexpected::Other("string"), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut head = ItemHead { kind: None, length: Length::Absent };
                let (mut has_sent_at, mut sent_twice) = (false, false);
                while let Some(Member(key)) = access.next_key()? {
                    match key.as_text() {
                        Some("type") => head.kind = access.next_value::<Member<'de>>()?.0.into_text(),
                        Some("length") => {
                            head.length = match access.next_value::<Member<'de>>()?.0 {
                                Scalar::Null => Length::Absent,
                                Scalar::Whole(length) => {
                                    usize::try_from(length).map_or(Length::Wrong, Length::Bytes)
                                }
                                Scalar::Text(_) | Scalar::Other => Length::Wrong,
                            };
                        }
                        Some("sent_at") => {
                            sent_twice |= std::mem::replace(&mut has_sent_at, true);
                            access.next_value::<IgnoredAny>()?;
                        }
                        _ => _ = access.next_value::<IgnoredAny>()?,
                    }
                }
                if sent_twice { Err(A::Error::custom("`sent_at` is there twice")) } else { Ok(head) }
            }
        }

        deserializer.deserialize_any(Object)
    }
}

/// A key or a value of a header, as far as it can matter here.
struct Member<'a>(Scalar<'a>);

enum Scalar<'a> {
    Null,
    Whole(u64),
    Text(Cow<'a, str>),
    Other,
}

impl<'a> Scalar<'a> {
    fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn into_text(self) -> Option<Cow<'a, str>> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Member<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Member(Scalar::Null))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Member(Scalar::Other))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Member(Scalar::Whole(number)))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Member(Scalar::Other))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Member(Scalar::Other))
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Member(Scalar::Text(Cow::Borrowed(text))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Member(Scalar::Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                while access.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Member(Scalar::Other))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Member(Scalar::Other))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn payloads_end_where_the_specification_says() {
        type Items<'a> = &'a [(&'a str, &'a [u8])];
        let rows: [(&[u8], Items<'_>, &str); 10] = [
            (b"{}", &[], "headers alone, without line break"),
            (b"{}\n", &[], "headers alone"),
            (b"{}\n{\"type\":\"a\"}\nxy\n", &[("a", b"xy")], "to the end of the line"),
            (b"{}\n{\"type\":\"a\"}\nxy", &[("a", b"xy")], "to the end"),
            (b"{}\n{\"type\":\"a\"}\n", &[("a", b"")], "nothing left"),
            (b"{}\n{\"type\":\"a\"}", &[("a", b"")], "nothing left, without line break"),
            (
                b"{}\n{\"type\":\"a\",\"length\":3}\nx\ny\n",
                &[("a", b"x\ny")],
                "a length reaches over line breaks",
            ),
            (b"{}\n{\"type\":\"a\",\"length\":3}\nx\ny", &[("a", b"x\ny")], "a length to the end"),
            (
                b"{}\n{\"type\":\"a\",\"length\":0}\n\n{\"type\":\"b\",\"length\":0}\n",
                &[("a", b""), ("b", b"")],
                "two empty payloads",
            ),
            (b"{}\n{\"type\":\"a\"}\nx\n{\"type\":\"b\"}\ny", &[("a", b"x"), ("b", b"y")], "two lines"),
        ];
        for (bytes, expected, reason) in rows {
            let envelope = read(bytes).unwrap();
            let items: Vec<_> = envelope.items.iter().map(|item| (item.kind(), item.payload)).collect();
            assert_eq!(items, expected, "{reason}");
        }
    }

    #[test]
    fn an_error_says_where_and_what() {
        let rows: [(&[u8], &str); 11] = [
            (b"", "the envelope's header at byte 0 is wrong: EOF"),
            (b"\n", "the envelope's header at byte 0 is wrong"),
            (
                b"[]",
                "the envelope's header at byte 0 is wrong: invalid type: sequence, expected a JSON object",
            ),
            (b"{\"sent_at\":\"a\",\"sent_at\":\"b\"}\n", "`sent_at` is there twice"),
            (b"{}\nx", "the header of item 1 at byte 3 is wrong"),
            (b"{}\n{}\n", "the header of item 1 at byte 3 has no `type`"),
            (b"{}\n{\"type\":7}\n", "the header of item 1 at byte 3 has no `type`"),
            (b"{}\n{\"type\":\"a\",\"length\":-1}\n", "the `length` of item 1 at byte 3 is no whole number"),
            (
                b"{}\n{\"type\":\"a\",\"length\":9}\nxy",
                "has a `length` of 9, but from byte 27 on there are 2",
            ),
            (
                b"{}\n{\"type\":\"a\",\"length\":1}\nxy",
                "no line break follows the 1 bytes of item 1 at byte 28",
            ),
            (b"{}\n{\"type\":\"a\"}\nx\n\n", "the header of item 2 at byte 18 is wrong: EOF"),
        ];
        for (bytes, part) in rows {
            let message = read(bytes).unwrap_err().to_string();
            assert!(message.contains(part), "{message} should say: {part}");
        }
    }

    #[test]
    fn an_error_stays_short_however_long_the_refused_line_is() {
        let message = read(format!("\"{}\"", "x".repeat(1_000_000)).as_bytes()).unwrap_err().to_string();
        assert!(message.contains("invalid type: string, expected a JSON object"), "{message}");
        assert!(message.len() < 500, "{message}");
    }

    #[test]
    fn too_many_items_are_refused_rather_than_kept() {
        let envelope = |items: usize| format!("{{}}\n{}", "{\"type\":\"a\",\"length\":0}\n\n".repeat(items));
        assert_eq!(read(envelope(MAX_ITEMS).as_bytes()).unwrap().items.len(), MAX_ITEMS);
        let message = read(envelope(MAX_ITEMS + 1).as_bytes()).unwrap_err().to_string();
        assert!(message.contains("more than 1000 items"), "{message}");
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_full_stack() {
        let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
        assert!(read(deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            near in "\\{\\}\n(\\{\"type\":\"a\"(,\"length\":[0-9-]{1,20})?\\}\n?[x\n]{0,5}\n?){0,3}",
        ) {
            let _ = read(&bytes);
            let _ = read(near.as_bytes());
            for bytes in [&bytes[..], near.as_bytes()] {
                let (header, items) = split(bytes);
                let items: Result<Vec<_>, _> = items.collect();
                match (read(bytes), serde_json::from_slice::<Headers>(header), items) {
                    (Ok(read), Ok(Headers(headers)), Ok(items)) => {
                        prop_assert_eq!(read.headers, headers);
                        let read: Vec<_> = read.items.iter().map(|item| (item.kind(), item.payload)).collect();
                        let split: Vec<_> = items.iter().map(|item| (&*item.kind, item.payload)).collect();
                        prop_assert_eq!(read, split);
                    }
                    (Ok(read), _, _) => prop_assert!(false, "only `read` takes it: {read:?}"),
                    // What is inside of a header is looked at by `read` only.
                    (Err(_), _, _) => {}
                }
            }
        }
    }
}
