//! Links from a span to spans of the same or other traces.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::attributes::Attributes;
use crate::{Carrier, Data, SentryTrace, SpanId, TraceId, Value, sentry_trace};

/// Key and values of the attribute that says what a link means (sentry-conventions). Other values are allowed.
pub mod link_type {
    /// The key.
    pub const KEY: &str = "sentry.link.type";
    /// The linked span is the root of the trace that came before.
    pub const PREVIOUS_TRACE: &str = "previous_trace";
    /// The linked span wrote the value that was found in a cache.
    pub const CACHE_ORIGIN: &str = "cache_origin";
    /// The linked span published the message that is processed.
    pub const MESSAGE_ORIGIN: &str = "message_origin";
    /// The linked span is that of the server which rendered the document.
    pub const SERVER_REQUEST: &str = "server_request";
}

/// A link from a span to another one, often in another trace: to the producer of a message in a batch, to the writer of a
/// cached value.
///
/// Sentry SDK specification, *Span Links* 1.0.
///
/// ```
/// use sentrace_protocol::{SpanLink, link_type};
///
/// let message = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
/// let link = SpanLink::from_carrier(&message).unwrap().link_type(link_type::MESSAGE_ORIGIN).attribute("attempt", 2);
/// assert!(link.sampled);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SpanLink<'a> {
    /// The trace of the linked span.
    pub trace_id: TraceId,
    /// The linked span.
    pub span_id: SpanId,
    /// Whether the linked span is sampled; `false` if that is not known.
    pub sampled: bool,
    /// What the link says about itself.
    pub attributes: Data<'a>,
}

impl<'a> SpanLink<'a> {
    /// Creates a link to the span that `sentry-trace` names.
    pub fn new(linked: SentryTrace) -> Self {
        let SentryTrace { trace_id, span_id, sampled } = linked;
        Self { trace_id, span_id, sampled: sampled.unwrap_or(false), attributes: Data::new() }
    }

    /// Creates a link to the span that a message, a request or a cached value carries in `sentry-trace`. Returns `None`
    /// if it carries none, or one without a span id.
    pub fn from_carrier(carrier: &(impl Carrier + ?Sized)) -> Option<Self> {
        let mut linked = None;
        carrier.get_all(sentry_trace::HEADER, &mut |value| {
            linked = linked.or_else(|| SentryTrace::parse_opt(value));
        });
        linked.map(Self::new)
    }

    /// Says what the link means: one of [`link_type`], or a text of your own.
    #[must_use]
    pub fn link_type(self, link_type: impl Into<Cow<'a, str>>) -> Self {
        self.attribute(link_type::KEY, link_type.into())
    }

    /// Sets an attribute of the link.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        self.attributes.set(key, value);
        self
    }

    /// The same link, borrowing from nothing.
    pub fn into_owned(self) -> SpanLink<'static> {
        let Self { trace_id, span_id, sampled, attributes } = self;
        SpanLink { trace_id, span_id, sampled, attributes: attributes.into_owned() }
    }

    /// No less than its JSON takes.
    pub(crate) fn most_bytes(&self) -> usize {
        const ESCAPED: usize = 6;
        const FIXED: usize = 256;
        const ENTRY: usize = 64;
        let one = |(key, value): (&str, &Value<'_>)| {
            ENTRY + ESCAPED * (key.len() + value.texts().map(|text| text.len() + 1).sum::<usize>())
        };
        FIXED + self.attributes.iter().map(one).sum::<usize>()
    }
}

/// The same links, borrowing from nothing.
pub(crate) fn into_owned(links: Vec<SpanLink<'_>>) -> Vec<SpanLink<'static>> {
    links.into_iter().map(SpanLink::into_owned).collect()
}

/// The links of a static span: attributes are plain values.
pub(crate) struct PlainLinks<'s, 'a>(pub(crate) &'s [SpanLink<'a>]);

/// The links of a streamed span: attributes say their types.
pub(crate) struct TypedLinks<'s, 'a>(pub(crate) &'s [SpanLink<'a>]);

impl Serialize for PlainLinks<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|link| Written {
            link,
            attributes: Some(&link.attributes).filter(|attributes| !attributes.is_empty()),
        }))
    }
}

impl Serialize for TypedLinks<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let typed = |link| Written { link, attributes: Some(Attributes(&link.attributes)) };
        serializer.collect_seq(self.0.iter().map(typed))
    }
}

struct Written<'s, 'a, A> {
    link: &'s SpanLink<'a>,
    attributes: Option<A>,
}

impl<A: Serialize> Serialize for Written<'_, '_, A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("span_id", &self.link.span_id)?;
        map.serialize_entry("trace_id", &self.link.trace_id)?;
        map.serialize_entry("sampled", &self.link.sampled)?;
        if let Some(attributes) = &self.attributes {
            map.serialize_entry("attributes", attributes)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn carried(value: &str) -> Option<SpanLink<'static>> {
        SpanLink::from_carrier(&[("sentry-trace", value)])
    }

    #[test]
    fn attributes_are_typed_in_streamed_spans_and_plain_in_static_ones() {
        let first = carried(&format!("{TRACE}-53995c3f42cd8ad8-1")).unwrap();
        let links = [
            first.link_type(link_type::PREVIOUS_TRACE).attribute("n", 2),
            carried(&format!("{TRACE}-53995c3f42cd8ad9-0")).unwrap(),
        ];
        let typed = json!([
            {"span_id": "53995c3f42cd8ad8", "trace_id": TRACE, "sampled": true, "attributes": {
                "sentry.link.type": {"type": "string", "value": "previous_trace"},
                "n": {"type": "integer", "value": 2},
            }},
            {"span_id": "53995c3f42cd8ad9", "trace_id": TRACE, "sampled": false, "attributes": {}},
        ]);
        assert_eq!(
            serde_json::to_value(TypedLinks(&links)).unwrap(),
            typed,
            "vector 80, as JavaScript sends it"
        );
        let plain = json!([
            {"span_id": "53995c3f42cd8ad8", "trace_id": TRACE, "sampled": true,
             "attributes": {"sentry.link.type": "previous_trace", "n": 2}},
            {"span_id": "53995c3f42cd8ad9", "trace_id": TRACE, "sampled": false},
        ]);
        assert_eq!(serde_json::to_value(PlainLinks(&links)).unwrap(), plain, "vector 81");
        for link in links {
            let size = serde_json::to_vec(&TypedLinks(std::slice::from_ref(&link))).unwrap().len();
            assert!(link.most_bytes() >= size);
            assert_eq!(link.clone().into_owned(), link);
        }
    }

    #[test]
    fn a_carrier_that_names_no_span_gives_no_link() {
        let rows = [
            (format!("{TRACE}-53995c3f42cd8ad8-1"), Some(true), "sampled"),
            (format!("{TRACE}-53995c3f42cd8ad8-0"), Some(false), "not sampled"),
            (
                format!("{TRACE}-53995c3f42cd8ad8"),
                Some(false),
                "vector 88: without flag, as JavaScript sends it",
            ),
            (TRACE.to_owned(), None, "vector 88: without span id"),
            (format!("{TRACE}-0000000000000000-1"), None, "an id of zeros"),
            (String::new(), None, "empty"),
        ];
        for (value, sampled, reason) in rows {
            assert_eq!(carried(&value).map(|link| link.sampled), sampled, "{reason}");
        }
        assert_eq!(SpanLink::from_carrier(&[("baggage", "a=1")]), None, "no header");
    }
}
