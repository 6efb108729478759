//! What a client counts: lost events, what it did so far, how it ended.
pub(crate) mod close_report;
pub(crate) mod losses;
pub(crate) mod stats;
