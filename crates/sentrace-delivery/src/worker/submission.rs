//! An envelope on its way to the ingest.

use std::time::Instant;

use bytes::Bytes;
use sentrace_outbox::Consignment;

use crate::spool::FileId;

/// A compressed envelope with what it counts for.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) consignment: Consignment,
    pub(super) body: Bytes,
    pub(super) origin: Origin,
    pub(super) attempts: u32,
    /// When it was posted last.
    pub(super) posted_at: Option<Instant>,
    /// Until when it is retried. Set by its first failure.
    pub(super) give_up_at: Option<Instant>,
}

/// Where an envelope comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From the queue, with its position among all that left it.
    Queue(u64),
    /// From this file of the spool, which still holds it.
    Spool(FileId),
    /// A client report alone. It is not retried: the next report includes its counts.
    Report,
}

impl Submission {
    pub(super) fn new(consignment: Consignment, body: Bytes, origin: Origin) -> Self {
        Self { consignment, body, origin, attempts: 0, posted_at: None, give_up_at: None }
    }
}
