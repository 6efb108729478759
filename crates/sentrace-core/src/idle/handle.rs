//! Handles to idle transactions.

use super::timer;
use std::ops::Deref;
use std::sync::Arc;

use sentrace_protocol::TransactionSource;

use super::activity::Activity;
use super::lifetime::{FinishReason, Idle};
use super::span_options::SpanOptions;
use crate::handle::span::SpanRef;

/// A handle to an idle transaction. Cheap to clone. Dropping it does not end the transaction, which
/// ends by itself.
///
/// It dereferences to the handle of its own span, which has tags, data, status, child spans,
/// `scope` and `enter`.
#[derive(Debug, Clone, Default)]
pub struct IdleTransaction {
    span: SpanRef,
    /// `None` if no client is initialized, or tracing is off.
    idle: Option<Arc<Idle>>,
}

impl IdleTransaction {
    /// Returns a transaction that does nothing, for when there is no client.
    pub fn none() -> Self {
        Self::default()
    }

    pub(crate) fn new(idle: Arc<Idle>) -> Self {
        Self { span: idle.span(), idle: Some(idle) }
    }

    /// A trace that is propagated but not recorded.
    pub(crate) fn passthrough(span: SpanRef) -> Self {
        Self { span, idle: None }
    }

    /// Opens an activity in this transaction; see [`push_activity`](crate::push_activity).
    pub fn push_activity(&self, name: impl AsRef<str>, span: Option<SpanOptions<'_>>) -> Activity {
        self.idle.as_ref().map_or_else(Activity::none, |idle| Activity::push(idle, name.as_ref(), span))
    }

    /// Ends the transaction immediately; see
    /// [`finish_idle_transaction`](crate::finish_idle_transaction).
    pub fn finish(&self) {
        if let Some(idle) = &self.idle {
            timer::finish(idle, FinishReason::External);
        }
    }

    /// Returns `true` if the transaction has not ended.
    pub fn is_open(&self) -> bool {
        self.idle.as_ref().is_some_and(|idle| !idle.has_ended())
    }

    /// Renames the transaction. `source` is where the name comes from. `baggage` that was already
    /// sent keeps the old name.
    pub fn set_name(&self, name: impl AsRef<str>, source: TransactionSource) {
        self.span.set_transaction_name(name, source);
    }
}

impl Deref for IdleTransaction {
    type Target = SpanRef;

    fn deref(&self) -> &SpanRef {
        &self.span
    }
}
