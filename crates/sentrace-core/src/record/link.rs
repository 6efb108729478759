//! Links of spans to other spans, bounded in number and size.

use std::borrow::Cow;

use sentrace_protocol::{Data, SpanLink, Value};

use super::scope::shown_value;
use super::{Record, Slot};
use crate::util::text::cut;

/// Links of one span, as many as OpenTelemetry's SDKs keep.
const MAX_LINKS_OF_SPAN: usize = 128;
/// Links of one record.
const MAX_LINKS: usize = 1024;
/// Attributes of one link.
const MAX_ATTRIBUTES: usize = 16;
/// Longest key and longest text of an attribute, in bytes.
const MAX_TEXT: usize = 256;
/// Bytes of all texts of a record's links.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct LinkEntry {
    slot: Slot,
    link: SpanLink<'static>,
}

impl Record {
    /// Adds a link to a span. One that does not fit is counted as cut, as data are.
    #[cold]
    pub(crate) fn add_link(&mut self, slot: Slot, link: SpanLink<'_>) {
        let (link, mut left_out) = bounded(link);
        let rare = self.rare.get_or_insert_default();
        let bytes = bytes_of(&link.attributes);
        let of_span = rare.links.iter().filter(|entry| entry.slot == slot).count();
        if of_span < MAX_LINKS_OF_SPAN && rare.links.len() < MAX_LINKS && rare.link_bytes + bytes <= MAX_BYTES
        {
            rare.link_bytes += bytes;
            rare.links.push(LinkEntry { slot, link });
        } else {
            left_out = 1;
        }
        self.leave_out(left_out);
    }

    /// Returns the links of a span as they are sent: without the secrets that can be recognised.
    pub(super) fn links(&self, slot: Slot) -> Vec<SpanLink<'_>> {
        let of_slot = self.all_links().filter(|(of, _)| *of == slot);
        of_slot.map(|(_, link)| link).collect()
    }

    /// Returns all links as they are sent, in the order of their adding.
    pub(super) fn all_links(&self) -> impl Iterator<Item = (Slot, SpanLink<'_>)> {
        let entries = self.rare.as_deref().map_or(&[][..], |rare| &rare.links);
        entries.iter().map(|LinkEntry { slot, link }| {
            let attributes = link.attributes.iter().map(|(key, value)| (key, shown_value(key, value)));
            (*slot, SpanLink { attributes: attributes.collect(), ..*link })
        })
    }
}

/// The link within the limits of one, and how many attributes that left out.
fn bounded(link: SpanLink<'_>) -> (SpanLink<'static>, u32) {
    let SpanLink { trace_id, span_id, sampled, attributes } = link;
    let left_out = attributes.len().saturating_sub(MAX_ATTRIBUTES);
    let short = |text: Cow<'_, str>| -> Cow<'static, str> { Cow::Owned(cut(&text, MAX_TEXT).to_owned()) };
    let mut kept = Data::new();
    for (key, value) in attributes.into_entries().take(MAX_ATTRIBUTES) {
        let value = match value {
            Value::Str(text) => Value::Str(short(text)),
            Value::Strs(texts) => Value::Strs(texts.into_iter().take(MAX_ATTRIBUTES).map(short).collect()),
            other => other.into_owned(),
        };
        kept.set(short(key), value);
    }
    (SpanLink { trace_id, span_id, sampled, attributes: kept }, u32::try_from(left_out).unwrap_or(u32::MAX))
}

fn bytes_of(attributes: &Data<'_>) -> usize {
    let of_value = |value: &Value<'_>| match value {
        Value::Str(text) => text.len(),
        Value::Strs(texts) => texts.iter().map(|text| text.len()).sum(),
        _ => 0,
    };
    attributes.iter().map(|(key, value)| key.len() + of_value(value)).sum()
}
