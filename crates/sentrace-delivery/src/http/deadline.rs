//! Deadlines that posts share, because a timer for each would cost a system call.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::sleep;

/// How many timers run at the same time at most. A deadline may be early by this fraction of the limit.
const TIMERS: u32 = 30;

/// Gives posts that begin at about the same time the same deadline.
#[derive(Debug)]
pub(super) struct Deadlines {
    limit: Duration,
    latest: Mutex<Option<(Instant, Arc<Notify>)>>,
}

impl Deadlines {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, latest: Mutex::default() }
    }

    /// Returns the limit, which is never exceeded.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns a future that is ready at the deadline of what begins now.
    pub(super) fn next(&self) -> OwnedNotified {
        let now = Instant::now();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let shared =
            latest.take().filter(|(began, _)| now.saturating_duration_since(*began) < self.limit / TIMERS);
        let (_, end) = latest.insert(shared.unwrap_or_else(|| (now, self.start())));
        Arc::clone(end).notified_owned()
    }

    fn start(&self) -> Arc<Notify> {
        let end = Arc::<Notify>::default();
        let (limit, ends) = (self.limit, Arc::clone(&end));
        tokio::spawn(async move {
            sleep(limit).await;
            ends.notify_waiters();
        });
        end
    }
}
