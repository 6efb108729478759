//! Transactions: what one service did for one request, job or command.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use sentrace_protocol::losses::Reason;
use sentrace_protocol::{TransactionSource, Value, http_method};

use crate::decide::sampling::Sampler;
use crate::handle::span::SpanRef;
use crate::record::Record;
use crate::record::data_collection::DataCollection;
use crate::record::request_parts::RequestParts;
use crate::record::response_parts::ResponseParts;
use crate::trace::state::{Recording, SharedTrace};
use crate::util::clock::Moment;

/// A transaction; it ends when it is dropped or [`finish`](Self::finish)ed, and is then handed over for delivery.
///
/// It dereferences to the handle of its own span: tags, data, status, child spans and headers are there.
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

    /// A transaction that does nothing, for where there is no client.
    pub fn none() -> Self {
        Self { span: SpanRef::none() }
    }

    /// Whether it is recorded, to be sent.
    pub fn is_sampled(&self) -> bool {
        self.span.trace().is_some_and(|trace| trace.recording == Recording::Sampled)
    }

    /// Notes that its request carries a mark, for other layers that the request passes; see
    /// [`Incoming::arrive`](crate::Incoming::arrive).
    pub fn note_mark(&self) {
        if let Some(trace) = self.span.trace() {
            trace.mark();
        }
    }

    /// Ends the transaction and hands it over.
    pub fn finish(self) {}

    /// Ends the transaction without sending it; it is counted as lost for `reason`. Where spans are streamed, so are those
    /// of its spans that have not been sent yet.
    pub fn discard(self, reason: Reason) {
        if let Some(trace) = self.span.trace() {
            crate::trace::finish::discard_transaction(trace, reason);
        }
    }

    /// Names the transaction anew; `source` says where the name is from. What went out as `baggage` before keeps
    /// the old one.
    pub fn set_name(&self, name: impl AsRef<str>, source: TransactionSource) {
        self.set_transaction_name(name, source);
    }

    /// Notes when the first byte of an HTTP answer left, of one that goes on for longer.
    pub fn set_first_byte(&self, at: Moment) {
        self.with_record(|record, _| record.first_byte = Some(at));
    }

    /// Ends the transaction of an HTTP request and hands it over with what is known of the answer.
    pub fn finish_with_response(mut self, response: &ResponseParts) {
        self.end(|record| response.complete(record));
    }

    /// Makes the transaction's span current in `run`, as [`current::enter`](crate::handle::current::enter) does: the way of
    /// adapters that poll.
    pub fn enter_mut<R>(&mut self, run: impl FnOnce() -> R) -> R {
        crate::handle::current::enter(&mut self.span, run)
    }

    /// Its span, without ending it: whoever takes it does that.
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

/// How a transaction starts: its name and kind, and what may decide about it.
#[derive(Clone)]
pub struct TransactionOptions<'a> {
    /// Method and rest of the name; either may be empty.
    pub(crate) name: (&'static str, &'a str),
    pub(crate) source: TransactionSource,
    pub(crate) op: Cow<'static, str>,
    pub(crate) origin: &'static str,
    pub(crate) recorded: bool,
    pub(crate) sampled: Option<bool>,
    pub(crate) sample_rate: Option<f64>,
    pub(crate) sampler: Option<&'a Sampler>,
    pub(crate) request: Option<&'a dyn RequestParts>,
    pub(crate) custom: &'a [(&'a str, Value<'a>)],
    pub(crate) collection: Option<&'a DataCollection>,
}

impl<'a> TransactionOptions<'a> {
    /// A transaction with a name by hand (source `custom`, origin `manual`).
    #[inline]
    pub fn new(name: &'a str, op: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: ("", name),
            source: TransactionSource::Custom,
            op: op.into(),
            origin: "manual",
            recorded: true,
            sampled: None,
            sample_rate: None,
            sampler: None,
            request: None,
            custom: &[],
            collection: None,
        }
    }

    /// Names it `METHOD path`; the two are put together later, where time is cheap. `HTTP` stands for a method that is not
    /// [known](sentrace_protocol::http_method), so that no client can create names.
    #[must_use]
    #[inline]
    pub fn http_name(mut self, method: &str, path: &'a str) -> Self {
        self.name = (if method.is_empty() { "" } else { http_method::in_names(method) }, path);
        self
    }

    /// Where the name is from.
    #[must_use]
    #[inline]
    pub fn source(mut self, source: TransactionSource) -> Self {
        self.source = source;
        self
    }

    /// Which code starts it, for example `auto.http.tower`.
    #[must_use]
    #[inline]
    pub fn origin(mut self, origin: &'static str) -> Self {
        self.origin = origin;
        self
    }

    /// Whether there is a transaction at all: without one, the trace only passes through.
    #[must_use]
    #[inline]
    pub fn recorded(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Decides explicitly, before sampler, parent and rate.
    #[must_use]
    #[inline]
    pub fn sampled(mut self, sampled: bool) -> Self {
        self.sampled = Some(sampled);
        self
    }

    /// A rate that goes before the client's, from 0 to 1; anything else is ignored, with a warning.
    #[must_use]
    #[inline]
    pub fn sample_rate(mut self, rate: Option<f64>) -> Self {
        self.sample_rate = rate;
        self
    }

    /// A sampler that goes before the client's.
    #[must_use]
    #[inline]
    pub fn sampler(mut self, sampler: Option<&'a Sampler>) -> Self {
        self.sampler = sampler;
        self
    }

    /// What else a sampler may look at.
    ///
    /// ```
    /// use sentrace_core::TransactionOptions;
    ///
    /// let custom = [("tenant", "acme".into())];
    /// let options = TransactionOptions::new("import", "task").custom(&custom);
    /// ```
    #[must_use]
    #[inline]
    pub fn custom(mut self, custom: &'a [(&'a str, Value<'a>)]) -> Self {
        self.custom = custom;
        self
    }

    /// The request that a sampler may look at.
    #[must_use]
    #[inline]
    pub fn request(mut self, request: &'a dyn RequestParts) -> Self {
        self.request = Some(request);
        self
    }

    /// Records of the [`request`](Self::request) what `collection` lets be shown; without it, nothing.
    #[must_use]
    #[inline]
    pub fn data_collection(mut self, collection: &'a DataCollection) -> Self {
        self.collection = Some(collection);
        self
    }
}

impl fmt::Debug for TransactionOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionOptions")
            .field("name", &self.name)
            .field("op", &self.op)
            .field("source", &self.source)
            .field("sampled", &self.sampled)
            .field("sample_rate", &self.sample_rate)
            .finish_non_exhaustive()
    }
}
