//! How finished spans are sent: with their transaction or individually.

use std::time::Duration;

use crate::decide::ignore::IgnoreSpan;
use crate::options::Options;

/// How spans are sent (Sentry SDK specification, *Spans* 1.0, `trace_lifecycle`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TraceLifecycle {
    /// A transaction is sent when it ends, with the spans that have ended by then. Spans beyond
    /// 1,000, and spans that end later, are lost.
    #[default]
    Static,
    /// Each span is sent individually soon after it ends, in envelopes with others of its trace.
    /// There are no transaction events, so hooks for transactions do not run.
    Stream,
}

/// The options of the lifecycle.
#[derive(Debug, Clone, Default)]
pub(crate) struct LifecycleOptions {
    pub(crate) lifecycle: TraceLifecycle,
    pub(crate) ignore: Vec<IgnoreSpan>,
    pub(crate) flush_interval: Option<Duration>,
}

pub(super) const DEFAULT_FLUSH_INTERVAL: Duration = Duration::from_secs(5);

impl Options {
    /// Sets how spans are sent. Defaults to [`TraceLifecycle::default`].
    ///
    /// [`Options::from_env`] sets it from `SENTRY_TRACE_LIFECYCLE`. What code sets takes precedence.
    ///
    /// ```
    /// use sentrace_core::{Options, TraceLifecycle};
    ///
    /// let options = Options::new().traces_sample_rate(1.0).trace_lifecycle(TraceLifecycle::Stream);
    /// ```
    #[must_use]
    pub fn trace_lifecycle(mut self, lifecycle: TraceLifecycle) -> Self {
        self.lifecycle.lifecycle = lifecycle;
        self
    }

    /// Sets which spans are not recorded. Rules are checked when a span starts, by its name and
    /// attributes; see [`IgnoreSpan`].
    ///
    /// Children of an ignored span become children of the next recorded one. Below an ignored
    /// transaction nothing is recorded, and its trace is propagated. Everything that is ignored is
    /// counted as lost for `ignored`.
    ///
    /// ```
    /// use sentrace_core::{IgnoreSpan, Options};
    ///
    /// let options = Options::new().ignore_spans([
    ///     IgnoreSpan::any().attribute("url.path", "/health"),
    ///     IgnoreSpan::any().op("cache.get"),
    ///     IgnoreSpan::regex("^SELECT 1$")?,
    /// ]);
    /// # Ok::<(), sentrace_core::PatternError>(())
    /// ```
    #[must_use]
    pub fn ignore_spans(mut self, rules: impl IntoIterator<Item = impl Into<IgnoreSpan>>) -> Self {
        self.lifecycle.ignore = rules.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how long a streamed span waits at most for others of its trace. Defaults to 5 seconds.
    /// Spans are sent earlier when their transaction ends, or when there are many.
    #[must_use]
    pub fn span_flush_interval(mut self, interval: Duration) -> Self {
        self.lifecycle.flush_interval = Some(interval);
        self
    }
}
