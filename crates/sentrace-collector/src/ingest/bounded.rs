//! Parses untrusted JSON within a memory budget.
//!
//! As a [`Value`], `[0,0,0]` takes sixteen times its length, and `[{"a":0}]` eighty times. Parsed
//! values are charged to a [`Budget`], and parsing stops as soon as it is exhausted.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::footprint;

/// The bytes of memory that an envelope may still take.
#[derive(Debug)]
pub(crate) struct Budget {
    left: usize,
    exhausted: bool,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: bytes, exhausted: false }
    }

    /// Takes some bytes. Returns `false` if there are not enough.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => self.exhausted = true,
        }
        !self.exhausted
    }

    /// Returns what was charged for something that is no longer kept.
    pub(crate) fn release(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes);
    }

    /// Returns `true` if something did not fit.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }
}

/// The reason why something could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The error of the parser.
    NotJson(String),
    /// Not an object but another type, by its name.
    NotObject(&'static str),
    /// The budget is exhausted.
    TooDense,
}

/// Parses an object, except for the member `without`. Its memory is charged.
pub(super) fn object(
    bytes: &[u8],
    without: Option<&str>,
    budget: &mut Budget,
) -> Result<Map<String, Value>, Failure> {
    let seed = Parse { budget, without, only_object: true };
    match run(bytes, seed) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Failure::NotObject(super::fields::kind(&other))),
        Err(_) if budget.exhausted => Err(Failure::TooDense),
        Err(error) => Err(Failure::NotJson(error)),
    }
}

/// Parses any JSON. Its memory is charged.
pub(super) fn value(bytes: &[u8], budget: &mut Budget) -> Result<Value, Failure> {
    run(bytes, Parse { budget, without: None, only_object: false })
        .map_err(|error| if budget.exhausted { Failure::TooDense } else { Failure::NotJson(error) })
}

/// The result of parsing an array element by element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// The member is missing or null.
    Missing,
    /// Not an array but another type, by its name.
    NotArray(&'static str),
    /// The number of elements, including those beyond the limit.
    Count(usize),
}

/// Parses the elements of the array `key` of an object, at most `limit` of them. Each is charged,
/// passed to `each`, and released.
pub(super) fn elements(
    bytes: &[u8],
    key: &str,
    limit: usize,
    budget: &mut Budget,
    mut each: impl FnMut(usize, Value, &mut Budget),
) -> Result<Elements, Failure> {
    let seed = Member { key, array: Array { budget, limit, each: &mut each } };
    match run(bytes, seed) {
        Ok(_) if budget.exhausted => Err(Failure::TooDense),
        Ok(found) => Ok(found),
        Err(_) if budget.exhausted => Err(Failure::TooDense),
        Err(error) => Err(Failure::NotJson(error)),
    }
}

/// Returns how many members of a valid object have this name.
pub(super) fn occurrences(bytes: &[u8], key: &str) -> usize {
    struct Count<'a>(&'a str);

    impl<'de> Visitor<'de> for Count<'_> {
        type Value = usize;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<usize, A::Error> {
            let mut count = 0;
            while let Some(is_it) = access.next_key_seed(Is(self.0))? {
                count += usize::from(is_it);
                access.next_value::<IgnoredAny>()?;
            }
            Ok(count)
        }
    }

    serde_json::Deserializer::from_slice(bytes).deserialize_map(Count(key)).unwrap_or_default()
}

fn run<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = seed.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(parsed)
}

/// Builds a [`Value`].
struct Parse<'a> {
    budget: &'a mut Budget,
    without: Option<&'a str>,
    /// Whether other values need not be built because only their type matters.
    only_object: bool,
}

impl Parse<'_> {
    fn charge<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        if self.budget.charge(bytes) { Ok(()) } else { Err(E::custom("too many values")) }
    }

    fn inner(&mut self) -> Parse<'_> {
        Parse { budget: self.budget, without: None, only_object: false }
    }
}

impl<'de> DeserializeSeed<'de> for Parse<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Parse<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<Value, E> {
        if self.only_object {
            return Ok(Value::String(String::new()));
        }
        self.charge(value.len())?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        if self.only_object {
            while access.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Array(values));
        }
        loop {
            self.charge(footprint::ELEMENT)?;
            let Some(value) = access.next_element_seed(self.inner())? else { break };
            values.push(value);
        }
        self.budget.release(footprint::ELEMENT);
        values.shrink_to_fit();
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = access.next_key_seed(Key(self.budget))? {
            if self.without == Some(&*key) {
                self.budget.release(key.len());
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            self.charge(footprint::member(members.len()))?;
            let length = key.len();
            let value = access.next_value_seed(self.inner())?;
            // Of several members with the same name, the last one is kept.
            if let Some(before) = members.insert(key, value) {
                self.budget.release(footprint::member(members.len()) + length + footprint::of(&before));
            }
        }
        Ok(Value::Object(members))
    }
}

/// Reads a key, which is charged by its length.
struct Key<'a>(&'a mut Budget);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        if self.0.charge(key.len()) { Ok(key.to_owned()) } else { Err(E::custom("too many values")) }
    }
}

/// Reads one member of an object and skips the others.
struct Member<'a, 'b, F> {
    key: &'a str,
    array: Array<'a, 'b, F>,
}

struct Array<'a, 'b, F> {
    budget: &'b mut Budget,
    limit: usize,
    each: &'a mut F,
}

