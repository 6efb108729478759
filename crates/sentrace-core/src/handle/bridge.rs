//! Methods for bridges from other instrumentation, whose spans have different rules for start, end
//! and parent.

use std::borrow::Cow;
use std::time::Instant;

use crate::decide::recording::Recording;
use crate::handle::span::{Span, SpanRef};
use crate::record::Text;
use crate::util::clock::FastInstant;

impl SpanRef {
    /// Returns `true` if there is a transaction, sampled or not; it may have ended. A trace that
    /// was only continued has none, and neither has one while tracing is off.
    pub fn has_transaction(&self) -> bool {
        self.trace().is_some_and(|trace| trace.recording != Recording::NotTraced)
    }

    /// Starts a span with this [origin](Self::set_origin); see [`start_span`](Self::start_span).
    ///
    /// ```
    /// sentrace_core::current_span().start_span_of("auto.mine", "template", "header").finish();
    /// ```
    pub fn start_span_of(
        &self,
        origin: &'static str,
        op: impl Into<Cow<'static, str>>,
        description: impl AsRef<str>,
    ) -> Span {
        Span(self.start_child_with(op.into(), description.as_ref(), None, |record, slot| {
            if let Some(span) = slot.of_mut(&mut record.spans) {
                span.origin = Text::Literal(origin);
            }
        }))
    }

    /// Starts a span that began at `start`, for work that is reported when it is done. See
    /// [`start_span`](Self::start_span).
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let took = Duration::from_millis(7);
    /// if let Some(start) = Instant::now().checked_sub(took) {
    ///     sentrace_core::current_span().start_span_at("db.query", "SELECT 1", start).finish();
    /// }
    /// ```
    pub fn start_span_at(
        &self,
        op: impl Into<Cow<'static, str>>,
        description: impl AsRef<str>,
        start: Instant,
    ) -> Span {
        let span = self.start_span(op, description);
        span.with_record(|record, slot| {
            if let Some(span) = slot.of_mut(&mut record.spans) {
                span.start = FastInstant::of(start);
            }
        });
        span
    }

    /// Sets a description that repeats what the attributes say, such as a statement. In stream mode the attributes name the
    /// span then, until code names it; see [`span_name`](sentrace_protocol::span_name).
    pub fn set_derived_description(&self, description: &str) {
        self.with_record(|record, slot| {
            record.set_description(slot, description);
            if let Some(span) = slot.of_mut(&mut record.spans) {
                span.derives_name = true;
            }
        });
    }

    /// Records now as the span's end, unless it is [resumed](Span::resume).
    ///
    /// If its transaction ends first, the span is sent with this end instead of being dropped as
    /// unfinished. Only the owner of the span may call this, and has to call `resume` if the span
    /// continues.
    pub fn end_provisionally(&self) {
        self.with_record(|record, slot| {
            if let Some(span) = slot.of_mut(&mut record.spans) {
                span.end = Some(FastInstant::now());
                span.end_is_provisional = true;
            }
        });
    }
}

impl Span {
    /// Discards a [provisional end](SpanRef::end_provisionally). The span ends when it is finished
    /// or dropped.
    pub fn resume(&self) {
        self.with_record(|record, slot| {
            if let Some(span) = slot.of_mut(&mut record.spans) {
                span.end = None;
                span.end_is_provisional = false;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::Options;
    use crate::testing::Capture;

    fn recording() -> (crate::Client, std::sync::Arc<Capture>) {
        Capture::client(Options::new().traces_sample_rate(1.0)).unwrap()
    }

    #[test]
    fn a_span_that_is_told_of_when_it_is_done_has_the_time_that_it_took() {
        let (client, capture) = recording();
        let transaction = client.start_transaction("work", "task");
        let took = Duration::from_millis(250);
        let start = Instant::now().checked_sub(took).unwrap();
        transaction.start_span_at("db.query", "SELECT 1", start).finish();
        let until_done = start.elapsed();
        transaction.finish();
        let captured = capture.expect_transaction("work");
        let span = captured.expect_span("SELECT 1");
        let lasted = span.timestamp.0 - span.start_timestamp.0;
        // The two times are read from different clocks.
        let apart = Duration::from_millis(1);
        assert!((took - apart..=until_done + apart).contains(&lasted), "{lasted:?} of {until_done:?}");
    }

    #[test]
    fn a_span_that_may_have_ended_is_sent_though_its_transaction_ends_first() {
        let (client, capture) = recording();
        let transaction = client.start_transaction("work", "task");
        let left = transaction.start_span("task", "left");
        let gone_on = transaction.start_span("task", "gone on");
        left.end_provisionally();
        gone_on.end_provisionally();
        gone_on.resume();
        transaction.finish();
        let captured = capture.expect_transaction("work");
        captured.expect_span("left");
        assert_eq!(captured.transaction.spans.len(), 1, "the other one has no end");
    }

    #[test]
    fn there_is_a_transaction_wherever_one_was_decided_about() {
        let rows =
            [(Some(1.0), true, "sampled"), (Some(0.0), true, "not sampled"), (None, false, "tracing is off")];
        for (rate, expected, reason) in rows {
            let options = rate.map_or_else(Options::new, |rate| Options::new().traces_sample_rate(rate));
            let (client, _) = Capture::client(options).unwrap();
            assert_eq!(client.start_transaction("work", "task").has_transaction(), expected, "{reason}");
            assert!(!client.start_new_trace().enter(crate::current_span).has_transaction(), "only a trace");
        }
    }
}
