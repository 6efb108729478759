//! One span on its way to Sentry, as a hook sees it.

use std::borrow::Cow;

use crate::payload::span_v2::{StreamedSpan, keys};
use crate::payload::transaction::{Data, Tags, Timestamp, TransactionPayload, TransactionSpan};
use crate::{SpanId, SpanStatus, TraceId, Value};

/// Attributes that cannot be changed: with others, Sentry would not know where the span belongs.
const FIXED: [&str; 2] = [keys::SEGMENT_ID, keys::TRACE_LIFECYCLE];

/// The payload of one span: streamed, below a transaction, or the transaction's own. It reads and changes the same in
/// all three.
///
/// Attributes are a streamed span's attributes, and a static span's data and tags. `sentry.op` and `sentry.origin` are
/// attributes in both lifecycles. Ids and times cannot be changed.
///
/// ```
/// use sentrace_protocol::{SpanPayload, SpanStatus};
///
/// fn scrub(span: &mut SpanPayload<'_, '_>) {
///     if span.op() == "db.query" {
///         span.remove_attribute("db.query.text");
///     }
///     if span.attribute("cart.empty").is_some() {
///         span.set_status(SpanStatus::FailedPrecondition);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct SpanPayload<'p, 'a>(Payload<'p, 'a>);

#[derive(Debug)]
enum Payload<'p, 'a> {
    Streamed(&'p mut StreamedSpan<'a>),
    Own(&'p mut TransactionPayload<'a>),
    Child { trace_id: TraceId, span: &'p mut TransactionSpan<'a> },
}

impl<'p, 'a> SpanPayload<'p, 'a> {
    /// Borrows a streamed span.
    pub fn of_streamed(span: &'p mut StreamedSpan<'a>) -> Self {
        Self(Payload::Streamed(span))
    }

    /// Borrows a transaction as the span that it is itself.
    pub fn of_transaction(transaction: &'p mut TransactionPayload<'a>) -> Self {
        Self(Payload::Own(transaction))
    }

    /// Borrows a span below a transaction of the trace `trace_id`.
    pub fn of_child(trace_id: TraceId, span: &'p mut TransactionSpan<'a>) -> Self {
        Self(Payload::Child { trace_id, span })
    }

    /// Returns the id of its trace.
    pub fn trace_id(&self) -> TraceId {
        match &self.0 {
            Payload::Streamed(span) => span.trace_id,
            Payload::Own(transaction) => transaction.trace.trace_id,
            Payload::Child { trace_id, .. } => *trace_id,
        }
    }

    /// Returns its id.
    pub fn span_id(&self) -> SpanId {
        match &self.0 {
            Payload::Streamed(span) => span.span_id,
            Payload::Own(transaction) => transaction.trace.span_id,
            Payload::Child { span, .. } => span.span_id,
        }
    }

