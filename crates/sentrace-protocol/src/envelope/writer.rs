//! Writing envelopes.

use serde::{Serialize, Serializer};

use crate::span_v2::{self, SpanItems};
use crate::{Dsn, DynamicSamplingContext, EncodeError, EventId, SdkInfo, Timestamp};

/// The first line of an envelope. What is `None` is left out.
///
/// Sentry SDK specification, *Envelopes*, headers.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct EnvelopeHeaders<'a> {
    /// The event's id; needed with a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// When it is sent, read from the clock as late as possible.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rfc3339")]
    pub sent_at: Option<Timestamp>,
    /// What sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<SdkInfo<'a>>,
    /// Where to send and as whom, for receivers that do not look at HTTP headers. Written with its secret.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "display")]
    pub dsn: Option<&'a Dsn>,
    /// What the trace's head says about the trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<&'a DynamicSamplingContext>,
}

/// Writes one envelope: first [`headers`](Self::headers), then items.
///
/// ```
/// use sentrace_protocol::envelope::{EnvelopeHeaders, EnvelopeWriter};
///
/// let mut envelope = EnvelopeWriter::new(Vec::new());
/// envelope.headers(&EnvelopeHeaders::default())?;
/// envelope.item("client_report", &[1, 2])?;
/// assert_eq!(envelope.finish(), b"{}\n{\"type\":\"client_report\",\"length\":5}\n[1,2]\n");
/// # Ok::<(), sentrace_protocol::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct EnvelopeWriter {
    buf: Vec<u8>,
    scratch: Vec<u8>,
}

impl EnvelopeWriter {
    /// Writes into `buf`, whose content goes and whose memory is reused.
    pub fn new(mut buf: Vec<u8>) -> Self {
        buf.clear();
        Self { buf, scratch: Vec::new() }
    }

    /// Starts the envelope with these headers; what was written before goes.
    ///
    /// # Errors
    ///
    /// None with the types of this crate.
    pub fn headers(&mut self, headers: &EnvelopeHeaders<'_>) -> Result<(), EncodeError> {
        self.buf.clear();
        let written = serde_json::to_writer(&mut self.buf, headers);
        if written.is_err() {
            self.buf.clear();
        }
        written.map_err(|error| EncodeError::new("headers", error))?;
        self.buf.push(b'\n');
        Ok(())
    }

    /// Adds an item of this type with its payload as JSON.
    ///
    /// # Errors
    ///
    /// When the payload cannot be written as JSON. The envelope is then as it was.
    pub fn item(&mut self, kind: &str, payload: &(impl Serialize + ?Sized)) -> Result<(), EncodeError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let written = serde_json::to_writer(&mut scratch, payload)
            .map_err(|error| EncodeError::new(kind, error))
            .and_then(|()| self.item_bytes(kind, &scratch));
        self.scratch = scratch;
        written
    }

    /// Adds an item of this type whose payload is written already.
    ///
    /// # Errors
    ///
    /// None in practice: its header always can be written.
    pub fn item_bytes(&mut self, kind: &str, payload: &[u8]) -> Result<(), EncodeError> {
        #[derive(Serialize)]
        struct ItemHeader<'a> {
            r#type: &'a str,
            length: usize,
        }

        self.write_item(kind, &ItemHeader { r#type: kind, length: payload.len() }, &[payload])
    }

    /// Adds an item with these spans; nothing where there are none.
    ///
    /// Sentry SDK specification, *Spans* 1.0, envelope item.
    ///
    /// # Errors
    ///
    /// None in practice: its header always can be written.
    pub fn spans(&mut self, spans: &SpanItems) -> Result<(), EncodeError> {
        #[derive(Serialize)]
        struct ItemHeader {
            r#type: &'static str,
            item_count: usize,
            content_type: &'static str,
            length: usize,
        }

        if spans.is_empty() {
            return Ok(());
        }
        let payload = spans.payload();
        let header = ItemHeader {
            r#type: "span",
            item_count: spans.len(),
            content_type: span_v2::CONTENT_TYPE,
            length: payload.iter().map(|piece| piece.len()).sum(),
        };
        self.write_item("span", &header, &payload)
    }

    fn write_item(
        &mut self,
        kind: &str,
        header: &impl Serialize,
        payload: &[&[u8]],
    ) -> Result<(), EncodeError> {
        self.start();
        let before = self.buf.len();
        if let Err(error) = serde_json::to_writer(&mut self.buf, header) {
            self.buf.truncate(before);
            return Err(EncodeError::new(kind, error));
        }
        self.buf.push(b'\n');
        for piece in payload {
            self.buf.extend_from_slice(piece);
        }
        self.buf.push(b'\n');
        Ok(())
    }

    /// The envelope's bytes, not yet compressed.
    pub fn finish(mut self) -> Vec<u8> {
        self.start();
        self.buf
    }

    /// The bytes so far; a complete envelope once [`headers`](Self::headers) or an item was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buf
    }

    /// Makes room for the next envelope, and gives memory back beyond this many bytes for each of two buffers.
    pub fn reset(&mut self, kept_bytes: usize) {
        for buffer in [&mut self.buf, &mut self.scratch] {
            buffer.clear();
            buffer.shrink_to(kept_bytes);
        }
    }

    /// An envelope has a line of headers even when nobody gave any.
    fn start(&mut self) {
        if self.buf.is_empty() {
            self.buf.extend_from_slice(b"{}\n");
        }
    }
}

