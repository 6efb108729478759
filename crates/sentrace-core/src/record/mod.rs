//! The record of one transaction: compact, owned, reusable, and free of any HTTP library's types.

mod call;
mod compact;
pub(crate) mod content;
pub(crate) mod derived;
mod flags;
mod headers;
pub(crate) mod identity;
mod link;
pub(crate) mod outgoing_request;
mod payload;
pub(crate) mod pool;
mod queue_time;
mod rare;
mod request;
mod response_headers;
mod route;
pub(crate) mod scope;
pub(crate) mod span;
pub(crate) mod span_name;
mod tag;
mod text;
mod thread;

use std::borrow::Cow;

use sentrace_protocol::{EventId, SpanId, SpanStatus, TraceId, TransactionSource, Value};

use crate::propagation::trace_baggage::TraceBaggage;
use crate::record::identity::Identity;
use crate::util::clock::FastInstant;

pub use self::headers::HeaderRecorder;
pub(crate) use self::payload::{Anchor, SDK};
use self::rare::Rare;
pub(crate) use self::request::{InternedText, RequestRecord};
pub(crate) use self::tag::acceptable_tag;
pub(crate) use self::text::{Arena, MAX_TEXT, Share, Text};

/// The origin of spans that users start themselves.
pub(crate) const MANUAL: &str = "manual";

/// Entries of data and tags that a record may hold.
const MAX_ENTRIES: usize = 16 * 1024;
/// Additional entries of the transaction itself.
const OWN_ENTRIES: usize = 4 * 1024;
/// Elements for which a recycled record keeps its buffers.
const KEPT_ELEMENTS: usize = 64;

/// Elements that are kept of a list of texts.
const MAX_ELEMENTS: usize = 1024;

/// The index of a span in its record. The transaction's own span is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) const ROOT: Self = Self(0);
    /// A streamed span, which is the first of its own record.
    pub(crate) const OWN_RECORD: Self = Self(u32::MAX);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn of_mut(self, spans: &mut [SpanRecord]) -> Option<&mut SpanRecord> {
        spans.get_mut(self.0 as usize)
    }
}

/// A transaction while it is recorded and until it is delivered.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) arena: Arena,
    pub(crate) event_id: EventId,
    pub(crate) trace_id: TraceId,
    /// The reporting service.
    pub(crate) identity: &'static Identity,
    pub(crate) name: Name,
    pub(crate) source: TransactionSource,
    pub(crate) spans: Vec<SpanRecord>,
    pub(crate) data: Vec<DataEntry>,
    pub(crate) tags: Vec<TagEntry>,
    pub(crate) request: RequestRecord,
    pub(crate) response_status: Option<u16>,
    /// Bytes of the response body.
    pub(crate) response_size: Option<u64>,
    pub(crate) first_byte: Option<FastInstant>,
    /// The frozen dynamic sampling context, as it is propagated.
    pub(crate) baggage: TraceBaggage,
    rare: Option<Box<Rare>>,
    /// Entries that did not fit.
    left_out: u32,
    /// The number of entries after the last compaction.
    cleared_to_entries: usize,
}

/// `GET /users/{id}` in two parts, which are joined when the payload is built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    pub(crate) method: Text,
    pub(crate) rest: Text,
}

#[derive(Debug)]
pub(crate) struct SpanRecord {
    pub(crate) span_id: SpanId,
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) op: Text,
    pub(crate) description: Text,
    pub(crate) origin: Text,
    /// Whether an adapter named it and not code: streamed, its name follows from its attributes.
    pub(crate) derives_name: bool,
    pub(crate) status: Option<SpanStatus>,
    /// Whether the span has no status unless one is set.
    pub(crate) status_unset: bool,
    pub(crate) start: FastInstant,
    pub(crate) end: Option<FastInstant>,
    /// `true` if the recorded end is provisional; see `SpanRef::end_provisionally`.
    pub(crate) end_is_provisional: bool,
}

#[derive(Debug)]
pub(crate) struct DataEntry {
    pub(crate) slot: Slot,
    pub(crate) key: Text,
    pub(crate) value: RecordedValue,
}

#[derive(Debug)]
pub(crate) struct TagEntry {
    pub(crate) slot: Slot,
    pub(crate) key: Text,
    pub(crate) value: Text,
}

#[derive(Debug)]
pub(crate) enum RecordedValue {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text),
    Texts(Vec<Text>),
    Other(Box<Value<'static>>),
}

