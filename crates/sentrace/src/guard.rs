//! Keeps the client, and flushes when it goes.

use std::time::{Duration, Instant};

use sentrace_core::{Client, CloseReport};

/// The client that [`init`](crate::init) made global. Dropping it sends what is left, within
/// [`Options::shutdown_timeout`](crate::Options::shutdown_timeout), and takes the client away; one that was global before
/// it, and is still guarded, is global again.
///
/// Keep it in `main` until the server has stopped: `let _sentrace = sentrace::init(..)?;`.
#[derive(Debug)]
#[must_use = "dropping the guard at once takes the client away: bind it, `let _sentrace = …`"]
pub struct Guard {
    client: Client,
    shutdown_timeout: Duration,
    since: Instant,
    /// Whether it was closed, which nobody does by mistake.
    closed: bool,
}

impl Guard {
    pub(crate) fn new(client: Client, shutdown_timeout: Duration) -> Self {
        Self { client, shutdown_timeout, since: Instant::now(), closed: false }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until what has finished so far is delivered or lost; whether that came true within `timeout`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.client.flush(timeout)
    }

    /// Does at once what dropping it does, within `timeout`, and says how it went: what could not be delivered, nor
    /// reported to Sentry as lost, is in [`CloseReport::unreported`].
    pub fn close(mut self, timeout: Duration) -> CloseReport {
        self.client.unbind();
        self.shutdown_timeout = Duration::ZERO;
        self.closed = true;
        self.client.close(timeout)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.client.unbind();
        if !self.closed {
            self.client.guard_dropped(self.since.elapsed());
        }
        self.client.close(self.shutdown_timeout);
    }
}
