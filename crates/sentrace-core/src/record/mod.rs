//! What one transaction leaves behind: compact, owned, reusable, free of any HTTP library's types.

mod call;
mod compact;
mod headers;
mod payload;
pub(crate) mod pool;
mod queue_time;
mod request;
mod route;
mod span;
mod tag;
mod text;

use std::borrow::Cow;

use sentrace_protocol::{EventId, SpanId, SpanStatus, TraceId, TransactionSource, Value};

use crate::baggage::Baggage;
use crate::moment::Moment;
use crate::pipeline::Identity;

pub use self::headers::HeaderRecorder;
pub(crate) use self::payload::{Anchor, SDK};
pub(crate) use self::request::{Held, RequestRecord};
pub(crate) use self::tag::acceptable_tag;
pub(crate) use self::text::{Arena, Text, cut, cut_chars};

/// Entries of data and tags that a record may hold.
const MAX_ENTRIES: usize = 16 * 1024;
/// Elements that a recycled record keeps room for.
const KEPT_ELEMENTS: usize = 64;

/// Texts of one value that are kept.
const MAX_ELEMENTS: usize = 1024;

/// Where a span stands in its record; the transaction's own span is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slot(u32);

impl Slot {
    pub(crate) const ROOT: Self = Self(0);
    /// Of a streamed span, which is the first of a record of its own.
    pub(crate) const OWN_RECORD: Self = Self(u32::MAX);

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
    /// Who reports.
    pub(crate) identity: &'static Identity,
    pub(crate) name: Name,
    pub(crate) source: TransactionSource,
    pub(crate) spans: Vec<SpanRecord>,
    pub(crate) data: Vec<DataEntry>,
    pub(crate) tags: Vec<TagEntry>,
    pub(crate) request: RequestRecord,
    pub(crate) response_status: Option<u16>,
    /// Bytes of body.
    pub(crate) response_size: Option<u64>,
    pub(crate) first_byte: Option<Moment>,
    /// The frozen dynamic sampling context, as it goes out.
    pub(crate) baggage: Baggage,
    compacted_in_vain: bool,
}

/// `GET /users/{id}` as its two parts, put together by whoever writes it.
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
    pub(crate) status: Option<SpanStatus>,
    /// Whether it has no status if none is set.
    pub(crate) status_open: bool,
    pub(crate) start: Moment,
    pub(crate) end: Option<Moment>,
    /// Whether its end may not have been one.
    pub(crate) may_go_on: bool,
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
            baggage: Baggage::default(),
            compacted_in_vain: false,
        }
    }

    /// Makes a used record as good as new but for whose it is; buffers are kept unless they have grown large.
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
        self.compacted_in_vain = false;
    }

    /// Adds a span; the caller bounds how many.
    pub(crate) fn push_span(&mut self, span: SpanRecord) -> Option<Slot> {
        let slot = Slot(u32::try_from(self.spans.len()).ok()?);
        self.spans.push(span);
        Some(slot)
    }

    pub(crate) fn set_data(&mut self, slot: Slot, key: Cow<'static, str>, value: Value<'_>) {
        // A number under a literal key takes no bytes of a full buffer.
        let weightless =
            || !matches!(value, Value::Str(_) | Value::Strs(_)) && matches!(key, Cow::Borrowed(_));
        let fits = self.has_room() || (self.data.len() < MAX_ENTRIES && weightless());
        if !fits {
            return;
        }
        let key = self.arena.keep(key);
        let value = match value {
            Value::Bool(value) => RecordedValue::Bool(value),
            Value::Int(value) => RecordedValue::Int(value),
            Value::Float(value) => RecordedValue::Float(value),
            Value::Str(value) => RecordedValue::Text(self.arena.copy(&value)),
            Value::Strs(values) => {
                let texts = values.iter().take(MAX_ELEMENTS).map(|value| self.arena.copy(value));
                RecordedValue::Texts(texts.collect())
            }
            other => RecordedValue::Other(Box::new(other.into_owned())),
        };
        self.data.push(DataEntry { slot, key, value });
    }

    pub(crate) fn set_tag(&mut self, slot: Slot, key: Cow<'static, str>, value: &str) {
        if !self.has_room() {
            return;
        }
        let (key, value) = (self.arena.keep(key), self.arena.copy(value));
        self.tags.push(TagEntry { slot, key, value });
    }

    /// `method` is one that may stand in names.
    pub(crate) fn set_name(&mut self, method: &'static str, rest: &str, source: TransactionSource) {
        let Some(rest) = self.arena.copy_important(rest) else { return };
        self.name = Name { method: Text::Literal(method), rest };
        self.source = source;
    }

    /// The transaction's name: `GET /users/{id}`, or one text where there is no method.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        full_name((self.arena.get(self.name.method), self.arena.get(self.name.rest)))
    }

    /// Spans below the transaction, finished or not.
    pub(crate) fn child_spans(&self) -> usize {
        self.spans.len().saturating_sub(1)
    }

    pub(crate) fn unfinished_spans(&self) -> usize {
        self.spans.iter().skip(1).filter(|span| span.end.is_none()).count()
    }

    /// About how many bytes the record holds in memory, used or not.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + self.arena.capacity()
            + self.baggage.capacity()
            + self.request.capacity()
            + self.spans.capacity() * size_of::<SpanRecord>()
            + self.data.capacity() * size_of::<DataEntry>()
            + self.tags.capacity() * size_of::<TagEntry>()
    }
}

/// `GET /users/{id}` of its two parts, or one text if there is no method, or no path as in `CONNECT`.
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
