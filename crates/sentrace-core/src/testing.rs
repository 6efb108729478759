//! For tests: a client that keeps what it records instead of sending it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sentrace_protocol::dsc::DynamicSamplingContext;
use sentrace_protocol::transaction::Transaction;

use crate::client::Client;
use crate::deliver::{Deliver, Finished};
use crate::losses::Losses;
use crate::options::{Options, OptionsError};

/// What a captured transaction was delivered as.
#[derive(Debug, Clone)]
pub struct Captured {
    /// The payload.
    pub transaction: Transaction<'static>,
    /// The envelope's `trace` header.
    pub dynamic_sampling_context: Option<DynamicSamplingContext>,
}

/// Keeps finished transactions in memory. Each has its own client, so that tests run in parallel.
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
    captured: Mutex<Vec<Captured>>,
    arrived: Condvar,
}

impl Capture {
    /// A client with `options` (no DSN is needed) and the memory behind it.
    ///
    /// # Errors
    /// [`OptionsError`] for the first option that breaks its rule.
    pub fn client(options: Options) -> Result<(Client, Arc<Self>), OptionsError> {
        let capture = Arc::new(Self::default());
        let deliver: Arc<dyn Deliver> = Arc::<Self>::clone(&capture);
        let client = Client::new(options, deliver, Arc::new(Losses::default()))?;
        Ok((client, capture))
    }

    /// Takes what has arrived so far, in the order of ending.
    pub fn take(&self) -> Vec<Captured> {
        std::mem::take(&mut *self.lock())
    }

    /// Waits until `count` transactions have arrived, or `timeout` is over, and takes what is there.
    pub fn wait_for(&self, count: usize, timeout: Duration) -> Vec<Captured> {
        let waited = self.arrived.wait_timeout_while(self.lock(), timeout, |captured| captured.len() < count);
        let (mut captured, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *captured)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Captured>> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deliver for Capture {
    fn deliver(&self, finished: Finished) {
        let dynamic_sampling_context = finished.dynamic_sampling_context();
        if let Some(transaction) = finished.transaction() {
            self.lock().push(Captured { transaction: transaction.into_owned(), dynamic_sampling_context });
            self.arrived.notify_all();
        }
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}
