//! From a finished transaction to the bytes of a request.

use std::time::SystemTime;

use bytes::Bytes;
use sentrace_core::{BeforeSendTransaction, Finished, Options, diagnostics, guarded};
use sentrace_protocol::span_v2::SpanItems;
use sentrace_protocol::transaction::Transaction;
use sentrace_protocol::{
    ClientReport, DynamicSamplingContext, EncodeError, EnvelopeHeaders, EnvelopeWriter, Reason, Timestamp,
    envelope,
};

use crate::compress::Compressor;
use crate::load::Load;

/// What an unusually large transaction needed beyond this is given back.
const KEPT_BYTES: usize = 256 * 1024;

/// Builds envelopes and compresses them, over and over in the same memory.
pub(crate) struct Encoder {
    envelope: EnvelopeWriter,
    compressed: Vec<u8>,
    compressor: Compressor,
    /// For what is kept on disk, whatever the ingest likes.
    archiver: Compressor,
    before_send: Option<BeforeSendTransaction>,
    copies: bool,
    copy: Option<Bytes>,
}

/// What an envelope is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// To be posted now, with the report where one goes along.
    Post(Option<&'a ClientReport>),
    /// To be kept: nobody knows yet when it will be sent (Sentry SDK specification, *Offline Caching*).
    Keep,
}

impl Encoder {
    /// `copies`: whether [`take_copy`](Self::take_copy) is going to be called.
    pub(crate) fn new(options: &Options, copies: bool) -> Self {
        Self {
            envelope: EnvelopeWriter::new(Vec::new()),
            compressed: Vec::new(),
            compressor: Compressor::new(options.get_compression()),
            archiver: Compressor::gzip(),
            before_send: options.get_before_send_transaction().cloned(),
            copies,
            copy: None,
        }
    }

    /// What `content-encoding` says of the bodies.
    pub(crate) fn content_encoding(&self) -> Option<&'static str> {
        self.compressor.content_encoding()
    }

    /// An envelope with the transaction, and with `load` to account for it; `None` where there is nothing to send, which
    /// is then counted.
    pub(crate) fn transaction(
        &mut self,
        finished: &Finished,
        mut load: Load,
        purpose: Purpose<'_>,
    ) -> Option<(Load, Bytes)> {
        let before_send = self.before_send.clone();
        let mut refused = false;
        let body = self.encode(purpose, |envelope| {
            let Some(mut transaction) = finished.transaction() else { return Ok(false) };
            let mut left_out = finished.spans_left_out(&transaction);
            if let Some(hook) = &before_send {
                refused = !asked(hook, &mut transaction, &mut load);
                if refused {
                    return Ok(false);
                }
                left_out += finished.fit_again(&mut transaction);
            }
            load.lose_spans(Reason::BufferOverflow, left_out);
            envelope.headers(&EnvelopeHeaders {
                event_id: Some(transaction.event_id),
                sent_at: purpose.sent_at(),
                sdk: Some(Finished::sdk()),
                dsn: None,
                trace: finished.dynamic_sampling_context().as_ref(),
            })?;
            envelope.item("transaction", &transaction)?;
            if let Purpose::Post(Some(report)) = purpose {
                envelope.item("client_report", report)?;
            }
            Ok(true)
        });
        match body {
            Some(body) => Some((load, body)),
            None => {
                load.lost(if refused { Reason::BeforeSend } else { Reason::InternalSdkError });
                None
            }
        }
    }

    /// An envelope with spans of one trace.
    pub(crate) fn spans(
        &mut self,
        items: &SpanItems,
        context: Option<&DynamicSamplingContext>,
        purpose: Purpose<'_>,
    ) -> Option<Bytes> {
        self.encode(purpose, |envelope| {
            envelope.headers(&EnvelopeHeaders {
                sent_at: purpose.sent_at(),
                sdk: Some(Finished::sdk()),
                trace: context,
                ..EnvelopeHeaders::default()
            })?;
            envelope.spans(items)?;
            Ok(true)
        })
    }

    /// An envelope with nothing but the report.
    pub(crate) fn report(&mut self, report: &ClientReport) -> Option<Bytes> {
        let purpose = Purpose::Post(None);
        self.encode(purpose, |envelope| {
            envelope.headers(&EnvelopeHeaders {
                sent_at: purpose.sent_at(),
                sdk: Some(Finished::sdk()),
                ..EnvelopeHeaders::default()
            })?;
            envelope.item("client_report", report)?;
            Ok(true)
        })
    }

    /// The same envelope to be posted again: it is sent now, and not when it was first tried.
    pub(crate) fn again(&mut self, body: &[u8]) -> Option<Bytes> {
        let plain = self.compressor.decompress(body)?;
        self.restamp(&plain, Purpose::Post(None))
    }

    /// A body that is to be kept, without its report.
    pub(crate) fn kept(&mut self, body: &[u8]) -> Option<Bytes> {
        let plain = self.compressor.decompress(body)?;
        self.restamp(&plain, Purpose::Keep)
    }

    /// What was kept, to be posted now.
    pub(crate) fn revived(&mut self, kept: &[u8]) -> Option<Bytes> {
        let plain = self.archiver.decompress(kept)?;
        self.restamp(&plain, Purpose::Post(None))
    }

    /// The last envelope as it was before it was compressed, once.
    pub(crate) fn take_copy(&mut self) -> Option<Bytes> {
        self.copy.take()
    }

    /// A panic in here costs this envelope only.
    pub(crate) fn encode(
        &mut self,
        purpose: Purpose<'_>,
        write: impl FnOnce(&mut EnvelopeWriter) -> Result<bool, EncodeError>,
    ) -> Option<Bytes> {
        self.envelope.reset(KEPT_BYTES);
        match guarded(|| write(&mut self.envelope)) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => return None,
            Some(Err(error)) => {
                diagnostics::debug(format_args!("an envelope was not sent: {error}"));
                return None;
            }
            None => {
                diagnostics::debug(format_args!("an envelope was not sent: building it panicked"));
                return None;
            }
        }
        self.copy = self.copies.then(|| Bytes::copy_from_slice(self.envelope.as_bytes()));
        let compressor = match purpose {
            Purpose::Post(_) => &mut self.compressor,
            Purpose::Keep => &mut self.archiver,
        };
        let done = compressor.compress(self.envelope.as_bytes(), &mut self.compressed);
        let body = done.then(|| Bytes::copy_from_slice(&self.compressed));
        self.envelope.reset(KEPT_BYTES);
        self.compressed.clear();
        self.compressed.shrink_to(KEPT_BYTES);
        body
    }

    fn restamp(&mut self, plain: &[u8], purpose: Purpose<'_>) -> Option<Bytes> {
        let envelope = envelope::read(plain).ok()?;
        let mut headers = envelope.headers;
        headers.remove("sent_at");
        if let Some(sent_at) = purpose.sent_at() {
            headers.insert("sent_at".to_owned(), sent_at.rfc3339().to_string().into());
        }
        let keeps = matches!(purpose, Purpose::Keep);
        let mut lines = serde_json::to_vec(&headers).ok()?;
        lines.push(b'\n');
        for item in envelope.items.iter().filter(|item| !keeps || item.kind() != "client_report") {
            serde_json::to_writer(&mut lines, &item.headers).ok()?;
            lines.push(b'\n');
            lines.extend_from_slice(item.payload);
            lines.push(b'\n');
        }
        let compressor = if keeps { &mut self.archiver } else { &mut self.compressor };
        let done = compressor.compress(&lines, &mut self.compressed);
        done.then(|| Bytes::copy_from_slice(&self.compressed))
    }
}

