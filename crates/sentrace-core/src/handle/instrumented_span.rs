//! Spans that adapters start.

use std::borrow::Cow;
use std::time::Instant;

use sentrace_protocol::Value;

use crate::decide::ignore::StartAttributes;
use crate::handle::span::{Span, SpanRef};
use crate::record::Text;
use crate::record::span_name::Attributes;
use crate::util::clock::FastInstant;

/// A span that an adapter starts, with what is known of it by then.
///
/// An adapter sets attributes. In stream mode the span is named by them, as the table of
/// [`span_name`](sentrace_protocol::span_name) has it; `description` is for the other mode.
///
/// ```
/// use sentrace_core::adapter::InstrumentedSpan;
///
/// let attributes = [("db.system.name", "redis".into()), ("db.operation.name", "GET".into())];
/// let get = InstrumentedSpan::new("db", "auto.db.mine", "GET cart");
/// InstrumentedSpan { attributes: &attributes, ..get }.start(&sentrace_core::current_span()).finish();
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is recorded before `start`"]
pub struct InstrumentedSpan<'a> {
    /// The kind of work.
    pub op: &'static str,
    /// Which code makes the span, as [`SpanRef::set_origin`] has it.
    pub origin: &'static str,
    /// The description in static mode.
    pub description: &'a str,
    /// The name that code gave the span, which it has in both modes.
    pub name: Option<&'a str>,
    /// The first values of its data.
    pub attributes: &'a [(&'static str, Value<'a>)],
    /// When it began, if that was before it starts.
    pub start: Option<Instant>,
}

impl<'a> InstrumentedSpan<'a> {
    /// A span without attributes that starts now.
    pub const fn new(op: &'static str, origin: &'static str, description: &'a str) -> Self {
        Self { op, origin, description, name: None, attributes: &[], start: None }
    }

    /// Starts the span below `parent`.
    pub fn start(&self, parent: &SpanRef) -> Span {
        let description = self.name.unwrap_or(self.description);
        let known = StartAttributes { of: self, origin: self.origin, derives_name: self.name.is_none() };
        Span(parent.start_child_with(Cow::Borrowed(self.op), description, Some(known), |record, slot| {
            if let Some(span) = slot.of_mut(&mut record.spans) {
                span.origin = Text::Literal(self.origin);
                span.derives_name = self.name.is_none();
                span.start = self.start.map_or(span.start, FastInstant::of);
            }
            for (key, value) in self.attributes {
                record.set_data(slot, Cow::Borrowed(key), value.clone());
            }
        }))
    }
}

impl Attributes for InstrumentedSpan<'_> {
    fn attribute(&self, key: &str) -> Option<Value<'_>> {
        self.attributes.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone())
    }
}
