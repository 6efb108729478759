//! Test support: a client that keeps what it records instead of sending it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::span_v2;
use sentrace_protocol::transaction::{TransactionPayload, TransactionSpan};

use crate::account::losses::Losses;
use crate::client::Client;
use crate::options::{Options, OptionsError};
use crate::trace::deliver::{Deliver, FinishedTransaction};
use crate::trace::finished_span::{DeliverSpans, FinishedSpan};

/// Long enough for what tests do, short enough for a test that fails.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A transaction as it was delivered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CapturedTransaction {
    /// The payload.
    pub transaction: TransactionPayload<'static>,
    /// The envelope's `trace` header.
    pub dynamic_sampling_context: Option<DynamicSamplingContext>,
}

impl CapturedTransaction {
    /// Returns the span with this description.
    ///
    /// # Panics
    /// Panics if there is none, with the descriptions of all spans.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion of a test")]
    pub fn expect_span(&self, description: &str) -> &TransactionSpan<'static> {
        let spans = &self.transaction.spans;
        spans.iter().find(|span| span.description.as_deref() == Some(description)).unwrap_or_else(|| {
            let descriptions: Vec<_> = spans.iter().map(|span| span.description.as_deref()).collect();
            panic!("no span {description:?} in {:?}, but {descriptions:?}", self.transaction.name)
        })
    }
}

/// A streamed span as it was delivered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CapturedSpan {
    /// The payload.
    pub span: span_v2::StreamedSpan<'static>,
    /// The envelope's `trace` header.
    pub dynamic_sampling_context: Option<DynamicSamplingContext>,
}

/// Keeps finished transactions, or streamed spans, in memory. Each has its own client, so tests can
/// run in parallel.
///
/// ```
/// use sentrace_core::{Options, testing::Capture};
///
/// let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
/// client.start_transaction("send invoice", "queue.task").finish();
/// assert_eq!(capture.take()[0].transaction.name, "send invoice");
/// ```
#[derive(Debug, Default)]
pub struct Capture {
    captured: Mutex<Vec<CapturedTransaction>>,
    arrived: Condvar,
    spans: Mutex<Vec<FinishedSpan>>,
    span_arrived: Condvar,
}

impl Capture {
    /// Creates a client with `options` (no DSN is needed), and the capture that it delivers to.
    ///
    /// # Errors
    /// Returns an [`OptionsError`] for the first invalid option.
    pub fn client(options: Options) -> Result<(Client, Arc<Self>), OptionsError> {
        let capture = Arc::new(Self::default());
        let deliver: Arc<dyn Deliver> = Arc::<Self>::clone(&capture);
        let client = Client::new(options, deliver, Arc::new(Losses::default()))?;
        Ok((client, capture))
    }

    /// Takes what has arrived so far, in the order in which it ended.
    pub fn take(&self) -> Vec<CapturedTransaction> {
        std::mem::take(&mut *self.lock())
    }

    /// Waits until `count` transactions have arrived or `timeout` has elapsed, and takes what has
    /// arrived.
    pub fn wait_for(&self, count: usize, timeout: Duration) -> Vec<CapturedTransaction> {
        let waited = self.arrived.wait_timeout_while(self.lock(), timeout, |captured| captured.len() < count);
        let (mut captured, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *captured)
    }

    /// Takes the first transaction with this name, and leaves others. Waits for it for up to five
    /// seconds.
    ///
    /// ```
    /// use sentrace_core::{Options, testing::Capture};
    ///
    /// let (client, capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();
    /// let transaction = client.start_transaction("send invoice", "queue.task");
    /// transaction.start_span("db.query", "SELECT 1").finish();
    /// transaction.finish();
    /// let captured = capture.expect_transaction("send invoice");
    /// assert_eq!(captured.expect_span("SELECT 1").op, "db.query");
    /// ```
    ///
    /// # Panics
    /// Panics if none arrives, with the names of those that did.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion of a test")]
    pub fn expect_transaction(&self, name: &str) -> CapturedTransaction {
        let find =
            |captured: &[CapturedTransaction]| captured.iter().position(|one| one.transaction.name == name);
        let waited =
            self.arrived.wait_timeout_while(self.lock(), TIMEOUT, |captured| find(captured).is_none());
        let (mut captured, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match find(&captured) {
            Some(at) => captured.remove(at),
            None => {
                let names: Vec<_> = captured.iter().map(|one| one.transaction.name.clone()).collect();
                drop(captured);
                panic!("no transaction {name:?} came within {TIMEOUT:?}, but {names:?}");
            }
        }
    }

    /// Takes the streamed spans that have arrived so far, in the order in which they ended, with
    /// what is known of their transactions by now. Discarded ones are counted instead.
    pub fn take_spans(&self) -> Vec<CapturedSpan> {
        let finished = std::mem::take(&mut *self.lock_spans());
        finished.into_iter().filter_map(captured_span).collect()
    }

    /// Waits until `count` streamed spans have arrived or `timeout` has elapsed, and takes what has
    /// arrived.
    pub fn wait_for_spans(&self, count: usize, timeout: Duration) -> Vec<CapturedSpan> {
        let waited =
            self.span_arrived.wait_timeout_while(self.lock_spans(), timeout, |spans| spans.len() < count);
        drop(waited);
        self.take_spans()
    }

    fn lock_spans(&self) -> MutexGuard<'_, Vec<FinishedSpan>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<CapturedTransaction>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deliver for Capture {
    fn deliver(&self, finished: FinishedTransaction) {
        let dynamic_sampling_context = finished.dynamic_sampling_context();
        if let Some(transaction) = finished.transaction() {
            self.lock().push(CapturedTransaction {
                transaction: transaction.into_owned(),
                dynamic_sampling_context,
            });
            self.arrived.notify_all();
        }
    }

    fn spans(&self) -> Option<&dyn DeliverSpans> {
        Some(self)
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}

impl DeliverSpans for Capture {
    fn deliver_span(&self, span: FinishedSpan) {
        self.lock_spans().push(span);
        self.span_arrived.notify_all();
    }
}

fn captured_span(finished: FinishedSpan) -> Option<CapturedSpan> {
    if let Some(reason) = finished.discard_reason() {
        finished.discard(reason);
        return None;
    }
    let dynamic_sampling_context = finished.dynamic_sampling_context();
    let span = finished.read(|span| span.clone().into_owned())?;
    Some(CapturedSpan { span, dynamic_sampling_context })
}
