//! Combines the results of a service with those of the collector.

use sentrace_bench::delivery::Figures;

use crate::ingest::Counts;
use crate::service::Recorded;

/// Returns all figures of a run.
pub fn figures(recorded: &Recorded, counts: &Counts) -> Figures {
    let micros = |nanos: u64| nanos as f64 / 1_000.0;
    let each = |nanos: u64| micros(nanos) / recorded.recorded as f64;
    Figures {
        recorded: recorded.recorded,
        delivered: counts.accepted,
        twice: counts.twice,
        refused: counts.refused_429,
        reported: counts.reported,
        unreported: recorded.unreported,
        body_bytes: counts.body_bytes.checked_div(counts.accepted).unwrap_or(0),
        median: micros(recorded.median_ns),
        p99: micros(recorded.p99_ns),
        slowest: micros(recorded.slowest_ns),
        worker: recorded.worker_ns.map(each),
        kernel: recorded.kernel_ns.map(each),
        memory: recorded.memory_peak.saturating_sub(recorded.memory_before),
        close: recorded.close_ms,
    }
}
