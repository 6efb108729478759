//! How a client's end went.

use sentrace_protocol::DiscardedEvents;

/// What [`Client::close`](crate::Client::close) leaves behind.
///
/// ```
/// use std::time::Duration;
/// use sentrace_core::{Options, testing::Capture};
///
/// let (client, _capture) = Capture::client(Options::new().traces_sample_rate(0.0))?;
/// client.start_transaction("send invoice", "queue.task").finish();
/// let closed = client.close(Duration::from_secs(2));
/// assert!(closed.complete);
/// // Nobody sends client reports in a test, so the dropped transaction and its span stay with us.
/// assert_eq!(closed.unreported.len(), 2);
/// # Ok::<(), sentrace_core::OptionsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Whether closing left no gap: nothing was given up for want of time, and Sentry has been told of everything that was
    /// lost. Then [`unreported`](Self::unreported) is empty. `false` also if the ingest cannot be reached or refuses the
    /// last report, and in a forked process.
    ///
    /// If [`Options::send_client_reports`](crate::Options::send_client_reports) is off, nobody tells Sentry of losses, and
    /// this only says that nothing was lost to the network, or for want of time, while closing.
    pub complete: bool,
    /// What was lost since the last client report that arrived, by reason and category (Sentry SDK specification,
    /// *Client Reports* 1.20). Sentry does not know of it, and will not be told by this process: to be logged, say.
    /// Where [`Options::send_client_reports`](crate::Options::send_client_reports) is off, this is all that was ever
    /// lost.
    pub unreported: Vec<DiscardedEvents>,
}
