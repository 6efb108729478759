//! Time limits that posts share: a timer of its own costs each of them a system call.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::sleep;

/// So many timers run at the same time at most; a limit is short by this share of it.
const TIMERS: u32 = 30;

/// Gives what begins at about the same time the same end.
#[derive(Debug)]
pub(super) struct Deadlines {
    limit: Duration,
    latest: Mutex<Option<(Instant, Arc<Notify>)>>,
}

impl Deadlines {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, latest: Mutex::default() }
    }

    /// The limit, which is never exceeded.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// Is ready when what begins now has to end.
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