fn rfc3339<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    moment.map(Timestamp::rfc3339).serialize(serializer)
}

fn display<S: Serializer>(dsn: &Option<&Dsn>, serializer: S) -> Result<S::Ok, S::Error> {
    match dsn {
        Some(dsn) => serializer.collect_str(dsn),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;
    use crate::envelope::read;

    #[test]
    fn the_headers_are_one_line_in_the_shape_of_the_specification() {
        let dsn = "https://key@o1.ingest.sentry.io/2".parse().unwrap();
        let trace =
            [("trace_id", "0af7651916cd43dd8448eb211c80319c"), ("release", "a\nb")].into_iter().collect();
        let mut envelope = EnvelopeWriter::new(b"old".to_vec());
        envelope
            .headers(&EnvelopeHeaders {
                event_id: EventId::from_hex(b"5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70"),
                sent_at: Some(Timestamp(Duration::from_millis(1_787_220_000_123))),
                sdk: Some(SdkInfo { name: "acme.rust".into(), version: "0.1.0".into() }),
                dsn: Some(&dsn),
                trace: Some(&trace),
            })
            .unwrap();
        let text = String::from_utf8(envelope.finish()).unwrap();
        let expected = "{\"event_id\":\"5f0c1f3b7a9e4c0d8b1e2a3c4d5e6f70\",\"sent_at\":\"2026-08-20T10:00:00.123Z\",\
            \"sdk\":{\"name\":\"acme.rust\",\"version\":\"0.1.0\"},\"dsn\":\"https://key@o1.ingest.sentry.io/2\",\
            \"trace\":{\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"release\":\"a\\nb\"}}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut envelope = EnvelopeWriter::new(Vec::new());
        envelope.item("transaction", "line\nbreak").unwrap();
        envelope.item_bytes("odd\"\n", b"{}\n\x00\xff").unwrap();
        envelope.item_bytes("attachment", b"").unwrap();
        let bytes = envelope.finish();
        let read = read(&bytes).unwrap();
        let items: Vec<_> = read.items.iter().map(|item| (item.kind(), item.payload)).collect();
        assert_eq!(
            items,
            [("transaction", &b"\"line\\nbreak\""[..]), ("odd\"\n", b"{}\n\x00\xff"), ("attachment", b"")],
        );
    }

    #[test]
    fn an_item_that_cannot_be_written_leaves_the_envelope_as_it_was() {
        let mut envelope = EnvelopeWriter::new(Vec::new());
        envelope.item("good", &1).unwrap();
        let error = envelope.item("bad", &HashMap::from([(vec![1], 1)])).unwrap_err();
        assert!(error.to_string().starts_with("the envelope's `bad` cannot be written as JSON: "), "{error}");
        envelope.item("good", &2).unwrap();
        assert_eq!(
            String::from_utf8(envelope.finish()).unwrap(),
            "{}\n{\"type\":\"good\",\"length\":1}\n1\n{\"type\":\"good\",\"length\":1}\n2\n",
        );
    }

    #[test]
    fn one_writer_writes_one_envelope_after_the_other() {
        let mut envelope = EnvelopeWriter::new(Vec::new());
        envelope.item("large", &"x".repeat(10_000)).unwrap();
        envelope.reset(100);
        assert_eq!(envelope.as_bytes(), b"");
        assert!(envelope.buf.capacity() <= 100 && envelope.scratch.capacity() <= 100);
        envelope.item("small", &1).unwrap();
        assert_eq!(envelope.as_bytes(), b"{}\n{\"type\":\"small\",\"length\":1}\n1\n");
    }

    #[test]
    fn an_envelope_of_nothing_still_has_its_header_line() {
        assert_eq!(EnvelopeWriter::new(Vec::new()).finish(), b"{}\n");
    }
}
