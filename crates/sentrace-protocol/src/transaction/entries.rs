//! Data and tags: small maps in the order of their first setting.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::Value;

/// Longest tag key and tag value that Sentry takes, in characters.
pub const MAX_TAG_CHARS: usize = 200;

macro_rules! entries {
    ($(#[$doc:meta])* $name:ident, $value:ty, $static:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name<'a>(Vec<(Cow<'a, str>, $value)>);

        impl<'a> $name<'a> {
            /// Nothing yet.
            pub const fn new() -> Self {
                Self(Vec::new())
            }

            /// Nothing yet, with room for `capacity` entries.
            pub fn with_capacity(capacity: usize) -> Self {
                Self(Vec::with_capacity(capacity))
            }

            /// Sets an entry; one with the same key is replaced in its place.
            ///
            /// The search is linear, which suits the few entries that a span has.
            pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<$value>) {
                let (key, value) = (key.into(), value.into());
                match self.0.iter_mut().find(|(old, _)| *old == key) {
                    Some((_, old)) => *old = value,
                    None => self.0.push((key, value)),
                }
            }

            /// The value of an entry.
            pub fn get(&self, key: &str) -> Option<&$value> {
                self.0.iter().find(|(old, _)| old == key).map(|(_, value)| value)
            }

            /// Takes an entry out.
            pub fn remove(&mut self, key: &str) -> Option<$value> {
                let at = self.0.iter().position(|(old, _)| old == key)?;
                Some(self.0.remove(at).1)
            }

            /// All entries in order.
            pub fn iter(&self) -> impl Iterator<Item = (&str, &$value)> {
                self.0.iter().map(|(key, value)| (&**key, value))
            }

            /// How many entries there are.
            pub fn len(&self) -> usize {
                self.0.len()
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// The same entries, borrowing from nothing.
            pub fn into_owned(self) -> $name<'static> {
                let owned = |(key, value): (Cow<'a, str>, $value)| -> (Cow<'static, str>, $static) {
                    (Cow::Owned(key.into_owned()), value.into_owned().into())
                };
                $name(self.0.into_iter().map(owned).collect())
            }
        }

        impl<'a, K: Into<Cow<'a, str>>, V: Into<$value>> Extend<(K, V)> for $name<'a> {
            fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
                for (key, value) in entries {
                    self.set(key, value);
                }
            }
        }

        impl<'a, K: Into<Cow<'a, str>>, V: Into<$value>> FromIterator<(K, V)> for $name<'a> {
            fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
                let mut all = Self::new();
                all.extend(entries);
                all
            }
        }
    };
}

entries! {
    /// What a span says about itself: keys from Sentry's conventions, such as `http.request.method`, to
    /// values.
    ///
    /// Sentry SDK specification, *Event Payloads*, `data` of a span and of the trace context.
    ///
    /// ```
    /// use sentrace_protocol::Data;
    ///
    /// let mut data = Data::new();
    /// data.set("http.response.status_code", 500);
    /// data.set("http.response.status_code", 200);
    /// assert_eq!(serde_json::to_string(&data)?, r#"{"http.response.status_code":200}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Data, Value<'a>, Value<'static>
}

entries! {
    /// Short texts that one can search by. Keys and values are cut at 200 characters when they are written.
    ///
    /// Sentry SDK specification, *Event Payloads*, `tags`.
    ///
    /// ```
    /// use sentrace_protocol::Tags;
    ///
    /// let tags: Tags = [("plan", "gold")].into_iter().collect();
    /// assert_eq!(tags.get("plan").map(|plan| &**plan), Some("gold"));
    /// ```
    Tags, Cow<'a, str>, Cow<'static, str>
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (cut(key), cut(value))))
    }
}

fn cut(text: &str) -> &str {
    if text.len() <= MAX_TAG_CHARS {
        return text;
    }
    text.char_indices().nth(MAX_TAG_CHARS).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins() {
        let mut data: Data<'_> = [("a", 1), ("b", 2), ("a", 3)].into_iter().collect();
        assert_eq!(serde_json::to_string(&data).unwrap(), r#"{"a":3,"b":2}"#);
        assert_eq!(data.remove("a"), Some(Value::Int(3)));
        assert_eq!((data.len(), data.get("a")), (1, None));
    }

    #[test]
    fn tags_are_cut_at_200_characters() {
        let rows = [
            ("x".repeat(200), 200, "just fits"),
            ("x".repeat(201), 200, "one too many"),
            ("é".repeat(200), 200, "characters count, not bytes"),
            ("é".repeat(300), 200, "cut between characters"),
        ];
        for (text, chars, reason) in rows {
            let tags: Tags<'_> = [(&text, &text)].into_iter().collect();
            let json = serde_json::to_value(tags.into_owned()).unwrap();
            let (key, value) = json.as_object().unwrap().iter().next().unwrap();
            assert_eq!(key.chars().count(), chars, "key: {reason}");
            assert_eq!(value.as_str().unwrap().chars().count(), chars, "value: {reason}");
        }
    }
}
