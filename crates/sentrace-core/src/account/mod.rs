//! What a client counts: lost events, statistics, and the outcome of closing.
pub(crate) mod close_report;
pub(crate) mod losses;
pub(crate) mod stats;