impl Purpose<'_> {
    /// As late as possible, and only where it is known.
    fn sent_at(self) -> Option<Timestamp> {
        matches!(self, Self::Post(_)).then(|| SystemTime::now().into())
    }
}

/// Whether the service wants the transaction sent; what it took out is counted.
fn asked(hook: &BeforeSendTransaction, transaction: &mut Transaction<'_>, load: &mut Load) -> bool {
    let before = transaction.spans.len();
    let Some(wanted) = load.account().run_hook(|| guarded(|| hook(transaction))) else {
        diagnostics::debug(format_args!("before_send_transaction panicked: its transaction is lost"));
        return false;
    };
    if wanted {
        load.lose_spans(Reason::BeforeSend, before.saturating_sub(transaction.spans.len()) as u64);
    }
    wanted
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("compressor", &self.compressor).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: Purpose<'_> = Purpose::Post(None);

    fn encoder() -> Encoder {
        Encoder::new(&Options::new(), false)
    }

    fn gunzip(body: &[u8]) -> String {
        String::from_utf8(Compressor::gzip().decompress(body).unwrap()).unwrap()
    }

    #[test]
    fn a_panic_in_building_one_envelope_does_not_reach_the_next() {
        let mut encoder = encoder();
        let panicked = encoder.encode(POST, |envelope| {
            envelope.item("half", "an envelope")?;
            panic!("a payload that cannot be built")
        });
        assert_eq!(panicked, None);
        assert_eq!(encoder.encode(POST, |_| Ok(false)), None);
        let body = encoder.encode(POST, |envelope| envelope.item("whole", &1).map(|()| true)).unwrap();
        assert_eq!(gunzip(&body), "{}\n{\"type\":\"whole\",\"length\":1}\n1\n");
    }

    #[test]
    fn a_large_envelope_gives_its_memory_back() {
        let mut encoder = encoder();
        let numbers: Vec<u64> = (0..1_000_000).collect();
        encoder.encode(POST, |envelope| envelope.item("numbers", &numbers).map(|()| true)).unwrap();
        assert!(encoder.compressed.capacity() <= KEPT_BYTES);
    }

    #[test]
    fn what_is_kept_has_no_time_and_no_report_and_gets_a_new_time_when_it_is_sent() {
        let mut encoder = encoder();
        let body = encoder.encode(POST, |envelope| {
            let sent_at = Some(Timestamp(std::time::Duration::from_secs(1_787_220_000)));
            envelope.headers(&EnvelopeHeaders { sent_at, ..EnvelopeHeaders::default() })?;
            envelope.item("transaction", "line\nbreak")?;
            envelope.item("client_report", &1)?;
            Ok(true)
        });
        let kept = encoder.kept(&body.clone().unwrap()).unwrap();
        assert_eq!(gunzip(&kept), "{}\n{\"length\":13,\"type\":\"transaction\"}\n\"line\\nbreak\"\n");
        let today = &Timestamp::from(SystemTime::now()).rfc3339().to_string()[..10];
        for (again, items) in [(encoder.revived(&kept), 1), (encoder.again(&body.unwrap()), 2)] {
            let plain = gunzip(&again.unwrap());
            let read = envelope::read(plain.as_bytes()).unwrap();
            assert_eq!(read.items.len(), items);
            assert!(read.headers["sent_at"].as_str().unwrap().starts_with(today), "{plain}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_not_sent_again() {
        let mut encoder = encoder();
        assert_eq!(encoder.again(b"nonsense"), None);
        let mut compressed = Vec::new();
        assert!(Compressor::gzip().compress(b"no envelope", &mut compressed));
        assert_eq!(encoder.revived(&compressed), None);
    }
}
