//! The dynamic sampling context: what a trace's head tells every service and Sentry about the trace.

use std::borrow::Cow;

use serde::ser::{Serialize, Serializer};

use crate::baggage::{self, MAX_BYTES, MAX_MEMBERS, PREFIX};

/// What the head of a trace says about it: `trace_id`, `public_key`, `sample_rate` and more, all as text.
///
/// It travels as the `sentry-` members of `baggage` and goes to Sentry as the `trace` header of an envelope,
/// there as a JSON map with the same keys. Keys are unique and in order; there are at most 64.
///
/// Sentry SDK specification, *Dynamic Sampling Context*.
///
/// ```
/// use sentrace_protocol::DynamicSamplingContext;
///
/// let context = DynamicSamplingContext::from_baggage("other=1,sentry-release=shop%401.4.0,sentry-sampled=true");
/// assert_eq!(context.get("release"), Some("shop@1.4.0"));
/// assert_eq!(serde_json::to_string(&context)?, r#"{"release":"shop@1.4.0","sampled":"true"}"#);
/// assert_eq!(context.to_baggage(), "sentry-release=shop%401.4.0,sentry-sampled=true");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DynamicSamplingContext {
    members: Vec<(String, String)>,
}

impl DynamicSamplingContext {
    /// An empty one, which is what a trace has whose head sent `sentry-trace` without baggage.
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Reads Sentry's members of a `baggage` header. Of two with the same key the last wins; what is not
    /// percent-encoded UTF-8 is passed over.
    pub fn from_baggage(header: &str) -> Self {
        let mut context = Self::new();
        for (key, value) in baggage::sentry_members(header) {
            if let (Some(key), Some(value)) = (baggage::decode(key), baggage::decode(value)) {
                context.set(key, value);
            }
        }
        context
    }

    /// Sets a member; one with the same key is replaced in its place. Empty keys, and keys beyond the 64th,
    /// are ignored.
    pub fn set<'a>(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let (key, value) = (key.into(), value.into());
        let full = self.members.len() >= MAX_MEMBERS;
        match self.members.iter_mut().find(|(old, _)| *old == key) {
            Some((_, old)) => *old = value.into_owned(),
            None if key.is_empty() || full => {}
            None => self.members.push((key.into_owned(), value.into_owned())),
        }
    }

    /// The value of a member, decoded. The key is without `sentry-`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.members.iter().find(|(old, _)| old == key).map(|(_, value)| &**value)
    }

    /// All members in order, decoded.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members for a `baggage` header, percent-encoded. A member with which it would pass 8,192 bytes is
    /// left out.
    pub fn to_baggage(&self) -> String {
        let mut header = String::new();
        for (key, value) in self.iter() {
            let before = header.len();
            if before > 0 {
                header.push(',');
            }
            header.push_str(PREFIX);
            baggage::encode_into(key, &mut header);
            header.push('=');
            baggage::encode_into(value, &mut header);
            if header.len() > MAX_BYTES {
                header.truncate(before);
            }
        }
        header
    }
}

impl<'a, K: Into<Cow<'a, str>>, V: Into<Cow<'a, str>>> FromIterator<(K, V)> for DynamicSamplingContext {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut context = Self::new();
        for (key, value) in members {
            context.set(key, value);
        }
        context
    }
}

impl Serialize for DynamicSamplingContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_decodable_sentry_members_become_the_context() {
        type Members<'a> = &'a [(&'a str, &'a str)];
        let rows: [(&str, Members<'_>, &str); 7] = [
            ("", &[], "no header"),
            ("other=1", &[], "another tool's"),
            ("sentry-b=2, sentry-a=1", &[("b", "2"), ("a", "1")], "in order"),
            ("sentry-a=1,sentry-b=2,sentry-a=3", &[("a", "3"), ("b", "2")], "the last of two wins"),
            ("sentry-a=%,sentry-%zz=1,sentry-b=2", &[("b", "2")], "what cannot be decoded is passed over"),
            ("sentry-=1,sentry-b=", &[("b", "")], "a key is needed, a value is not"),
            ("sentry-a=x%3By;p=1", &[("a", "x;y")], "properties go, encoded semicolons stay"),
        ];
        for (header, members, reason) in rows {
            let context = DynamicSamplingContext::from_baggage(header);
            assert_eq!(context.iter().collect::<Vec<_>>(), members, "{reason}");
        }
    }

    #[test]
    fn a_context_stays_within_64_members_and_8192_bytes() {
        let many = (0..1000).map(|i| format!("sentry-k{i}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(DynamicSamplingContext::from_baggage(&many).iter().count(), MAX_MEMBERS);

        let context: DynamicSamplingContext =
            [("a", "1"), ("large", &"x".repeat(MAX_BYTES)), ("b", "2")].into_iter().collect();
        assert_eq!(context.to_baggage(), "sentry-a=1,sentry-b=2");
    }

    proptest! {
        #[test]
        fn reading_what_was_written_is_identity(
            members in proptest::collection::btree_map("\\PC{1,10}", any::<String>(), 0..8)
        ) {
            let context: DynamicSamplingContext = members.into_iter().collect();
            let header = context.to_baggage();
            prop_assume!(header.len() < MAX_BYTES / 2);
            prop_assert_eq!(DynamicSamplingContext::from_baggage(&header), context);
        }

        #[test]
        fn arbitrary_text_never_panics(header in any::<String>(), near in "(sentry-[a%=;, ]{0,9}[,=]){0,5}") {
            let _ = DynamicSamplingContext::from_baggage(&header).to_baggage();
            let _ = DynamicSamplingContext::from_baggage(&near).to_baggage();
        }
    }
}
