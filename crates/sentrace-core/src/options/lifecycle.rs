//! How finished spans are sent: with their transaction or by themselves.

use std::time::Duration;

use crate::decide::ignore::IgnoreSpan;
use crate::options::Options;

/// How spans are sent (Sentry SDK specification, *Spans* 1.0, `trace_lifecycle`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TraceLifecycle {
    /// A transaction is sent when it ends, with the spans that have ended by then. What it lacks: spans beyond
    /// 1,000, and spans that end later.
    #[default]
    Static,
    /// Each span is sent by itself, soon after it has ended, in envelopes with others of its trace. There are no
    /// transaction events then, so nothing that judges whole transactions runs.
    Stream,
}

/// What of the options concerns the lifecycle.
#[derive(Debug, Clone, Default)]
pub(crate) struct LifecycleOptions {
    pub(crate) lifecycle: TraceLifecycle,
    pub(crate) ignore: Vec<IgnoreSpan>,
    pub(crate) flush_interval: Option<Duration>,
}

const DEFAULT_FLUSH_INTERVAL: Duration = Duration::from_secs(5);

impl Options {
    /// How spans are sent; [`TraceLifecycle::Static`] by default.
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

    /// Which spans are not recorded at all, judged when they start. What is below an ignored span moves up to the
    /// next one that is recorded; below an ignored transaction nothing is recorded, and its trace passes through.
    /// Everything that is ignored is counted as lost for `ignored`.
    ///
    /// ```
    /// use sentrace_core::{IgnoreSpan, Options};
    ///
    /// let options = Options::new().ignore_spans([
    ///     IgnoreSpan::contains("/health"),
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

    /// How long a finished span waits at most for others of its trace, where spans are streamed; 5 seconds by
    /// default. They leave earlier when their transaction ends, or when there are many.
    #[must_use]
    pub fn span_flush_interval(mut self, interval: Duration) -> Self {
        self.lifecycle.flush_interval = Some(interval);
        self
    }

    /// How spans are sent.
    pub fn get_trace_lifecycle(&self) -> TraceLifecycle {
        self.lifecycle.lifecycle
    }

    /// How long a finished span waits at most for others of its trace.
    pub fn get_span_flush_interval(&self) -> Duration {
        self.lifecycle.flush_interval.unwrap_or(DEFAULT_FLUSH_INTERVAL)
    }
}
