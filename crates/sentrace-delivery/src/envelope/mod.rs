//! From finished transactions and spans to request bodies.

mod compress;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use sentrace_core::Compression;
use sentrace_core::deliver::FinishedTransaction;
use sentrace_outbox::{Account, Consignment, EnvelopeBuilder, Hooks, SpanBatch};
use sentrace_protocol::span_v2::SpanItems;
use sentrace_protocol::{ClientReport, DynamicSamplingContext, Reason, Timestamp, envelope};

use self::compress::Compressor;
use crate::spotlight::Copies;

/// The buffer shrinks to this size after an unusually large envelope.
const BUFFER_BYTES: usize = 256 * 1024;

/// Builds and compresses envelopes, one after the other in the same buffers.
#[derive(Debug)]
pub(crate) struct Encoder {
    builder: EnvelopeBuilder,
    output: Output,
}

/// Where an envelope goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To the ingest, now.
    Post,
    /// To the spool. When it will be sent is not known (Sentry SDK specification, *Offline Caching*).
    Spool,
}

impl Purpose {
    /// The clock is read as late as possible.
    fn sent_at(self) -> Option<Timestamp> {
        (self == Self::Post).then(|| SystemTime::now().into())
    }
}

impl Encoder {
    /// Creates an encoder that sends `copies` of all envelopes to Spotlight.
    pub(crate) fn new(compression: Compression, hooks: Hooks, copies: Option<Copies>) -> Self {
        Self { builder: EnvelopeBuilder::new(hooks), output: Output::new(compression, copies) }
    }

    /// Returns the `content-encoding` of bodies that are posted.
    pub(crate) fn content_encoding(&self) -> Option<&'static str> {
        self.output.compressor.content_encoding()
    }

    /// Encodes a transaction, with a report if there is one. Returns `None` after counting it if it is not to be sent.
    pub(crate) fn transaction(
        &mut self,
        finished: &FinishedTransaction,
        consignment: Consignment,
        purpose: Purpose,
        report: Option<&ClientReport>,
    ) -> Option<(Consignment, Bytes)> {
        let built = self.builder.transaction(finished, consignment, purpose.sent_at(), report);
        let (consignment, plain) = built?;
        let body = self.output.encode(plain, purpose);
        self.builder.reset();
        let Some(body) = body else {
            consignment.discard(Reason::InternalSdkError);
            return None;
        };
        Some((consignment, body))
    }

    /// Runs the hook for each span of a batch.
    pub(crate) fn run_span_hook(&self, batch: &mut SpanBatch, account: &Arc<Account>) {
        self.builder.run_span_hook(batch, account);
    }

    /// Encodes spans of one trace.
    pub(crate) fn spans(
        &mut self,
        items: &SpanItems,
        context: Option<&DynamicSamplingContext>,
        purpose: Purpose,
    ) -> Option<Bytes> {
        let plain = self.builder.spans(items, context, purpose.sent_at())?;
        let body = self.output.encode(plain, purpose);
        self.builder.reset();
        body
    }

    /// Encodes a report alone.
    pub(crate) fn report(&mut self, report: &ClientReport) -> Option<Bytes> {
        self.output.encode(self.builder.report(report)?, Purpose::Post)
    }

    /// Returns the body with a new `sent_at`, which is when it is posted and not when that was first tried.
    pub(crate) fn restamp_for_retry(&mut self, body: &[u8]) -> Option<Bytes> {
        let plain = self.output.compressor.decompress(body)?;
        self.output.restamp(&plain, Purpose::Post)
    }

    /// Returns the body as the spool keeps it: without `sent_at` and without a report.
    pub(crate) fn restamp_for_spool(&mut self, body: &[u8]) -> Option<Bytes> {
        let plain = self.output.compressor.decompress(body)?;
        self.output.restamp(&plain, Purpose::Spool)
    }

    /// Returns the body to be posted of what the spool kept.
    pub(crate) fn restamp_from_spool(&mut self, spooled: &[u8]) -> Option<Bytes> {
        let plain = self.output.spool_compressor.decompress(spooled)?;
        self.output.restamp(&plain, Purpose::Post)
    }
}

/// The compressors and what they share.
struct Output {
    compressor: Compressor,
    /// Spooled envelopes outlive the choice of a compression.
    spool_compressor: Compressor,
    compressed: Vec<u8>,
    copies: Option<Copies>,
}

