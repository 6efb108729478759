//! The results of the `delivery` binary, and their tables.

mod table;

use serde::{Deserialize, Serialize};

pub use self::table::{Row, table};

/// What happened to the transactions that a service recorded, and the cost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Transactions that were recorded.
    pub recorded: u64,
    /// Transactions that the collector accepted.
    pub delivered: u64,
    /// Transactions that arrived more than once.
    pub twice: u64,
    /// Transactions that the collector refused with 429, and therefore counts itself.
    pub refused: u64,
    /// Transactions that were reported to the collector as lost.
    pub reported: u64,
    /// Transactions that were lost, but could not be reported before the end.
    pub unreported: u64,
    /// Average bytes of a request body.
    pub body_bytes: u64,
    /// Microseconds to record a request: the median.
    pub median: f64,
    /// Microseconds to record a request: the 99th percentile.
    pub p99: f64,
    /// Microseconds to record a request: the maximum.
    pub slowest: f64,
    /// CPU microseconds of the worker per transaction; `None` for a burst, which ends before the
    /// worker does.
    pub worker: Option<f64>,
    /// CPU microseconds of the worker per transaction in the kernel.
    pub kernel: Option<f64>,
    /// The peak of memory in bytes, over that at the start.
    pub memory: u64,
    /// Milliseconds to close the client.
    pub close: u64,
}

impl Figures {
    /// Returns how many transactions were recorded but not accounted for.
    pub fn unaccounted(&self) -> i64 {
        let known = self.delivered + self.refused + self.reported + self.unreported;
        self.recorded as i64 - known as i64
    }
}

/// A transport under load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Loaded {
    /// The load.
    pub scenario: String,
    /// The transport.
    pub transport: String,
    /// The result.
    pub figures: Figures,
}

/// Delivery while the collector misbehaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Faulted {
    /// The fault of the collector.
    pub fault: String,
    /// Whether there is a spool.
    pub spool: bool,
    /// The result.
    pub figures: Figures,
}

/// Instructions of the worker, which do not depend on the load of the machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counted {
    /// The protocol.
    pub protocol: String,
    /// Instructions per transaction, excluding the kernel.
    pub instructions: u64,
}

/// A long outage of the collector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outage {
    /// The configuration of the service.
    pub variant: String,
    /// Bytes on disk when the service ended.
    pub on_disk: u64,
    /// The result. Delivered transactions were delivered after the outage.
    pub figures: Figures,
}
