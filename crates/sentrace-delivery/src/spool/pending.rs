//! Envelopes that are collected for one file.

use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use super::file;
use sentrace_outbox::{Consignment, Tally};

/// How long an envelope waits for others. A crash loses what waits.
const COMMIT_AFTER: Duration = Duration::from_millis(500);

/// What may wait in memory for a disk that fails.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The content of the next file.
#[derive(Debug, Default)]
pub(super) struct Pending {
    content: Vec<u8>,
    loads: Vec<(Consignment, Reason)>,
    since: Option<Instant>,
    /// Whether the last attempt to write it failed.
    failed: bool,
}

impl Pending {
    pub(super) fn add(&mut self, load: Consignment, kept: &[u8], reason: Reason, now: Instant) {
        file::append(&mut self.content, load.tally(), kept);
        self.loads.push((load, reason));
        self.since.get_or_insert(now);
    }

    /// Returns `true` if it is large enough to be written.
    pub(super) fn is_ready(&self, file_bytes: usize) -> bool {
        let enough = if self.failed { MAX_BYTES } else { file_bytes };
        self.content.len() >= enough
    }

    /// Returns `true` if no more may wait for a disk that fails.
    pub(super) fn is_full(&self) -> bool {
        self.content.len() >= MAX_BYTES
    }

    /// Keeps it for another attempt after a failure.
    pub(super) fn retry_later(self, now: Instant) -> Self {
        Self { since: Some(now), failed: true, ..self }
    }

    pub(super) fn content(&self) -> &[u8] {
        &self.content
    }

    pub(super) fn is_empty(&self) -> bool {
        self.loads.is_empty()
    }

    pub(super) fn tally(&self) -> Tally {
        self.loads.iter().fold(Tally::default(), |sum, (load, _)| sum.plus(load.tally()))
    }

    /// Returns when it has to be written.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + COMMIT_AFTER)
    }

    /// Records that it was written. Returns `false` if it was counted as lost in the meantime.
    pub(super) fn written(self) -> bool {
        Consignment::spooled(self.loads.into_iter().map(|(load, _)| load).collect())
    }

    /// Discards it because the spool is full.
    pub(super) fn overflowed(self) {
        self.loads.into_iter().for_each(|(load, _)| load.discard(Reason::CacheOverflow));
    }

    /// Discards it because it could not be written, for the reason that it was to be kept for.
    pub(super) fn failed(self) {
        self.loads.into_iter().for_each(|(load, reason)| load.discard(reason));
    }
}
