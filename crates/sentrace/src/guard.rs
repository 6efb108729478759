//! The guard of the global client, which closes it.

use std::time::{Duration, Instant};

use sentrace_core::{Client, CloseReport};

/// Guards the client that [`init`](crate::init) made global. Dropping it sends the remaining data, within
/// [`Options::shutdown_timeout`](crate::Options::shutdown_timeout), and closes the client. If another client was global before
/// and still has its guard, it is global again.
///
/// Keep the guard in `main` until the server has stopped: `let _sentrace = sentrace::init(..)?;`.
#[derive(Debug)]
#[must_use = "dropping the guard at once closes the client: bind it, `let _sentrace = …`"]
pub struct Guard {
    client: Client,
    shutdown_timeout: Duration,
    since: Instant,
    /// Whether `close` was called, which does not happen by mistake.
    closed: bool,
}

impl Guard {
    pub(crate) fn new(client: Client, shutdown_timeout: Duration) -> Self {
        Self { client, shutdown_timeout, since: Instant::now(), closed: false }
    }

    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits until everything that has finished so far is delivered or lost. Returns `false` if `timeout` elapsed before.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.client.flush(timeout)
    }

    /// Closes the client within `timeout` instead of when the guard is dropped. What could neither be delivered nor reported
    /// to Sentry as lost is in [`CloseReport::unreported`].
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