impl<'de, F: FnMut(usize, Value, &mut Budget)> DeserializeSeed<'de> for Member<'_, '_, F> {
    type Value = Elements;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Elements, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(usize, Value, &mut Budget)> Visitor<'de> for Member<'_, '_, F> {
    type Value = Elements;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Elements, A::Error> {
        let mut found = Elements::Missing;
        let mut array = Some(self.array);
        while let Some(is_it) = access.next_key_seed(Is(self.key))? {
            // Of several members with the same name, the first one is read.
            match array.take_if(|_| is_it) {
                Some(array) => found = access.next_value_seed(array)?,
                None => _ = access.next_value::<IgnoredAny>()?,
            }
        }
        Ok(found)
    }
}

impl<'de, F: FnMut(usize, Value, &mut Budget)> DeserializeSeed<'de> for Array<'_, '_, F> {
    type Value = Elements;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Elements, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(usize, Value, &mut Budget)> Visitor<'de> for Array<'_, '_, F> {
    type Value = Elements;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_unit<E: Error>(self) -> Result<Elements, E> {
        Ok(Elements::Missing)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Elements, E> {
        Ok(Elements::NotArray("a boolean"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Elements, E> {
        Ok(Elements::NotArray("a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Elements, E> {
        Ok(Elements::NotArray("a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Elements, E> {
        Ok(Elements::NotArray("a number"))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Elements, E> {
        Ok(Elements::NotArray("a string"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Elements, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Elements::NotArray("an object"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Elements, A::Error> {
        let Self { budget, limit, each } = self;
        let mut count = 0;
        while count < limit {
            let seed = Parse { budget: &mut *budget, without: None, only_object: false };
            let Some(value) = access.next_element_seed(seed)? else { return Ok(Elements::Count(count)) };
            budget.release(footprint::of(&value));
            each(count, value, budget);
            if budget.exhausted {
                return Err(A::Error::custom("too many values"));
            }
            count += 1;
        }
        while access.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Elements::Count(count))
    }
}

/// Compares a key.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const PLENTY: usize = 1 << 30;

    #[test]
    fn what_fits_is_parsed_as_it_is_and_charged_as_it_is_measured() {
        let table = [
            json!(null),
            json!([1, -2, 2.5, true, "é\n", null, [], {}]),
            json!({"a": {"b": [{"c": "d"}, {}]}, "e": "f"}),
        ];
        for expected in table {
            let mut budget = Budget::new(PLENTY);
            let parsed = value(expected.to_string().as_bytes(), &mut budget).unwrap();
            assert_eq!(parsed, expected);
            assert_eq!(PLENTY - budget.left, footprint::of(&expected), "{expected}");
        }
    }

    #[test]
    fn what_does_not_fit_is_given_up_before_it_takes_more() {
        let dense = [
            format!("[{}0]", "0,".repeat(100_000)),
            format!("[{}0]", r#"{"a":0},"#.repeat(20_000)),
            format!("{{{}\"z\":0}}", (0..20_000).map(|n| format!("\"{n}\":0,")).collect::<String>()),
            format!("\"{}\"", "x".repeat(200_000)),
            format!("{{\"{}\":0}}", "x".repeat(200_000)),
            format!("{}{}", r#"{"a":"#.repeat(100), "[".repeat(20)),
        ];
        for text in dense {
            let mut budget = Budget::new(50_000);
            let failure = value(text.as_bytes(), &mut budget).unwrap_err();
            assert_eq!(failure, Failure::TooDense, "{text:.40}");
        }
    }

    #[test]
    fn elements_come_one_by_one_and_none_beyond_the_limit() {
        let text = br#"{"other": [1, 2], "spans": [{"a": 1}, 2, 3, 4], "last": {}}"#;
        let mut budget = Budget::new(PLENTY);
        let mut seen = Vec::new();
        let found = elements(text, "spans", 3, &mut budget, |index, value, _| seen.push((index, value)));
        assert_eq!(found, Ok(Elements::Count(4)));
        assert_eq!(seen, [(0, json!({"a": 1})), (1, json!(2)), (2, json!(3))]);
        assert_eq!(budget.left, PLENTY, "nothing is kept");
        let rows = [
            ("{}", Elements::Missing),
            (r#"{"spans":null}"#, Elements::Missing),
            (r#"{"spans":{"a":[1]}}"#, Elements::NotArray("an object")),
            (r#"{"spans":"x"}"#, Elements::NotArray("a string")),
            (r#"{"spans":-1.5}"#, Elements::NotArray("a number")),
        ];
        for (text, expected) in rows {
            let found = elements(text.as_bytes(), "spans", 3, &mut budget, |_, _, _| {});
            assert_eq!(found, Ok(expected), "{text}");
        }
        assert!(object(b"[1]", None, &mut budget) == Err(Failure::NotObject("an array")));
        assert_eq!(object(br#"{"a":1,"spans":[2]}"#, Some("spans"), &mut budget).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn the_parser_agrees_with_serdes_own_and_never_takes_more_than_allowed(
            text in r#"[\[\]{}:,"a0.1\\ntrue-]{0,40}"#, bytes in 0usize..2_000,
        ) {
            let theirs = serde_json::from_slice::<Value>(text.as_bytes());
            let ours = value(text.as_bytes(), &mut Budget::new(PLENTY));
            prop_assert_eq!(ours.ok(), theirs.ok());
            let mut budget = Budget::new(bytes);
            if let Ok(parsed) = value(text.as_bytes(), &mut budget) {
                prop_assert!(footprint::of(&parsed) <= bytes);
            }
        }
    }
}
