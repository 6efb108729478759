//! The item that carries several spans.

use super::StreamedSpan;
use crate::EncodeError;

/// Most spans of one item; the server drops larger ones.
pub const MAX_ITEMS: usize = 1_000;
/// Most bytes of one item's payload. Sentry's documents name several limits for spans; this is the lowest.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Most bytes of one span, which then fits into an item of its own.
pub const MAX_SPAN_BYTES: usize = MAX_BYTES - START.len() - END.len();

const START: &[u8] = b"{\"version\":2,\"items\":[";
const END: &[u8] = b"]}";

/// The payload of a `span` item while it is filled, each span straight to JSON.
///
/// All spans of an item belong to one trace. It goes into an envelope with
/// [`EnvelopeWriter::spans`](crate::EnvelopeWriter::spans).
///
/// Sentry SDK specification, *Spans* 1.0, envelope item payload.
#[derive(Debug)]
pub struct SpanItems {
    json: Vec<u8>,
    /// How much of `json` counts: the rest was not finished.
    written: usize,
    count: usize,
}

impl SpanItems {
    /// Writes into `buf`, whose content goes and whose memory is reused.
    pub fn new(mut buf: Vec<u8>) -> Self {
        buf.clear();
        buf.extend_from_slice(START);
        Self { written: buf.len(), json: buf, count: 0 }
    }

    /// Adds a span. `false` where it does not fit any more, by [`MAX_ITEMS`] or [`MAX_BYTES`]: then nothing is
    /// added, and the span belongs into the next item. One that is too large for an empty item fits nowhere.
    ///
    /// # Errors
    ///
    /// None in practice: spans always can be written. The item is then as it was.
    pub fn push(&mut self, span: &StreamedSpan<'_>) -> Result<bool, EncodeError> {
        if self.count >= MAX_ITEMS {
            return Ok(false);
        }
        self.json.truncate(self.written);
        if self.count > 0 {
            self.json.push(b',');
        }
        let written = serde_json::to_writer(&mut self.json, span);
        let fits = self.json.len() + END.len() <= MAX_BYTES;
        if written.is_ok() && fits {
            self.written = self.json.len();
            self.count += 1;
        }
        written.map(|()| fits).map_err(|error| EncodeError::new("span", error))
    }

    /// How many spans there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none. Such an item must not be sent.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The memory, to be used again.
    pub fn into_buf(self) -> Vec<u8> {
        self.json
    }

    /// The payload, in two pieces.
    pub(crate) fn payload(&self) -> [&[u8]; 2] {
        [self.json.get(..self.written).unwrap_or_default(), END]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::span_v2::CONTENT_TYPE;
    use crate::{Data, EnvelopeWriter, SpanStatus, Timestamp, envelope};

    fn span(name: &str) -> StreamedSpan<'_> {
        StreamedSpan {
            trace_id: "0af7651916cd43dd8448eb211c80319c".parse().unwrap(),
            span_id: "b7ad6b7169203331".parse().unwrap(),
            parent_span_id: None,
            name: name.into(),
            status: SpanStatus::Ok,
            is_segment: false,
            start_timestamp: Timestamp(Duration::from_secs(1)),
            end_timestamp: Timestamp(Duration::from_secs(2)),
            attributes: Data::new(),
            links: Vec::new(),
        }
    }

    /// The only item of an envelope with these spans: its header and its payload.
    fn sent(items: &SpanItems) -> (Value, Value) {
        let mut writer = EnvelopeWriter::new(Vec::new());
        writer.spans(items).unwrap();
        let bytes = writer.finish();
        let read = envelope::read(&bytes).unwrap();
        assert_eq!(read.items.len(), 1);
        let item = &read.items[0];
        assert!(item.payload.len() <= MAX_BYTES, "{} bytes", item.payload.len());
        (Value::Object(item.headers.clone()), serde_json::from_slice(item.payload).unwrap())
    }

    #[test]
    fn an_item_says_how_many_spans_of_which_shape_it_has() {
        let mut items = SpanItems::new(b"old".to_vec());
        for name in ["a", "b", "c"] {
            assert!(items.push(&span(name)).unwrap());
        }
        let (header, payload) = sent(&items);
        assert_eq!(header["type"], "span");
        assert_eq!(header["item_count"], 3);
        assert_eq!(header["content_type"], CONTENT_TYPE);
        assert!(header["length"].is_u64());
        assert_eq!(payload["version"], 2);
        let names: Vec<_> = payload["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn an_item_is_full_at_a_thousand_spans() {
        let mut items = SpanItems::new(Vec::new());
        let fitted = (0..2_000).take_while(|_| items.push(&span("x")).unwrap()).count();
        assert_eq!((fitted, items.len()), (MAX_ITEMS, MAX_ITEMS));
        assert_eq!(sent(&items).1["items"].as_array().unwrap().len(), MAX_ITEMS);
    }

    #[test]
    fn an_item_is_full_below_a_mebibyte_and_what_did_not_fit_left_no_trace() {
        let long = "x".repeat(300_000);
        let mut items = SpanItems::new(Vec::new());
        let fitted = (0..9).take_while(|_| items.push(&span(&long)).unwrap()).count();
        assert_eq!(fitted, 3);
        assert!(items.push(&span("small")).unwrap(), "there is room for less");
        assert_eq!(sent(&items).1["items"].as_array().unwrap().len(), 4);
        let mut empty = SpanItems::new(items.into_buf());
        let huge = "x".repeat(MAX_BYTES);
        assert!(!empty.push(&span(&huge)).unwrap() && empty.is_empty(), "it fits nowhere");
    }

    #[test]
    fn an_item_without_spans_is_not_written() {
        let mut writer = EnvelopeWriter::new(Vec::new());
        writer.spans(&SpanItems::new(Vec::new())).unwrap();
        assert_eq!(writer.finish(), b"{}\n");
    }
}
