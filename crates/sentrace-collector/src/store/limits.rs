//! How much a collector keeps, and how long it waits.

use std::time::Duration;

/// Bounds on the memory of a collector and on its patience. What does not fit makes the oldest trace go.
///
/// ```
/// use sentrace_collector::Limits;
///
/// let limits = Limits::default().traces(20).bytes(8 * 1024 * 1024);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub(crate) traces: usize,
    pub(crate) transactions: usize,
    pub(crate) bytes: usize,
    pub(crate) problems: usize,
    pub(crate) envelope: usize,
    pub(crate) client_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            traces: 500,
            transactions: 1_000,
            bytes: 256 * 1024 * 1024,
            problems: 1_000,
            envelope: 200 * 1024 * 1024,
            client_time: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// How many traces are kept (500).
    #[must_use]
    pub fn traces(mut self, traces: usize) -> Self {
        self.traces = traces.max(1);
        self
    }

    /// How many transactions are kept of one trace (1,000). Further ones are counted.
    #[must_use]
    pub fn transactions_per_trace(mut self, transactions: usize) -> Self {
        self.transactions = transactions.max(1);
        self
    }

    /// How many bytes all traces may take in memory, estimated (256 MiB).
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// How many problems are kept (1,000), newest last.
    #[must_use]
    pub fn problems(mut self, problems: usize) -> Self {
        self.problems = problems;
        self
    }

    /// How many bytes an envelope may have after decompression (200 MiB, Sentry's own limit).
    #[must_use]
    pub fn envelope_bytes(mut self, bytes: usize) -> Self {
        self.envelope = bytes;
        self
    }

    /// How long a client may take to send the head of a request, to send the body, and to read an answer (30 seconds
    /// each). A body of which nothing comes for a third of that is given up earlier.
    ///
    /// Does not apply to bodies while [`Behaviour::slow_read`](crate::Behaviour::slow_read) is set.
    #[must_use]
    pub fn client_time(mut self, time: Duration) -> Self {
        self.client_time = time.clamp(Duration::from_millis(1), Duration::from_secs(24 * 60 * 60));
        self
    }
}
