//! What the `delivery` binary finds out, as figures and as the tables that show them.

mod table;

use serde::{Deserialize, Serialize};

pub use self::table::{Row, table};

/// What became of all that a service recorded, and what that cost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Transactions that were recorded.
    pub recorded: u64,
    /// Of them, those that the collector took.
    pub delivered: u64,
    /// Those that came more than once.
    pub twice: u64,
    /// Those that the collector refused with 429, so that they are its to count.
    pub refused: u64,
    /// Those of which the collector was told that they are lost.
    pub reported: u64,
    /// Those that were lost and of which nobody could be told before the end.
    pub unreported: u64,
    /// Bytes of the body of a post, on average.
    pub body_bytes: u64,
    /// Microseconds that a request took to be recorded: half of them no more than this.
    pub median: f64,
    /// The same, 99 of a hundred.
    pub p99: f64,
    /// The same, all.
    pub slowest: f64,
    /// Microseconds on a processor of the worker for each transaction; `None` for a burst, which ends before the worker does.
    pub worker: Option<f64>,
    /// Of them, those in the kernel.
    pub kernel: Option<f64>,
    /// Most bytes in memory, over those at the start.
    pub memory: u64,
    /// Milliseconds until the client was closed.
    pub close: u64,
}

impl Figures {
    /// Recorded, and nobody can say what became of them.
    pub fn unaccounted(&self) -> i64 {
        let known = self.delivered + self.refused + self.reported + self.unreported;
        self.recorded as i64 - known as i64
    }
}

/// A transport under a load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Loaded {
    /// How much is recorded.
    pub scenario: String,
    /// Who delivers it.
    pub transport: String,
    /// What became of it.
    pub figures: Figures,
}

/// Delivery while the collector misbehaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Faulted {
    /// What the collector does.
    pub fault: String,
    /// Whether there is a spool.
    pub spool: bool,
    /// What became of what was recorded.
    pub figures: Figures,
}

/// Instructions of the worker, which do not depend on what else the machine does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counted {
    /// What is spoken with the collector.
    pub protocol: String,
    /// Instructions for each transaction, outside the kernel.
    pub instructions: u64,
}

/// A collector that is down for long.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outage {
    /// What the service has.
    pub variant: String,
    /// Bytes on disk when the service ended.
    pub on_disk: u64,
    /// What became of what was recorded; what is delivered is delivered afterwards.
    pub figures: Figures,
}
