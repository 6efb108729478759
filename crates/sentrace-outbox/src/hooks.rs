//! What a service does to its spans and transactions before they are sent.

use std::fmt;

use sentrace_core::adapter::catch_panic;
use sentrace_core::deliver::DeliverySettings;
use sentrace_core::{BeforeSendSpan, BeforeSendTransaction, diagnostics};
use sentrace_protocol::{SpanPayload, TransactionPayload};

use crate::account::Account;

/// The hooks of a service, which run on the consumer's thread.
#[derive(Clone, Default)]
pub struct Hooks {
    span: Option<BeforeSendSpan>,
    transaction: Option<BeforeSendTransaction>,
}

impl Hooks {
    /// Takes the hooks from the options.
    pub fn new(settings: &DeliverySettings<'_>) -> Self {
        Self {
            span: settings.before_send_span.cloned(),
            transaction: settings.before_send_transaction.cloned(),
        }
    }

    /// Returns `true` if spans have a hook.
    pub(crate) fn has_span_hook(&self) -> bool {
        self.span.is_some()
    }

    /// Runs the hook for one span. A span in which it panics stays as it is.
    pub(crate) fn edit_span(&self, payload: &mut SpanPayload<'_, '_>, account: &Account) {
        let Some(hook) = &self.span else { return };
        payload.edit_or_restore(|payload| {
            let done = account.run_user_code(|| catch_panic(|| hook(payload))).is_some();
            if !done {
                diagnostics::debug(format_args!("before_send_span panicked: its span is sent unchanged"));
            }
            done
        });
    }

    /// Runs the hooks for a transaction: for its child spans, its own span, and then for all of it. Returns `None` if no
    /// hook has seen it, else whether it is to be sent.
    pub(crate) fn edit_transaction(
        &self,
        transaction: &mut TransactionPayload<'_>,
        account: &Account,
    ) -> Option<bool> {
        if self.span.is_some() {
            let trace_id = transaction.trace.trace_id;
            for span in &mut transaction.spans {
                self.edit_span(&mut SpanPayload::of_child(trace_id, span), account);
            }
            self.edit_span(&mut SpanPayload::of_transaction(transaction), account);
        }
        let Some(hook) = &self.transaction else { return self.span.is_some().then_some(true) };
        let send = account.run_user_code(|| catch_panic(|| hook(transaction)));
        if send.is_none() {
            diagnostics::debug(format_args!(
                "before_send_transaction panicked: its transaction is discarded"
            ));
        }
        Some(send.unwrap_or(false))
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (span, transaction) = (self.span.is_some(), self.transaction.is_some());
        f.debug_struct("Hooks").field("span", &span).field("transaction", &transaction).finish()
    }
}
