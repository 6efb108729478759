//! Links from a span to other spans.

use sentrace_protocol::SpanLink;

use super::span::SpanRef;

impl SpanRef {
    /// Adds a link to another span. Nothing happens if this span is not recorded.
    ///
    /// A span keeps 128 links with 16 attributes each, and 256 bytes of each text; a transaction keeps 1,024 links. What
    /// is beyond is left out, with a warning in debug mode (Sentry SDK specification, *Span Links* 1.0).
    ///
    /// ```
    /// use sentrace_core::{SpanLink, current_span, link_type};
    ///
    /// let written = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
    /// if let Some(link) = SpanLink::from_carrier(&written) {
    ///     current_span().add_link(link.link_type(link_type::CACHE_ORIGIN));
    /// }
    /// ```
    pub fn add_link(&self, link: SpanLink<'_>) {
        self.with_record(|record, slot| record.add_link(slot, link));
    }

    /// Adds links to other spans; see [`add_link`](Self::add_link). An `Option` of a link is fine, too.
    ///
    /// ```
    /// use sentrace_core::carriers::job::JobTrace;
    ///
    /// # let jobs: Vec<JobTrace> = Vec::new();
    /// // One span for a batch of messages from several traces:
    /// let batch = sentrace_core::start_span("queue.process", "mails");
    /// batch.add_links(jobs.iter().filter_map(JobTrace::link));
    /// ```
    pub fn add_links<'l>(&self, links: impl IntoIterator<Item = SpanLink<'l>>) {
        links.into_iter().for_each(|link| self.add_link(link));
    }

    /// Creates a link to this span. Returns `None` if there is no trace.
    ///
    /// ```
    /// let write = sentrace_core::start_span("cache.put", "cart");
    /// let read = sentrace_core::start_span("cache.get", "cart");
    /// read.add_links(write.link());
    /// ```
    pub fn link(&self) -> Option<SpanLink<'static>> {
        self.sentry_trace().map(SpanLink::new)
    }
}
