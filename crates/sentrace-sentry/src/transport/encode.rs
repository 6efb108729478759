//! From a finished transaction to an envelope of the official crate.

use std::time::SystemTime;

use sentrace_core::{BeforeSendTransaction, Finished, Options, diagnostics, guarded};
use sentrace_protocol::{ClientReport, EncodeError, EnvelopeHeaders, EnvelopeWriter, Reason, Transaction};
use sentry_core::Envelope;

/// Builds envelopes. They are raw ones: parsed, the official crate would drop the fields that it does not know.
pub(super) struct Encoder {
    before_send: Option<BeforeSendTransaction>,
}

impl Encoder {
    pub(super) fn new(options: &Options) -> Self {
        Self { before_send: options.get_before_send_transaction().cloned() }
    }

    /// The envelope, and which spans are not in it.
    ///
    /// # Errors
    /// Why it is not to be sent.
    pub(super) fn transaction(&self, finished: &Finished) -> Result<(Envelope, Missing), Reason> {
        // Code of users runs in here, and a panic in it costs this transaction only.
        guarded(|| self.build(finished)).unwrap_or_else(|| {
            diagnostics::debug(format_args!("a transaction was not sent: building it panicked"));
            Err(Reason::InternalSdkError)
        })
    }

    pub(super) fn report(&self, report: &ClientReport) -> Option<Envelope> {
        let headers = EnvelopeHeaders {
            sent_at: Some(SystemTime::now().into()),
            sdk: Some(Finished::sdk()),
            ..EnvelopeHeaders::default()
        };
        envelope(&headers, |writer| writer.item("client_report", report)).ok()
    }

    fn build(&self, finished: &Finished) -> Result<(Envelope, Missing), Reason> {
        let mut transaction = finished.transaction().ok_or(Reason::InternalSdkError)?;
        let spans = transaction.spans.len();
        let mut left_out = finished.spans_left_out(&transaction);
        let mut taken_out = 0;
        if let Some(hook) = &self.before_send {
            if !asked(hook, &mut transaction) {
                return Err(Reason::BeforeSend);
            }
            taken_out = spans.saturating_sub(transaction.spans.len());
            left_out += finished.fit_again(&mut transaction);
        }
        let trace = finished.dynamic_sampling_context();
        let headers = EnvelopeHeaders {
            event_id: Some(transaction.event_id),
            sent_at: Some(SystemTime::now().into()),
            sdk: Some(Finished::sdk()),
            dsn: None,
            trace: trace.as_ref(),
        };
        let envelope = envelope(&headers, |writer| writer.item("transaction", &transaction))?;
        Ok((envelope, Missing { taken_out: taken_out as u64, left_out }))
    }
}

/// How many of a transaction's spans are not in its envelope.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Missing {
    /// The hook took them out.
    pub(super) taken_out: u64,
    /// They do not fit.
    pub(super) left_out: u64,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("before_send", &self.before_send.is_some()).finish()
    }
}

fn asked(hook: &BeforeSendTransaction, transaction: &mut Transaction<'_>) -> bool {
    guarded(|| hook(transaction)).unwrap_or_else(|| {
        diagnostics::debug(format_args!("before_send_transaction panicked: its transaction is lost"));
        false
    })
}

fn envelope(
    headers: &EnvelopeHeaders<'_>,
    write: impl FnOnce(&mut EnvelopeWriter) -> Result<(), EncodeError>,
) -> Result<Envelope, Reason> {
    let mut writer = EnvelopeWriter::new(Vec::new());
    writer.headers(headers).and_then(|()| write(&mut writer)).map_err(|error| {
        diagnostics::debug(format_args!("an envelope was not sent: {error}"));
        Reason::InternalSdkError
    })?;
    Envelope::from_bytes_raw(writer.finish()).map_err(|_| Reason::InternalSdkError)
}
