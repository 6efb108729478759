//! From finished transactions and spans to envelopes.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use sentrace_core::adapter::catch_panic;
use sentrace_core::deliver::FinishedTransaction;
use sentrace_core::diagnostics;
use sentrace_protocol::span_v2::SpanItems;
use sentrace_protocol::{
    ClientReport, DynamicSamplingContext, EncodeError, EnvelopeHeaders, EnvelopeWriter, Reason, Timestamp,
};

use crate::account::Account;
use crate::consignment::Consignment;
use crate::hooks::Hooks;
use crate::spans::SpanBatch;
use crate::tally::Tally;

/// The buffer shrinks to this size after an unusually large envelope.
const BUFFER_BYTES: usize = 256 * 1024;

/// Builds envelopes, one after the other in the same buffer. A panic while building costs that envelope only.
pub struct EnvelopeBuilder {
    writer: EnvelopeWriter,
    hooks: Hooks,
}

impl EnvelopeBuilder {
    /// Creates a builder that runs `hooks` for what it builds envelopes of.
    pub fn new(hooks: Hooks) -> Self {
        Self { writer: EnvelopeWriter::new(Vec::new()), hooks }
    }

    /// Runs the hooks and builds an envelope with the transaction, and with `report` if there is one. Returns `None` after
    /// counting the transaction if it is not to be sent.
    ///
    /// `sent_at` is `None` if it is not known when the envelope will be sent.
    pub fn transaction(
        &mut self,
        finished: &FinishedTransaction,
        mut consignment: Consignment,
        sent_at: Option<Timestamp>,
        report: Option<&ClientReport>,
    ) -> Option<(Consignment, &[u8])> {
        let Self { writer, hooks } = self;
        let mut refused = false;
        let built = build(writer, |writer| {
            let Some(mut transaction) = finished.transaction() else { return Ok(false) };
            let mut left_out = finished.omitted_spans(&transaction);
            let before = transaction.spans.len();
            if let Some(send) = hooks.edit_transaction(&mut transaction, consignment.account()) {
                refused = !send;
                if refused {
                    return Ok(false);
                }
                let removed = before.saturating_sub(transaction.spans.len());
                consignment.discard_spans(Reason::BeforeSend, removed as u64);
                left_out += finished.refit(&mut transaction);
            }
            consignment.discard_spans(Reason::BufferOverflow, left_out);
            let context = finished.dynamic_sampling_context();
            let mut headers = headers(sent_at);
            headers.event_id = Some(transaction.event_id);
            headers.trace = context.as_ref();
            writer.headers(&headers)?;
            writer.item("transaction", &transaction)?;
            if let Some(report) = report {
                writer.item("client_report", report)?;
            }
            Ok(true)
        });
        if built {
            return Some((consignment, self.writer.as_bytes()));
        }
        consignment.discard(if refused { Reason::BeforeSend } else { Reason::InternalSdkError });
        None
    }

    /// Runs the hook for each span of a batch that is to be sent. Everything of it stays accounted for while a hook
    /// blocks; if it is given up meanwhile, the batch is empty afterwards.
    pub fn run_span_hook(&self, batch: &mut SpanBatch, account: &Arc<Account>) {
        if !self.hooks.has_span_hook() {
            return;
        }
        let entered = Consignment::new(Tally::of_spans(batch.len() as u64), account);
        batch.edit(|payload| self.hooks.edit_span(payload, account));
        if !entered.hand_over() {
            batch.forget();
        }
    }

    /// Builds an envelope with spans of one trace.
    pub fn spans(
        &mut self,
        items: &SpanItems,
        context: Option<&DynamicSamplingContext>,
        sent_at: Option<Timestamp>,
    ) -> Option<&[u8]> {
        let built = build(&mut self.writer, |writer| {
            let mut headers = headers(sent_at);
            headers.trace = context;
            writer.headers(&headers)?;
            writer.spans(items)?;
            Ok(true)
        });
        built.then(|| self.writer.as_bytes())
    }

    /// Builds an envelope with the report alone.
    pub fn report(&mut self, report: &ClientReport) -> Option<&[u8]> {
        let built = build(&mut self.writer, |writer| {
            writer.headers(&headers(Some(SystemTime::now().into())))?;
            writer.item("client_report", report)?;
            Ok(true)
        });
        built.then(|| self.writer.as_bytes())
    }

    /// Clears the buffer, and shrinks it after an unusually large envelope.
    pub fn reset(&mut self) {
        self.writer.reset(BUFFER_BYTES);
    }
}

fn headers(sent_at: Option<Timestamp>) -> EnvelopeHeaders<'static> {
    let mut headers = EnvelopeHeaders::default();
    headers.sent_at = sent_at;
    headers.sdk = Some(FinishedTransaction::sdk());
    headers
}

/// Returns `true` if `write` wrote an envelope.
fn build(
    writer: &mut EnvelopeWriter,
    write: impl FnOnce(&mut EnvelopeWriter) -> Result<bool, EncodeError>,
) -> bool {
    writer.reset(BUFFER_BYTES);
    match catch_panic(|| write(writer)) {
        Some(Ok(built)) => return built,
        Some(Err(error)) => diagnostics::debug(format_args!("an envelope was not sent: {error}")),
        None => diagnostics::debug(format_args!("an envelope was not sent: building it panicked")),
    }
    false
}

impl fmt::Debug for EnvelopeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvelopeBuilder").field("hooks", &self.hooks).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_building_one_envelope_does_not_reach_the_next() {
        let mut writer = EnvelopeWriter::new(Vec::new());
        let panicked = build(&mut writer, |writer| {
            writer.item("half", "an envelope")?;
            panic!("a payload that cannot be built")
        });
        assert!(!panicked);
        assert!(!build(&mut writer, |_| Ok(false)));
        assert!(build(&mut writer, |writer| writer.item("whole", &1).map(|()| true)));
        assert_eq!(writer.as_bytes(), b"{}\n{\"type\":\"whole\",\"length\":1}\n1\n");
    }
}
