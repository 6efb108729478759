//! What waits for more that goes into the same file.

use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use super::file;
use sentrace_outbox::{Consignment, Tally};

/// How long something waits for more that goes into the same file. A crash loses what waits.
const COMMIT_AFTER: Duration = Duration::from_millis(500);

/// What may wait in memory for a disk that does not take it.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// What is going to be a file.
#[derive(Debug, Default)]
pub(super) struct Pending {
    content: Vec<u8>,
    loads: Vec<(Consignment, Reason)>,
    since: Option<Instant>,
    /// Whether it could not be written when it was tried last.
    failed: bool,
}

impl Pending {
    pub(super) fn add(&mut self, load: Consignment, kept: &[u8], reason: Reason, now: Instant) {
        file::append(&mut self.content, load.tally(), kept);
        self.loads.push((load, reason));
        self.since.get_or_insert(now);
    }

    /// Whether it has waited long enough for more, or is large enough.
    pub(super) fn is_ready(&self, file_bytes: usize) -> bool {
        let enough = if self.failed { MAX_BYTES } else { file_bytes };
        self.content.len() >= enough
    }

    /// Whether so much waits for a disk that does not take it that no more may.
    pub(super) fn is_full(&self) -> bool {
        self.content.len() >= MAX_BYTES
    }

    /// It could not be written now and waits for the next try.
    pub(super) fn again(self, now: Instant) -> Self {
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

    /// When it is to be written at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + COMMIT_AFTER)
    }

    /// A file accounts for it from here on; `false` if it was counted as lost in the meantime.
    pub(super) fn kept(self) -> bool {
        Consignment::spooled(self.loads.into_iter().map(|(load, _)| load).collect())
    }

    /// There was no room for it.
    pub(super) fn overflowed(self) {
        self.loads.into_iter().for_each(|(load, _)| load.discard(Reason::CacheOverflow));
    }

    /// It could not be written: it is lost for what it was to be kept for.
    pub(super) fn failed(self) {
        self.loads.into_iter().for_each(|(load, reason)| load.discard(reason));
    }
}