    /// Returns the id of its parent.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        match &self.0 {
            Payload::Streamed(span) => span.parent_span_id,
            Payload::Own(transaction) => transaction.trace.parent_span_id,
            Payload::Child { span, .. } => span.parent_span_id,
        }
    }

    /// Returns `true` for the topmost span of its trace in this service: the transaction's own span.
    pub fn is_segment(&self) -> bool {
        match &self.0 {
            Payload::Streamed(span) => span.is_segment,
            Payload::Own(_) => true,
            Payload::Child { .. } => false,
        }
    }

    /// Returns when it started.
    pub fn start_timestamp(&self) -> Timestamp {
        match &self.0 {
            Payload::Streamed(span) => span.start_timestamp,
            Payload::Own(transaction) => transaction.start_timestamp,
            Payload::Child { span, .. } => span.start_timestamp,
        }
    }

    /// Returns when it ended.
    pub fn end_timestamp(&self) -> Timestamp {
        match &self.0 {
            Payload::Streamed(span) => span.end_timestamp,
            Payload::Own(transaction) => transaction.timestamp,
            Payload::Child { span, .. } => span.timestamp,
        }
    }

    /// Returns its name: of a streamed span and of a transaction the name, of a span below a transaction the
    /// description, or the op if it has none.
    pub fn name(&self) -> &str {
        match &self.0 {
            Payload::Streamed(span) => &span.name,
            Payload::Own(transaction) => &transaction.name,
            Payload::Child { span, .. } => span.description.as_deref().unwrap_or(&span.op),
        }
    }

    /// Sets its name. Where a transaction's name comes from stays as it is, and so does the segment's name in streamed
    /// spans below it.
    pub fn set_name(&mut self, name: impl Into<Cow<'a, str>>) {
        match &mut self.0 {
            Payload::Streamed(span) => span.name = name.into(),
            Payload::Own(transaction) => transaction.name = name.into(),
            Payload::Child { span, .. } => span.description = Some(name.into()),
        }
    }

    /// Returns its kind of work, such as `http.client`; empty if it has none.
    pub fn op(&self) -> &str {
        match &self.0 {
            Payload::Streamed(span) => text_of(span, keys::OP),
            Payload::Own(transaction) => &transaction.trace.op,
            Payload::Child { span, .. } => &span.op,
        }
    }

    /// Sets its kind of work.
    pub fn set_op(&mut self, op: impl Into<Cow<'a, str>>) {
        self.set_attribute(keys::OP, op.into());
    }

    /// Returns what made it: `manual`, or `auto` with the integration.
    pub fn origin(&self) -> &str {
        match &self.0 {
            Payload::Streamed(span) => text_of(span, keys::ORIGIN),
            Payload::Own(transaction) => &transaction.trace.origin,
            Payload::Child { span, .. } => &span.origin,
        }
    }

    /// Returns how it ended. A streamed span always has a status.
    pub fn status(&self) -> Option<SpanStatus> {
        match &self.0 {
            Payload::Streamed(span) => Some(span.status),
            Payload::Own(transaction) => transaction.trace.status,
            Payload::Child { span, .. } => span.status,
        }
    }

    /// Sets how it ended. A streamed span is `ok` or `error`; the attribute `sentry.status.message` then says which error.
    pub fn set_status(&mut self, status: SpanStatus) {
        match &mut self.0 {
            Payload::Streamed(span) => {
                span.status = status;
                if status.is_error() {
                    span.attributes.set(keys::STATUS_MESSAGE, status.as_str());
                } else {
                    span.attributes.remove(keys::STATUS_MESSAGE);
                }
            }
            Payload::Own(transaction) => transaction.trace.status = Some(status),
            Payload::Child { span, .. } => span.status = Some(status),
        }
    }

    /// Returns an attribute.
    pub fn attribute(&self, key: &str) -> Option<Value<'_>> {
        let (data, described) = self.view();
        let of_static = || match (key, described?) {
            (keys::OP, described) => Some(described.op),
            (keys::ORIGIN, described) => Some(described.origin),
            (_, described) => described.tags.get(key).map(|value| &**value),
        };
        data.get(key).map(Value::borrowed).or_else(|| of_static().map(Value::from))
    }

    /// Returns all attributes. A static span's tags come last.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let (data, described) = self.view();
        let own = described.map(|described| [(keys::OP, described.op), (keys::ORIGIN, described.origin)]);
        let tags = described.into_iter().flat_map(|described| described.tags.iter());
        let own = own.into_iter().flatten().map(|(key, value)| (key, Value::from(value)));
        let data_entries = data.iter().map(|(key, value)| (key, value.borrowed()));
        let only_tags = tags.filter(|(key, _)| data.get(key).is_none());
        own.chain(data_entries).chain(only_tags.map(|(key, value)| (key, Value::from(&**value))))
    }

    /// Sets an attribute. `sentry.segment.id` and `sentry.trace_lifecycle` keep their values.
    ///
    /// In a static span, a text replaces the tag of this key if there is one; everything else is data.
    pub fn set_attribute(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        let (key, value) = (key.into(), value.into());
        if FIXED.contains(&&*key) {
            return;
        }
        let (op, origin, data, tags) = match &mut self.0 {
            Payload::Streamed(span) => return span.attributes.set(key, value),
            Payload::Own(transaction) => {
                let trace = &mut transaction.trace;
                (&mut trace.op, &mut trace.origin, &mut trace.data, &mut transaction.tags)
            }
            Payload::Child { span, .. } => (&mut span.op, &mut span.origin, &mut span.data, &mut span.tags),
        };
        match (&*key, value) {
            (keys::OP, Value::Str(text)) => *op = text,
            (keys::ORIGIN, Value::Str(text)) => *origin = text,
            (keys::OP | keys::ORIGIN, _) => {}
            (_, Value::Str(text)) if data.get(&key).is_none() && tags.get(&key).is_some() => {
                tags.set(key, text);
            }
            (_, value) => {
                tags.remove(&key);
                data.set(key, value);
            }
        }
    }

    /// Removes an attribute. Those that a span cannot do without stay: `sentry.op`, `sentry.origin`,
    /// `sentry.segment.id`, `sentry.segment.name` and `sentry.trace_lifecycle`.
    pub fn remove_attribute(&mut self, key: &str) {
        if FIXED.contains(&key) || [keys::OP, keys::ORIGIN, keys::SEGMENT_NAME].contains(&key) {
            return;
        }
        match &mut self.0 {
            Payload::Streamed(span) => {
                span.attributes.remove(key);
            }
            Payload::Own(transaction) => {
                transaction.trace.data.remove(key);
                transaction.tags.remove(key);
            }
            Payload::Child { span, .. } => {
                span.data.remove(key);
                span.tags.remove(key);
            }
        }
    }

    /// Runs `edit`, which returns whether it succeeded; if not, all is as it was before.
    pub fn edit_or_restore(&mut self, edit: impl FnOnce(&mut Self) -> bool) {
        // Children of a transaction are payloads of their own, so they are not copied with it.
        let restore = match &self.0 {
            Payload::Streamed(span) => Before::Streamed((*span).clone()),
            Payload::Own(transaction) => {
                Before::Own(transaction.name.clone(), transaction.trace.clone(), transaction.tags.clone())
            }
            Payload::Child { span, .. } => Before::Child((*span).clone()),
        };
        if edit(self) {
            return;
        }
        match (&mut self.0, restore) {
            (Payload::Streamed(span), Before::Streamed(before)) => **span = before,
            (Payload::Own(transaction), Before::Own(name, trace, tags)) => {
                transaction.name = name;
                transaction.trace = trace;
                transaction.tags = tags;
            }
            (Payload::Child { span, .. }, Before::Child(before)) => **span = before,
            _ => {}
        }
    }

    /// Returns the data, and what else describes a static span.
    fn view(&self) -> (&Data<'a>, Option<Described<'_, 'a>>) {
        match &self.0 {
            Payload::Streamed(span) => (&span.attributes, None),
            Payload::Own(transaction) => {
                let trace = &transaction.trace;
                let tags = &transaction.tags;
                (&trace.data, Some(Described { op: &trace.op, origin: &trace.origin, tags }))
            }
            Payload::Child { span, .. } => {
                (&span.data, Some(Described { op: &span.op, origin: &span.origin, tags: &span.tags }))
            }
        }
    }
}

