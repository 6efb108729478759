//! The outcome of closing a client.

use sentrace_protocol::DiscardedEvents;

/// The outcome of [`Client::close`](crate::Client::close).
///
/// ```
/// use std::time::Duration;
/// use sentrace_core::{Options, testing::Capture};
///
/// let (client, _capture) = Capture::client(Options::new().traces_sample_rate(0.0))?;
/// client.start_transaction("send invoice", "queue.task").finish();
/// let closed = client.close(Duration::from_secs(2));
/// assert!(closed.complete);
/// // No client reports are sent in a test, so the dropped transaction and its span stay unreported.
/// assert_eq!(closed.unreported.len(), 2);
/// # Ok::<(), sentrace_core::OptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// `true` if nothing was given up for lack of time and Sentry was told of everything that was
    /// lost. Then [`unreported`](Self::unreported) is empty.
    ///
    /// It is also `false` if the ingest is unreachable or rejects the last report, and in a forked
    /// process. If [`Options::send_client_reports`](crate::Options::send_client_reports) is off,
    /// losses are not reported to Sentry, and this only says that nothing was lost to the network,
    /// or for lack of time, while closing.
    pub complete: bool,
    /// What was lost since the last client report that arrived, by reason and category (Sentry SDK
    /// specification, *Client Reports* 1.20).
    ///
    /// Sentry does not know of it and this process will not report it, so it may be worth logging.
    /// If [`Options::send_client_reports`](crate::Options::send_client_reports) is off, this is
    /// everything that was ever lost.
    pub unreported: Vec<DiscardedEvents>,
}
