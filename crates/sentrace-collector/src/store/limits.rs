//! Limits on memory and waiting time.

use std::time::Duration;

/// Limits on the memory and the waiting time of a collector. If the memory limits are exceeded, the
/// oldest traces are discarded.
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
    /// Sets how many traces are kept (default: 500).
    #[must_use]
    pub fn traces(mut self, traces: usize) -> Self {
        self.traces = traces.max(1);
        self
    }

    /// Sets how many transactions are kept per trace (default: 1,000). Further ones are only
    /// counted.
    #[must_use]
    pub fn transactions_per_trace(mut self, transactions: usize) -> Self {
        self.transactions = transactions.max(1);
        self
    }

    /// Sets how many bytes all traces may take in memory, as estimated (default: 256 MiB).
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how many of the most recent problems are kept (default: 1,000).
    #[must_use]
    pub fn problems(mut self, problems: usize) -> Self {
        self.problems = problems;
        self
    }

    /// Sets the maximum size of an envelope after decompression (default: 200 MiB, which is
    /// Sentry's limit).
    #[must_use]
    pub fn envelope_bytes(mut self, bytes: usize) -> Self {
        self.envelope = bytes;
        self
    }

    /// Sets how long a client may take to send the head of a request, to send the body, and to read
    /// an answer (default: 30 seconds each). A body is given up earlier if nothing arrives for a
    /// third of that time.
    ///
    /// Does not apply to bodies while [`Behaviour::slow_read`](crate::Behaviour::slow_read) is set.
    #[must_use]
    pub fn client_time(mut self, time: Duration) -> Self {
        self.client_time = time.clamp(Duration::from_millis(1), Duration::from_secs(24 * 60 * 60));
        self
    }
}
