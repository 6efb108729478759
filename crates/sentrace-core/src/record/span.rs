//! Builds the payload of a streamed span from a record with one span. This runs on the worker.

use std::borrow::Cow;

use sentrace_protocol::span_v2::{StreamedSpan, keys};
use sentrace_protocol::{Data, SpanId, SpanStatus, Tags, sensitive};

use super::derived::add_derived;
use super::response_headers::add_headers;
use super::span_name::streamed_op;
use super::{Anchor, Record, SDK, Slot};
use crate::record::identity::Identity;
use crate::util::clock::FastInstant;

/// What a span contains of its transaction.
pub(crate) struct SegmentName<'a> {
    pub(crate) name: &'a str,
    pub(crate) span_id: SpanId,
}

impl Record {
    /// Returns the payload of the record's first span, borrowed from it, or `None` for a record
    /// without a span.
    pub(crate) fn span<'a>(&'a self, segment: &SegmentName<'a>, anchor: &Anchor) -> Option<StreamedSpan<'a>> {
        let span = self.spans.first()?;
        let is_segment = span.span_id == segment.span_id;
        let status = span.status.unwrap_or(SpanStatus::Ok);
        let mut attributes = Data::new();
        describe_service(self.identity, &mut attributes);
        let (op, origin) = (self.arena.get(span.op), self.arena.get(span.origin));
        set(&mut attributes, keys::OP, streamed_op(op, origin));
        set(&mut attributes, keys::ORIGIN, origin);
        if status.is_error() {
            set(&mut attributes, keys::STATUS_MESSAGE, status.as_str());
        }
        if is_segment {
            set(&mut attributes, keys::SEGMENT_NAME_SOURCE, self.source.as_str());
            self.describe_request(span, anchor, &mut attributes);
            self.describe_headers(&mut attributes);
            self.describe_response_headers(&mut attributes);
        }
        self.add_entries(&mut attributes);
        if self.is_of_adapter(span) {
            add_derived(op, &mut attributes);
        }
        let name =
            if is_segment { self.shown_streamed_name() } else { self.streamed_child_name(span, &attributes) };
        let is_job = is_segment && !self.request.is_some() && self.shown_name() != name;
        if is_job && attributes.get(keys::DESCRIPTION).is_none() {
            // The job's own name, which says more than that of its queue.
            attributes.set(keys::DESCRIPTION, self.shown_name());
        }
        self.add_scope_attributes(span.end.unwrap_or(span.start), &mut attributes);
        // Set last, so that no user data hides what Sentry requires.
        set(&mut attributes, keys::TRACE_LIFECYCLE, "stream");
        if !segment.name.is_empty() {
            attributes.set(keys::SEGMENT_NAME, sensitive::filter_text(segment.name));
        }
        attributes.set(keys::SEGMENT_ID, segment.span_id.to_string());
        let mut streamed = StreamedSpan::new(self.trace_id, span.span_id, named(name));
        streamed.parent_span_id = span.parent_span_id;
        streamed.status = status;
        streamed.is_segment = is_segment;
        streamed.start_timestamp = anchor.timestamp(span.start);
        streamed.end_timestamp = anchor.timestamp(span.end.unwrap_or(span.start));
        streamed.attributes = attributes;
        streamed.links = self.links(Slot::ROOT);
        Some(streamed)
    }

    /// Adds header fields as arrays with one element per value (Sentry SDK specification, *Spans*
    /// 1.0).
    fn describe_headers<'a>(&'a self, attributes: &mut Data<'a>) {
        add_headers("http.request.header.", self.request.headers.iter(), attributes);
    }

    /// Adds what scopes hold, and the user, unless the span has the attribute itself.
    fn add_scope_attributes<'a>(&'a self, end: FastInstant, attributes: &mut Data<'a>) {
        for scope in self.scopes() {
            scope.fill(attributes, end);
        }
        let Some(user) = self.user_at(end) else { return };
        let texts = [("user.id", user.id), ("user.email", user.email), ("user.name", user.username)];
        let address = user.ip_address.map(|address| Cow::Owned(address.to_string()));
        for (key, value) in texts.into_iter().chain([("user.ip_address", address)]) {
            if let Some(value) = value.filter(|_| attributes.get(key).is_none()) {
                attributes.set(key, value);
            }
        }
    }

    /// Adds data and tags. They share one namespace, and data takes precedence.
    fn add_entries<'a>(&'a self, attributes: &mut Data<'a>) {
        for entry in self.data.iter().filter(|entry| entry.slot == Slot::ROOT) {
            let key = self.arena.get(entry.key);
            if self.may_send(entry.slot, key) {
                attributes.set(key, self.value(key, &entry.value));
            }
        }
        let mut tags = Tags::new();
        for entry in self.tags.iter().filter(|entry| entry.slot == Slot::ROOT) {
            let key = self.arena.get(entry.key);
            if attributes.get(key).is_none() {
                tags.set(key, self.shown(entry.value));
            }
        }
        for (key, value) in tags.into_entries() {
            attributes.set(key, value);
        }
    }
}

/// Adds what all spans of a service have in common.
fn describe_service<'a>(identity: &'a Identity, attributes: &mut Data<'a>) {
    set(attributes, keys::RELEASE, identity.release.as_deref().unwrap_or_default());
    set(attributes, keys::ENVIRONMENT, &identity.environment);
    set(attributes, keys::PLATFORM, "rust");
    attributes.set(keys::SDK_NAME, SDK.name);
    attributes.set(keys::SDK_VERSION, SDK.version);
    set(attributes, "os.name", std::env::consts::OS);
    set(attributes, "server.address", identity.server_name.as_deref().unwrap_or_default());
}

fn set<'a>(attributes: &mut Data<'a>, key: &'static str, value: &'a str) {
    if !value.is_empty() {
        attributes.set(key, value);
    }
}

/// Names are required.
fn named(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.is_empty() { Cow::Borrowed("<unlabeled span>") } else { name }
}