impl Record {
    pub(crate) fn new(event_id: EventId, trace_id: TraceId, identity: &'static Identity) -> Self {
        Self {
            identity,
            arena: Arena::default(),
            event_id,
            trace_id,
            name: Name { method: Text::EMPTY, rest: Text::EMPTY },
            source: TransactionSource::Custom,
            spans: Vec::new(),
            data: Vec::new(),
            tags: Vec::new(),
            request: RequestRecord::default(),
            response_status: None,
            response_size: None,
            first_byte: None,
            baggage: TraceBaggage::default(),
            rare: None,
            left_out: 0,
            cleared_to_entries: 0,
        }
    }

    /// Resets a used record, except for its identity. Buffers are kept unless they have grown
    /// large.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.name = Name { method: Text::EMPTY, rest: Text::EMPTY };
        self.source = TransactionSource::Custom;
        clear(&mut self.spans);
        clear(&mut self.data);
        clear(&mut self.tags);
        self.request.clear();
        self.response_status = None;
        self.response_size = None;
        self.first_byte = None;
        self.baggage.clear();
        self.rare = None;
        self.left_out = 0;
        self.cleared_to_entries = 0;
    }

    /// Adds a span. The caller limits the number.
    pub(crate) fn push_span(&mut self, span: SpanRecord) -> Option<Slot> {
        let slot = Slot(u32::try_from(self.spans.len()).ok()?);
        self.spans.push(span);
        Some(slot)
    }

    /// Adds a span that starts now, with the origin `manual`.
    #[inline]
    pub(crate) fn start_span(
        &mut self,
        parent: SpanId,
        op: Cow<'static, str>,
        description: &str,
    ) -> Option<(SpanId, Slot)> {
        let start = FastInstant::now();
        // The transaction may have started in the parent of a forked process.
        crate::util::fork::check(start);
        let span_id = crate::propagation::ids::span_id();
        self.make_room(op.len() + description.len());
        let (op, description) =
            (self.arena.keep_for(Share::Span, op), self.arena.copy_for(Share::Span, description));
        let slot = self.push_span(SpanRecord {
            span_id,
            parent_span_id: Some(parent),
            op,
            description,
            origin: Text::Literal(MANUAL),
            derives_name: false,
            status: None,
            start,
            end: None,
            status_unset: false,
            end_is_provisional: false,
        })?;
        Some((span_id, slot))
    }

    /// Ends a span, which is sent with its transaction.
    pub(crate) fn end_span(&mut self, slot: Slot) {
        let Some(span) = slot.of_mut(&mut self.spans) else { return };
        span.end_is_provisional = false;
        if span.end.is_none() {
            span.end = Some(FastInstant::now());
            // A panic ended it.
            if std::thread::panicking() {
                span.status.get_or_insert(SpanStatus::InternalError);
            }
        }
    }

    /// Sets an entry of a span's data. Entries that do not fit are counted; the transaction's own
    /// have a reserve.
    pub(crate) fn set_data(&mut self, slot: Slot, key: Cow<'static, str>, value: Value<'_>) {
        let bytes = match &value {
            Value::Str(text) => text.len().min(MAX_TEXT),
            Value::Strs(texts) => texts.iter().take(MAX_ELEMENTS).map(|text| text.len().min(MAX_TEXT)).sum(),
            _ => 0,
        };
        let key_bytes = if let Cow::Owned(key) = &key { key.len() } else { 0 };
        self.make_room(bytes + key_bytes);
        let share = if slot == Slot::ROOT { Share::Own } else { Share::Common };
        if !self.takes(share, self.data.len(), bytes + key_bytes) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let key = self.arena.keep_for(share, key);
        let value = match value {
            Value::Bool(value) => RecordedValue::Bool(value),
            Value::Int(value) => RecordedValue::Int(value),
            Value::Float(value) => RecordedValue::Float(value),
            Value::Str(value) => RecordedValue::Text(self.arena.copy_for(share, &value)),
            Value::Strs(values) => {
                let values = values.get(..MAX_ELEMENTS).unwrap_or(&values);
                self.arena.count_elsewhere(size_of_val(values).min(size_of::<Text>() * values.len()));
                RecordedValue::Texts(values.iter().map(|value| self.arena.copy_for(share, value)).collect())
            }
            other => RecordedValue::Other(Box::new(other.into_owned())),
        };
        self.data.push(DataEntry { slot, key, value });
    }

    /// Sets a tag of a span, like [`set_data`](Self::set_data).
    pub(crate) fn set_tag(&mut self, slot: Slot, key: Cow<'static, str>, value: &str) {
        let key_bytes = if let Cow::Owned(key) = &key { key.len() } else { 0 };
        self.make_room(key_bytes + value.len());
        let share = if slot == Slot::ROOT { Share::Own } else { Share::Common };
        if !self.takes(share, self.tags.len(), key_bytes + value.len()) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let (key, value) = (self.arena.keep_for(share, key), self.arena.copy_for(share, value));
        self.tags.push(TagEntry { slot, key, value });
    }

    /// Returns `true` if one more entry of `bytes` fits besides `entries`.
    #[inline]
    fn takes(&self, share: Share, entries: usize, bytes: usize) -> bool {
        self.has_room(bytes) || self.takes_of_reserve(share, entries, bytes)
    }

    #[cold]
    fn takes_of_reserve(&self, share: Share, entries: usize, bytes: usize) -> bool {
        let is_own = share == Share::Own;
        // A number with a literal key needs no bytes of a full buffer, and a text is shortened if
        // there is some room.
        let fits = bytes == 0 || self.arena.has_room_for(1) || (is_own && self.arena.has_reserve_for(bytes));
        fits && entries < MAX_ENTRIES + if is_own { OWN_ENTRIES } else { 0 }
    }

    /// Names the transaction. `method` must be one that may be part of names.
    pub(crate) fn set_name(&mut self, method: &'static str, rest: &str, source: TransactionSource) {
        self.make_room(rest.len().min(MAX_TEXT));
        let rest = self.arena.copy_for(Share::Name, rest);
        self.name = Name { method: Text::Literal(method), rest };
        self.source = source;
    }

    /// Names the transaction as code wants it.
    pub(crate) fn rename(&mut self, name: &str, source: TransactionSource) {
        self.set_name("", name, source);
        if let Some(span) = self.spans.first_mut() {
            span.derives_name = false;
        }
    }

    /// Sets a span's op.
    pub(crate) fn set_op(&mut self, slot: Slot, op: Cow<'static, str>) {
        self.make_room(op.len().min(MAX_TEXT));
        if let Some(span) = slot.of_mut(&mut self.spans) {
            span.op = self.arena.keep_for(Share::Span, op);
        }
    }

    /// Sets a span's description.
    pub(crate) fn set_description(&mut self, slot: Slot, description: &str) {
        self.make_room(description.len().min(MAX_TEXT));
        if let Some(span) = slot.of_mut(&mut self.spans) {
            span.description = self.arena.copy_for(Share::Span, description);
        }
    }

    /// Returns how many texts were shortened, and how many entries were dropped.
    pub(crate) fn cut(&self) -> (u32, u32) {
        (self.arena.shortened(), self.left_out)
    }

    /// Counts dropped entries.
    pub(super) fn leave_out(&mut self, entries: u32) {
        self.left_out = self.left_out.saturating_add(entries);
    }

    /// Returns the transaction's name: `GET /users/{id}`, or a single text if there is no method.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        full_name((self.arena.get(self.name.method), self.arena.get(self.name.rest)))
    }

    /// Returns the number of spans below the transaction, finished or not.
    pub(crate) fn child_spans(&self) -> usize {
        self.spans.len().saturating_sub(1)
    }

    pub(crate) fn unfinished_spans(&self) -> usize {
        self.spans.iter().skip(1).filter(|span| span.end.is_none()).count()
    }

    /// Returns how many bytes the record holds in memory, used or not, approximately.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + self.arena.capacity()
            + self.baggage.capacity()
            + self.request.capacity()
            + self.rare.as_deref().map_or(0, Rare::size)
            + self.spans.capacity() * size_of::<SpanRecord>()
            + self.data.capacity() * size_of::<DataEntry>()
            + self.tags.capacity() * size_of::<TagEntry>()
    }
}

/// Joins the two parts of `GET /users/{id}`. There may be no method, or no path, as in `CONNECT`.
pub(crate) fn full_name<'a>(parts: (&'a str, &'a str)) -> Cow<'a, str> {
    match parts {
        ("", text) | (text, "") => Cow::Borrowed(text),
        (method, rest) => Cow::Owned([method, " ", rest].concat()),
    }
}

fn clear<T>(elements: &mut Vec<T>) {
    elements.clear();
    elements.shrink_to(KEPT_ELEMENTS);
}
pub(crate) mod data_collection;
pub(crate) mod oversize;
pub(crate) mod request_parts;
pub(crate) mod response_parts;