impl Output {
    fn new(compression: Compression, copies: Option<Copies>) -> Self {
        Self {
            compressor: Compressor::new(compression),
            spool_compressor: Compressor::gzip(),
            compressed: Vec::new(),
            copies,
        }
    }

    fn encode(&mut self, plain: &[u8], purpose: Purpose) -> Option<Bytes> {
        if let Some(copies) = &self.copies {
            copies.send(plain);
        }
        let body = self.compress(plain, purpose);
        self.compressed.clear();
        self.compressed.shrink_to(BUFFER_BYTES);
        body
    }

    fn restamp(&mut self, plain: &[u8], purpose: Purpose) -> Option<Bytes> {
        let envelope = envelope::read(plain).ok()?;
        let mut headers = envelope.headers;
        headers.remove("sent_at");
        if let Some(sent_at) = purpose.sent_at() {
            headers.insert("sent_at".to_owned(), sent_at.rfc3339().to_string().into());
        }
        let mut lines = serde_json::to_vec(&headers).ok()?;
        lines.push(b'\n');
        let is_kept = |kind: &str| purpose == Purpose::Post || kind != "client_report";
        for item in envelope.items.iter().filter(|item| is_kept(item.kind())) {
            serde_json::to_writer(&mut lines, &item.headers).ok()?;
            lines.push(b'\n');
            lines.extend_from_slice(item.payload);
            lines.push(b'\n');
        }
        self.compress(&lines, purpose)
    }

    fn compress(&mut self, plain: &[u8], purpose: Purpose) -> Option<Bytes> {
        let compressor = match purpose {
            Purpose::Post => &mut self.compressor,
            Purpose::Spool => &mut self.spool_compressor,
        };
        let compressed = compressor.compress(plain, &mut self.compressed);
        compressed.then(|| Bytes::copy_from_slice(&self.compressed))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("compressor", &self.compressor).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use sentrace_protocol::{EnvelopeHeaders, EnvelopeWriter};

    use super::*;

    fn encoder() -> Encoder {
        Encoder::new(Compression::default(), Hooks::default(), None)
    }

    fn gunzip(body: &[u8]) -> String {
        String::from_utf8(Compressor::gzip().decompress(body).unwrap()).unwrap()
    }

    #[test]
    fn a_large_envelope_gives_its_memory_back() {
        let mut output = encoder().output;
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(1_000_000)
        .collect();
        assert!(output.encode(&noise, Purpose::Post).unwrap().len() > BUFFER_BYTES);
        assert!(output.compressed.capacity() <= BUFFER_BYTES);
    }

    #[test]
    fn what_is_kept_has_no_time_and_no_report_and_gets_a_new_time_when_it_is_sent() {
        let mut encoder = encoder();
        let mut writer = EnvelopeWriter::new(Vec::new());
        let sent_at = Some(Timestamp(std::time::Duration::from_secs(1_787_220_000)));
        let mut headers = EnvelopeHeaders::default();
        headers.sent_at = sent_at;
        writer.headers(&headers).unwrap();
        writer.item("transaction", "line\nbreak").unwrap();
        writer.item("client_report", &1).unwrap();
        let body = encoder.output.encode(writer.as_bytes(), Purpose::Post).unwrap();
        let kept = encoder.restamp_for_spool(&body).unwrap();
        assert_eq!(gunzip(&kept), "{}\n{\"length\":13,\"type\":\"transaction\"}\n\"line\\nbreak\"\n");
        let today = &Timestamp::from(SystemTime::now()).rfc3339().to_string()[..10];
        for (again, items) in [(encoder.restamp_from_spool(&kept), 1), (encoder.restamp_for_retry(&body), 2)]
        {
            let plain = gunzip(&again.unwrap());
            let read = envelope::read(plain.as_bytes()).unwrap();
            assert_eq!(read.items.len(), items);
            assert!(read.headers["sent_at"].as_str().unwrap().starts_with(today), "{plain}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_not_sent_again() {
        let mut encoder = encoder();
        assert_eq!(encoder.restamp_for_retry(b"nonsense"), None);
        let mut compressed = Vec::new();
        assert!(Compressor::gzip().compress(b"no envelope", &mut compressed));
        assert_eq!(encoder.restamp_from_spool(&compressed), None);
    }
}
