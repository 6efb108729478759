//! An envelope on its way.

use std::time::Instant;

use bytes::Bytes;

use crate::spool::FileId;
use sentrace_outbox::Consignment;

/// An envelope, compressed, with what it counts for.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) load: Consignment,
    pub(crate) body: Bytes,
    pub(crate) kind: Kind,
    pub(crate) tries: u32,
    /// When it was posted last.
    pub(crate) posted_at: Option<Instant>,
    /// Until when it may be tried again; known once it failed.
    pub(crate) give_up_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With its place among all that left the queue.
    Fresh(u64),
    /// From the spool, where it still is in this file.
    Kept(FileId),
    /// A client report alone. It is not tried again: its counts go into the next one.
    Report,
}

impl Parcel {
    pub(crate) fn new(load: Consignment, body: Bytes, kind: Kind) -> Self {
        Self { load, body, kind, tries: 0, posted_at: None, give_up_at: None }
    }
}
