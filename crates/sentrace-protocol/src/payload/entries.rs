//! Data and tags: small maps in the order of their first setting.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use serde::{Serialize, Serializer};

use crate::Value;

/// Longest tag key and tag value that Sentry takes, in characters.
pub const MAX_TAG_CHARS: usize = 200;

/// From so many entries on their keys are indexed; a search through fewer takes no longer.
const INDEXED: usize = 32;

/// Where entries are, by the hashes of their keys.
#[derive(Debug, Clone, Default)]
struct Index {
    /// Seeded for itself: keys may come from strangers.
    hasher: RandomState,
    places: HashMap<u64, usize>,
}

impl Index {
    fn of<'k>(keys: impl Iterator<Item = &'k str>) -> Box<Self> {
        let mut index = Self::default();
        for (place, key) in keys.enumerate() {
            let hash = index.hasher.hash_one(key);
            // The first of two whose hashes are the same; the other one is searched for.
            index.places.entry(hash).or_insert(place);
        }
        Box::new(index)
    }
}

macro_rules! entries {
    ($(#[$doc:meta])* $name:ident, $value:ty, $static:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name<'a> {
            all: Vec<(Cow<'a, str>, $value)>,
            /// Of many entries.
            index: Option<Box<Index>>,
        }

        impl<'a> $name<'a> {
            /// Nothing yet.
            pub const fn new() -> Self {
                Self { all: Vec::new(), index: None }
            }

            /// Nothing yet, with room for `capacity` entries.
            pub fn with_capacity(capacity: usize) -> Self {
                Self { all: Vec::with_capacity(capacity), index: None }
            }

            /// Sets an entry; one with the same key is replaced in its place. This takes the same time however many
            /// entries there are.
            pub fn set(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<$value>) {
                let (key, value) = (key.into(), value.into());
                if self.all.len() >= INDEXED && self.index.is_none() {
                    self.index = Some(Index::of(self.all.iter().map(|(key, _)| &**key)));
                }
                match self.place(&key) {
                    Some(place) => self.all[place].1 = value,
                    None => {
                        if let Some(index) = &mut self.index {
                            index.places.entry(index.hasher.hash_one(&*key)).or_insert(self.all.len());
                        }
                        self.all.push((key, value));
                    }
                }
            }

            /// The value of an entry.
            pub fn get(&self, key: &str) -> Option<&$value> {
                self.place(key).map(|place| &self.all[place].1)
            }

            /// Takes an entry out. The time that takes grows with the number of entries.
            pub fn remove(&mut self, key: &str) -> Option<$value> {
                let place = self.place(key)?;
                self.index = None;
                Some(self.all.remove(place).1)
            }

            /// Keeps the entries for which `keep` returns `true`.
            ///
            /// ```
            /// use sentrace_protocol::Tags;
            ///
            /// let mut tags: Tags = [("plan", "gold"), ("tenant", "acme")].into_iter().collect();
            /// tags.retain(|key, _| key != "tenant");
            /// assert_eq!(tags.len(), 1);
            /// ```
            pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut $value) -> bool) {
                self.index = None;
                self.all.retain_mut(|(key, value)| keep(key, value));
            }

            fn place(&self, key: &str) -> Option<usize> {
                let search = || self.all.iter().position(|(known, _)| known == key);
                let Some(index) = &self.index else { return search() };
                let place = *index.places.get(&index.hasher.hash_one(key))?;
                if self.all.get(place).is_some_and(|(known, _)| known == key) { Some(place) } else { search() }
            }

            /// Takes all entries out, in order.
            pub fn into_entries(self) -> impl Iterator<Item = (Cow<'a, str>, $value)> {
                self.all.into_iter()
            }

            /// All entries in order.
            pub fn iter(&self) -> impl Iterator<Item = (&str, &$value)> {
                self.all.iter().map(|(key, value)| (&**key, value))
            }

            /// How many entries there are.
            pub fn len(&self) -> usize {
                self.all.len()
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.all.is_empty()
            }

            /// The same entries, borrowing from nothing.
            pub fn into_owned(self) -> $name<'static> {
                let owned = |(key, value): (Cow<'a, str>, $value)| -> (Cow<'static, str>, $static) {
                    (Cow::Owned(key.into_owned()), value.into_owned().into())
                };
                $name { all: self.all.into_iter().map(owned).collect(), index: self.index }
            }
        }

        /// The same entries in the same order.
        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.all == other.all
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

impl<'a> Data<'a> {
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value<'a>> {
        self.all.iter_mut().map(|(_, value)| value)
    }
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
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_wins() {
        let mut data: Data<'_> = [("a", 1), ("b", 2), ("a", 3)].into_iter().collect();
        assert_eq!(serde_json::to_string(&data).unwrap(), r#"{"a":3,"b":2}"#);
        assert_eq!(data.remove("a"), Some(Value::Int(3)));
        assert_eq!((data.len(), data.get("a")), (1, None));
    }

    #[test]
    fn many_entries_behave_as_few_do_and_take_time_in_proportion() {
        const MANY: usize = 50_000;
        let mut data = Data::new();
        let begun = Instant::now();
        for round in 0..2 {
            for key in 0..MANY {
                data.set(format!("key.{key}"), i64::try_from(key + round).unwrap());
            }
        }
        // A search through all of them each time took minutes.
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(data.len(), MANY);
        let in_order = data.iter().enumerate().all(|(at, (key, _))| key == format!("key.{at}"));
        assert!(in_order, "in the order of their first setting");
        assert_eq!(data.get("key.7"), Some(&Value::Int(8)), "with the last value");
        assert_eq!(data.get("key"), None);

        let few = INDEXED + 2;
        let mut data: Data<'_> = (0..few).map(|key| (format!("key.{key}"), true)).collect();
        assert_eq!(data.remove("key.1"), Some(Value::Bool(true)));
        data.set("key.40", 1);
        data.set(format!("key.{}", few - 1), 2);
        data.retain(|key, _| key != "key.2");
        data.set("key.3", 3);
        let same = data.clone().into_owned();
        assert_eq!(same, data);
        assert_eq!(same.len(), few - 1);
        assert_eq!((same.get("key.3"), same.get("key.2")), (Some(&Value::Int(3)), None));
        assert_eq!(same.get(&format!("key.{}", few - 1)), Some(&Value::Int(2)));
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
