//! Names of streamed spans: those that code gave, and those that follow from attributes.

use std::borrow::Cow;

use sentrace_protocol::span_name::span_name;
use sentrace_protocol::{Data, TransactionSource, Value, sensitive};

use super::{DataEntry, Record, RecordedValue, Slot, SpanRecord};

/// Attributes of a span that is about to start.
pub(crate) trait Attributes {
    fn attribute(&self, key: &str) -> Option<Value<'_>>;
}

/// The op that a streamed span has for one of ours: the conventions know no frameworks, and tell sides apart by `sentry.kind`.
///
/// `origin` says whether the op is ours.
pub(crate) fn streamed_op<'a>(op: &'a str, origin: &str) -> &'a str {
    match (origin, op) {
        ("auto.tracing", "message") => "queue",
        ("manual" | "auto.tracing", op) => op,
        (_, "grpc.server" | "grpc.client") => "grpc",
        (_, "middleware.tower") => "middleware",
        (_, "websocket.server") => "websocket",
        (_, op) => op,
    }
}

/// The name of a streamed span that an adapter named, or `None` if the conventions have none for its op.
pub(crate) fn derived_name<'a>(op: &str, attribute: impl Fn(&str) -> Option<Cow<'a, str>>) -> Option<String> {
    let is_query = || attribute("db.query.text").is_some();
    span_name(op, &attribute).or_else(|| is_query().then(|| span_name("db", &attribute))?)
}

impl Record {
    /// The transaction's name in stream mode, as it is now.
    pub(crate) fn streamed_name(&self) -> Cow<'_, str> {
        let derived = self.spans.first().filter(|span| span.derives_name).and_then(|span| {
            let op = streamed_op(self.arena.get(span.op), self.arena.get(span.origin));
            derived_name(op, |key| self.own_attribute(key))
        });
        derived.map_or_else(|| self.name(), Cow::Owned)
    }

    /// The same without secrets.
    pub(crate) fn shown_streamed_name(&self) -> Cow<'_, str> {
        self.shown_as_name(self.streamed_name())
    }

    /// The name of a streamed span below the transaction; `attributes` are all that it has.
    pub(super) fn streamed_child_name(&self, span: &SpanRecord, attributes: &Data<'_>) -> Cow<'_, str> {
        let op = self.arena.get(span.op);
        let derived = span.derives_name.then(|| {
            derived_name(streamed_op(op, self.arena.get(span.origin)), |key| {
                text_of(attributes.get(key)?.clone())
            })
        });
        let description = self.shown(span.description);
        match derived.flatten() {
            Some(name) => match sensitive::filter_text(&name) {
                Cow::Owned(filtered) => Cow::Owned(filtered),
                Cow::Borrowed(_) => Cow::Owned(name),
            },
            None if description.is_empty() => Cow::Borrowed(op),
            None => description,
        }
    }

    /// An attribute of the transaction's own span, of those that names are made of.
    fn own_attribute(&self, key: &str) -> Option<Cow<'_, str>> {
        // A client has chosen what is named by the URL; so it has the method of a call that no service has served.
        let is_chosen_by_client = match key {
            "http.route" => self.source == TransactionSource::Url,
            "rpc.method" => self.source != TransactionSource::Route || !self.is_named_by_one_text(),
            _ => false,
        };
        if is_chosen_by_client {
            return None;
        }
        let is_own = |entry: &&DataEntry| entry.slot == Slot::ROOT && self.arena.get(entry.key) == key;
        match self.data.iter().rev().find(is_own) {
            Some(entry) => match &entry.value {
                RecordedValue::Text(text) => Some(Cow::Borrowed(self.arena.get(*text))),
                RecordedValue::Int(value) => Some(Cow::Owned(value.to_string())),
                _ => None,
            },
            None => match key {
                "http.request.method" => Some(Cow::Borrowed(self.arena.get(self.request.method))),
                "http.route" => Some(Cow::Borrowed(self.arena.get(self.request.route))),
                _ => None,
            },
        }
    }

    /// Whether it is named by the path of a call of gRPC, and not by method and route.
    fn is_named_by_one_text(&self) -> bool {
        self.arena.get(self.name.method).is_empty()
    }
}

/// A value as it stands in a name.
pub(crate) fn text_of(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value {
        Value::Str(text) => Some(text),
        Value::Int(value) => Some(Cow::Owned(value.to_string())),
        _ => None,
    }
}
