//! From a finished transaction to the bytes of a request.

use std::time::SystemTime;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use sentrace_core::{Finished, diagnostics, guarded};
use sentrace_protocol::{ClientReport, EncodeError, EnvelopeHeaders, EnvelopeWriter};

/// The fastest level: what higher ones save is less than what they cost.
const LEVEL: Compression = Compression::fast();
const WINDOW_BITS: u8 = 15;
/// What an unusually large transaction needed beyond this is given back.
const KEPT_BYTES: usize = 256 * 1024;

/// Builds envelopes and compresses them, over and over in the same memory.
#[derive(Debug)]
pub(crate) struct Encoder {
    envelope: Vec<u8>,
    compressed: Vec<u8>,
    gzip: Compress,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self { envelope: Vec::new(), compressed: Vec::new(), gzip: Compress::new_gzip(LEVEL, WINDOW_BITS) }
    }

    /// An envelope with the transaction, and with the report where one goes along. `None` where it cannot be built.
    pub(crate) fn transaction(
        &mut self,
        finished: &Finished,
        report: Option<&ClientReport>,
    ) -> Option<Bytes> {
        self.encode(|envelope| {
            let Some(transaction) = finished.transaction() else { return Ok(false) };
            envelope.headers(&EnvelopeHeaders {
                event_id: finished.event_id(),
                sent_at: Some(SystemTime::now().into()),
                sdk: Some(Finished::sdk()),
                dsn: None,
                trace: finished.dynamic_sampling_context().as_ref(),
            })?;
            envelope.item("transaction", &transaction)?;
            if let Some(report) = report {
                envelope.item("client_report", report)?;
            }
            Ok(true)
        })
    }

    /// An envelope with nothing but the report.
    pub(crate) fn report(&mut self, report: &ClientReport) -> Option<Bytes> {
        self.encode(|envelope| {
            envelope.headers(&EnvelopeHeaders {
                sent_at: Some(SystemTime::now().into()),
                sdk: Some(Finished::sdk()),
                ..EnvelopeHeaders::default()
            })?;
            envelope.item("client_report", report)?;
            Ok(true)
        })
    }

    /// A panic in here costs this envelope only.
    fn encode(
        &mut self,
        write: impl FnOnce(&mut EnvelopeWriter) -> Result<bool, EncodeError>,
    ) -> Option<Bytes> {
        let mut envelope = EnvelopeWriter::new(std::mem::take(&mut self.envelope));
        match guarded(|| write(&mut envelope)) {
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
        self.envelope = envelope.finish();
        let body = self.compress();
        for buffer in [&mut self.envelope, &mut self.compressed] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES);
        }
        body
    }

    fn compress(&mut self) -> Option<Bytes> {
        self.gzip.reset();
        self.compressed.clear();
        loop {
            // Nearly always enough at once: traces repeat themselves.
            self.compressed.reserve(self.envelope.len() / 2 + 256);
            let read = usize::try_from(self.gzip.total_in()).ok()?;
            let rest = self.envelope.get(read..)?;
            match self.gzip.compress_vec(rest, &mut self.compressed, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return Some(Bytes::copy_from_slice(&self.compressed)),
                Ok(Status::Ok | Status::BufError) => {}
                Err(error) => {
                    diagnostics::debug(format_args!("an envelope was not sent: compressing failed: {error}"));
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn gunzip(body: &[u8]) -> String {
        let mut text = String::new();
        GzDecoder::new(body).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_panic_in_building_one_envelope_does_not_reach_the_next() {
        let mut encoder = Encoder::new();
        let panicked = encoder.encode(|envelope| {
            envelope.item("half", "an envelope")?;
            panic!("a payload that cannot be built")
        });
        assert_eq!(panicked, None);
        assert_eq!(encoder.encode(|_| Ok(false)), None);
        let body = encoder.encode(|envelope| envelope.item("whole", &1).map(|()| true)).unwrap();
        assert_eq!(gunzip(&body), "{}\n{\"type\":\"whole\",\"length\":1}\n1\n");
    }

    #[test]
    fn what_hardly_compresses_arrives_whole_and_gives_its_memory_back() {
        let mut encoder = Encoder::new();
        let mut state = 1_u64;
        let noise: Vec<u64> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state
        })
        .take(100_000)
        .collect();
        let body = encoder.encode(|envelope| envelope.item("noise", &noise).map(|()| true)).unwrap();
        assert!(gunzip(&body).contains(&serde_json::to_string(&noise).unwrap()));
        assert!(encoder.envelope.capacity() <= KEPT_BYTES && encoder.compressed.capacity() <= KEPT_BYTES);
    }
}
