//! Idle transactions of an explicit client.

use std::sync::Arc;

use sentrace_protocol::Reason;

use crate::client::Client;
use crate::client::current::current_span;
use crate::decide::recording::Recording;
use crate::decide::transaction_options::TransactionOptions;
use crate::idle::activity::Activity;
use crate::idle::handle::IdleTransaction;
use crate::idle::lifetime::{FinishReason, Idle};
use crate::idle::span_options::SpanOptions;
use crate::idle::timer;
use crate::options::idle::IdleOptions;
use crate::trace::state::SharedTrace;
use crate::util::hook::in_hook;

/// The op until one is set (Sentry SDK specification, *Span Operations*).
const DEFAULT_OP: &str = "default";

impl Client {
    /// Starts an idle transaction and ends the client's previous one; see
    /// [`start_idle_transaction`](crate::start_idle_transaction).
    pub fn start_idle_transaction(&self, name: impl AsRef<str>) -> IdleTransaction {
        let options = TransactionOptions::new(name.as_ref(), DEFAULT_OP);
        self.start_idle_transaction_with(&options, IdleOptions::new())
    }

    /// Starts an idle transaction with options; see
    /// [`start_idle_transaction_with`](crate::start_idle_transaction_with).
    pub fn start_idle_transaction_with(
        &self,
        options: &TransactionOptions<'_>,
        idle: IdleOptions,
    ) -> IdleTransaction {
        if in_hook() {
            // The open one stays open.
            return IdleTransaction::passthrough(self.start_transaction_with(options).into_span());
        }
        if !idle.separate {
            end(timer::default_of(self.pipeline()));
        }
        let transaction = self.start_transaction_with(options);
        if !timer::has_room() {
            transaction.discard(Reason::BufferOverflow);
            return IdleTransaction::none();
        }
        let span = transaction.into_span();
        let Some(trace) = span.trace().filter(|trace| trace.recording != Recording::NotTraced) else {
            return IdleTransaction::passthrough(span);
        };
        let started =
            Arc::new(Idle::new(SharedTrace::clone(trace), idle.or_defaults(self.pipeline().idle_timeouts)));
        end(timer::add(&started, !idle.separate));
        IdleTransaction::new(started)
    }

    /// Opens an activity; see [`push_activity`](crate::push_activity).
    pub fn push_activity(&self, name: impl AsRef<str>, span: Option<SpanOptions<'_>>) -> Activity {
        let idle = self.open_idle();
        idle.map_or_else(Activity::none, |idle| Activity::push(&idle, name.as_ref(), span))
    }

    /// Ends the idle transaction immediately; see
    /// [`finish_idle_transaction`](crate::finish_idle_transaction).
    pub fn finish_idle_transaction(&self) {
        if let Some(idle) = self.open_idle() {
            timer::finish(&idle, FinishReason::External);
        }
    }

    /// Returns the current idle transaction, or else the one that this client started last.
    fn open_idle(&self) -> Option<Arc<Idle>> {
        let current = current_span();
        let of_this_client = |idle: &Arc<Idle>| std::ptr::eq(&*idle.trace().pipeline, &**self.pipeline());
        let current = current.trace().and_then(timer::find).filter(of_this_client);
        current.or_else(|| timer::default_of(self.pipeline()))
    }
}

fn end(former: Option<Arc<Idle>>) {
    if let Some(former) = former {
        timer::finish(&former, FinishReason::Replaced);
    }
}
