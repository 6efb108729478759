//! What users hold of an idle transaction.

use super::timer;
use std::ops::Deref;
use std::sync::Arc;

use sentrace_protocol::TransactionSource;

use super::activity::Activity;
use super::lifetime::{FinishReason, Idle};
use super::span_options::SpanOptions;
use crate::handle::span::SpanRef;

/// A handle to an idle transaction; cheap to clone. Dropping it ends nothing: the transaction ends by itself.
///
/// It dereferences to the handle of its own span: tags, data, status, child spans, `scope` and `enter` are there.
#[derive(Debug, Clone, Default)]
pub struct IdleTransaction {
    span: SpanRef,
    /// `None` where nothing is initialised, or tracing is off.
    idle: Option<Arc<Idle>>,
}

impl IdleTransaction {
    /// A transaction that does nothing, for where there is no client.
    pub fn none() -> Self {
        Self::default()
    }

    pub(crate) fn new(idle: Arc<Idle>) -> Self {
        Self { span: idle.span(), idle: Some(idle) }
    }

    /// A trace to hand on, of which nothing is recorded.
    pub(crate) fn passthrough(span: SpanRef) -> Self {
        Self { span, idle: None }
    }

    /// Opens an activity in this transaction; see [`push_activity`](crate::push_activity).
    pub fn push_activity(&self, name: impl AsRef<str>, span: Option<SpanOptions<'_>>) -> Activity {
        self.idle.as_ref().map_or_else(Activity::none, |idle| Activity::push(idle, name.as_ref(), span))
    }

    /// Ends it at once; see [`finish_idle_transaction`](crate::finish_idle_transaction).
    pub fn finish(&self) {
        if let Some(idle) = &self.idle {
            timer::finish(idle, FinishReason::External);
        }
    }

    /// Whether it waits for something to go on.
    pub fn is_open(&self) -> bool {
        self.idle.as_ref().is_some_and(|idle| !idle.has_ended())
    }

    /// Names the transaction anew; `source` says where the name is from. What went out as `baggage` before keeps
    /// the old one.
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
