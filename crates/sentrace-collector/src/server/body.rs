//! Reads decoded request bodies within limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The maximum size of all bodies that are being read.
const MAX_IN_FLIGHT_KIB: usize = 512 * 1024;
const KIB: usize = 1024;

/// The memory for bodies that are being read.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

/// A body that was read. Its memory is released when it is dropped.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bytes: Vec<u8>,
    room: Vec<OwnedSemaphorePermit>,
}

/// The reason why a body was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// More than this many bytes after decompression.
    TooLarge(usize),
    /// The connection broke, or the compressed data is damaged.
    Broken(String),
    /// Too many other requests are being read.
    NoRoom,
    /// The body did not arrive in time.
    TooSlow(Duration),
}

/// How long a body may take to arrive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// In total.
    pub(super) whole: Duration,
    /// From one part to the next.
    pub(super) part: Duration,
}

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_IN_FLIGHT_KIB)))
    }

    /// Reads a body of at most `limit` bytes. Without a pace, its time is not limited.
    pub(super) async fn read(
        &self,
        mut body: Body,
        limit: usize,
        pace: Option<Pace>,
    ) -> Result<Whole, Unread> {
        let mut whole = Whole { bytes: Vec::new(), room: Vec::new() };
        let mut reserved = 0;
        let start = Instant::now();
        loop {
            let frame = match pace {
                None => body.frame().await,
                Some(pace) => {
                    let (part, end) = (Instant::now() + pace.part, start + pace.whole);
                    let time = if part < end { pace.part } else { pace.whole };
                    let in_time = timeout_at(part.min(end), body.frame()).await;
                    in_time.map_err(|_| Unread::TooSlow(time))?
                }
            };
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| Unread::Broken(error.to_string()))?;
            let Ok(data): Result<Bytes, _> = frame.into_data() else { continue };
            let size = whole.bytes.len().saturating_add(data.len());
            if size > limit {
                return Err(Unread::TooLarge(limit));
            }
            if size > reserved {
                // At least doubled, so that a body of many small frames takes few permits.
                let more = size.max(reserved * 2).max(64 * KIB) - reserved;
                let more = more.div_ceil(KIB);
                let permits = u32::try_from(more).map_err(|_| Unread::NoRoom)?;
                let room = Arc::clone(&self.0).try_acquire_many_owned(permits).map_err(|_| Unread::NoRoom)?;
                whole.room.push(room);
                reserved += more * KIB;
                whole.bytes.reserve_exact(reserved.min(limit).saturating_sub(whole.bytes.len()));
            }
            whole.bytes.extend_from_slice(&data);
        }
        whole.bytes.shrink_to_fit();
        Ok(whole)
    }
}
