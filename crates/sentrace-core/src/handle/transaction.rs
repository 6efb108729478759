//! Transactions: what one service did for one request, job or command.

use std::fmt;
use std::ops::Deref;

use sentrace_protocol::TransactionSource;
use sentrace_protocol::losses::Reason;

use crate::decide::recording::Recording;
use crate::handle::span::SpanRef;
use crate::record::Record;
use crate::record::data_collection::DataCollection;
use crate::record::response_parts::ResponseParts;
use crate::trace::state::SharedTrace;
use crate::util::clock::FastInstant;

/// A transaction. It ends when it is dropped or [`finish`](Self::finish)ed, and is then handed over
/// for delivery.
///
/// It dereferences to the handle of its own span, which has tags, data, status, child spans and
/// headers.
///
/// ```
/// # async fn work() {
/// let transaction = sentrace_core::start_transaction("send invoice", "queue.task");
/// transaction.set_tag("plan", "gold");
/// transaction.scope(async { /* current in here */ }).await;
/// transaction.finish();
/// # }
/// ```
#[must_use = "a transaction that is dropped at once measures nothing"]
pub struct Transaction {
    span: SpanRef,
}

impl Transaction {
    pub(crate) fn new(trace: SharedTrace) -> Self {
        Self { span: SpanRef::root(trace) }
    }

    /// Returns a transaction that does nothing, for when there is no client.
    pub fn none() -> Self {
        Self { span: SpanRef::none() }
    }

    /// Returns `true` if the transaction is recorded and will be sent.
    pub fn is_sampled(&self) -> bool {
        self.span.trace().is_some_and(|trace| trace.recording == Recording::Sampled)
    }

    /// Records that its request carries a mark for other layers that the request passes; see
    /// [`IncomingTrace::classify`](crate::adapter::IncomingTrace::classify).
    pub fn set_request_marked(&self) {
        if let Some(trace) = self.span.trace() {
            trace.mark();
        }
    }

    /// Ends the transaction and hands it over for delivery.
    pub fn finish(self) {}

    /// Ends the transaction without sending it, and counts it as lost for `reason`. If spans are
    /// streamed, this also discards its spans that have not been sent yet.
    pub fn discard(self, reason: Reason) {
        if let Some(trace) = self.span.trace() {
            crate::trace::finish::discard_transaction(trace, reason);
        }
    }

    /// Renames the transaction. `source` is where the name comes from. `baggage` that was already
    /// sent keeps the old name.
    pub fn set_name(&self, name: impl AsRef<str>, source: TransactionSource) {
        self.set_transaction_name(name, source);
    }

    /// Sets when the first byte of a long HTTP response was sent.
    pub fn set_first_byte(&self, at: FastInstant) {
        self.with_record(|record, _| record.first_byte = Some(at));
    }

    /// Records those header fields of the response that `collection` shows. `for_each` passes each
    /// field, by its name in lower case. It must not call code of users.
    ///
    /// ```
    /// use sentrace_core::{Collect, DataCollection};
    ///
    /// let transaction = sentrace_core::start_transaction("GET /", "http.server");
    /// let collection = DataCollection::new().response_headers(Collect::deny_list());
    /// transaction.record_response_headers(&collection, |each| each("content-type", b"text/html"));
    /// ```
    pub fn record_response_headers(
        &self,
        collection: &DataCollection,
        for_each: impl FnOnce(&mut dyn FnMut(&str, &[u8])),
    ) {
        if collection.records_response_headers()
            && let Some(trace) = self.span.trace()
        {
            let personal = collection.personal(trace.pipeline.sampling.everything);
            self.with_record(|record, _| record.set_response_headers(collection, personal, for_each));
        }
    }

    /// Ends the transaction of an HTTP request with what is known of the response, and hands it
    /// over.
    pub fn finish_with_response(mut self, response: &ResponseParts) {
        self.end(|record| response.complete(record));
    }

    /// Makes the transaction's span current while `run` runs, as
    /// [`current::enter`](crate::handle::current::enter) does. For adapters that poll.
    pub fn enter_mut<R>(&mut self, run: impl FnOnce() -> R) -> R {
        crate::handle::current::enter(&mut self.span, run)
    }

    /// Returns its span without ending it. The caller has to end it.
    pub(crate) fn into_span(mut self) -> SpanRef {
        std::mem::take(&mut self.span)
    }

    fn end(&mut self, complete: impl FnOnce(&mut Record)) {
        if let Some(trace) = self.span.take_trace() {
            crate::trace::finish::end_transaction(trace, complete);
        }
    }
}

impl Deref for Transaction {
    type Target = SpanRef;

    fn deref(&self) -> &SpanRef {
        &self.span
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.end(|_| ());
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Transaction").field(&self.span).finish()
    }
}