/// What describes a static span besides its data.
#[derive(Clone, Copy)]
struct Described<'s, 'a> {
    op: &'s str,
    origin: &'s str,
    tags: &'s Tags<'a>,
}

/// A payload before a hook.
enum Before<'a> {
    Streamed(StreamedSpan<'a>),
    Own(Cow<'a, str>, crate::TraceContext<'a>, Tags<'a>),
    Child(TransactionSpan<'a>),
}

fn text_of<'s>(span: &'s StreamedSpan<'_>, key: &str) -> &'s str {
    match span.attributes.get(key) {
        Some(Value::Str(text)) => text,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::transaction::tests::{span, transaction};

    fn streamed() -> StreamedSpan<'static> {
        let span = span();
        let mut attributes = Data::new();
        attributes.set(keys::OP, span.op);
        attributes.set(keys::ORIGIN, span.origin);
        attributes.set(keys::SEGMENT_ID, "b7ad6b7169203331");
        attributes.set("cart.items", 3);
        attributes.set("plan", "gold");
        StreamedSpan {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            name: "GET inventory.internal".into(),
            status: SpanStatus::Unavailable,
            is_segment: false,
            start_timestamp: span.start_timestamp,
            end_timestamp: span.timestamp,
            attributes,
            links: Vec::new(),
        }
    }

    /// What one sees and changes in all payloads.
    fn change(mut payload: SpanPayload<'_, '_>) {
        assert_eq!(payload.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(payload.attribute("cart.items"), Some(3.into()));
        assert_eq!(payload.attribute("plan"), Some("gold".into()), "a tag is an attribute");
        assert_eq!(payload.attribute(keys::OP), Some(payload.op().into()));
        let seen: Vec<_> = payload.attributes().map(|(key, _)| key.to_owned()).collect();
        let twice = seen.iter().any(|key| seen.iter().filter(|other| *other == key).count() > 1);
        assert!(!twice && seen.iter().any(|key| key == "plan") && seen.iter().any(|key| key == keys::OP));
        payload.set_name("changed");
        payload.set_op("http");
        payload.set_status(SpanStatus::NotFound);
        payload.set_attribute("plan", "[Filtered]");
        payload.set_attribute("a", true);
        payload.set_attribute(keys::SEGMENT_ID, "0000000000000001");
        payload.remove_attribute("cart.items");
        payload.remove_attribute(keys::OP);
        payload.remove_attribute(keys::SEGMENT_ID);
        assert_eq!((payload.name(), payload.op()), ("changed", "http"));
        assert_eq!(payload.status(), Some(SpanStatus::NotFound));
        assert_eq!(payload.attribute("plan"), Some("[Filtered]".into()));
        assert_eq!((payload.attribute("a"), payload.attribute("cart.items")), (Some(true.into()), None));
    }

    #[test]
    fn a_hook_sees_and_changes_the_same_in_both_lifecycles() {
        let mut own = streamed();
        change(SpanPayload::of_streamed(&mut own));
        assert_eq!((&*own.name, own.status), ("changed", SpanStatus::NotFound));
        assert_eq!(own.attributes.get(keys::STATUS_MESSAGE), Some(&"not_found".into()));
        assert_eq!(own.attributes.get(keys::SEGMENT_ID), Some(&"b7ad6b7169203331".into()), "it is fixed");

        let (trace_id, mut child) = (own.trace_id, span());
        change(SpanPayload::of_child(trace_id, &mut child));
        assert_eq!((child.description.as_deref(), &*child.op), (Some("changed"), "http"));
        assert_eq!(child.tags.get("plan").map(|plan| &**plan), Some("[Filtered]"), "a tag stays a tag");

        let mut all = transaction("GET /orders/{id}");
        all.trace.data.set("cart.items", 3);
        all.tags.set("plan", "gold");
        change(SpanPayload::of_transaction(&mut all));
        assert_eq!((&*all.name, &*all.trace.op), ("changed", "http"));
        assert_eq!(all.trace.status, Some(SpanStatus::NotFound));
    }

    #[test]
    fn an_edit_that_fails_changes_nothing() {
        let edit = |mut payload: SpanPayload<'_, '_>| {
            payload.edit_or_restore(|payload| {
                payload.set_name("changed");
                payload.set_op("changed");
                payload.set_status(SpanStatus::Aborted);
                payload.remove_attribute("plan");
                payload.remove_attribute("cart.items");
                false
            });
        };
        let (mut own, mut child, mut all) = (streamed(), span(), transaction("GET /orders/{id}"));
        edit(SpanPayload::of_streamed(&mut own));
        edit(SpanPayload::of_child(own.trace_id, &mut child));
        edit(SpanPayload::of_transaction(&mut all));
        assert_eq!((own, child, all), (streamed(), span(), transaction("GET /orders/{id}")));
    }
}
