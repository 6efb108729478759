//! Client reports: when to tell Sentry what did not arrive.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sentrace_core::Losses;
use sentrace_protocol::ClientReport;

/// How often losses are reported (Sentry SDK specification, *Client Reports* 1.20: periodically, never one by one).
pub(crate) const INTERVAL: Duration = Duration::from_secs(30);

/// Entries that surely fit in the 4 KiB of a report.
const MAX_ENTRIES: usize = 40;

/// Reads the loss counters when a report is due.
#[derive(Debug)]
pub(crate) struct Reports {
    losses: Arc<Losses>,
    enabled: bool,
    interval: Duration,
    last: Instant,
}

impl Reports {
    pub(crate) fn new(losses: Arc<Losses>, enabled: bool, interval: Duration, now: Instant) -> Self {
        Self { losses, enabled, interval, last: now }
    }

    /// Whether anybody wants to know.
    pub(crate) fn are_enabled(&self) -> bool {
        self.enabled
    }

    /// How long until the next report is due; no time comes where nobody wants to know.
    pub(crate) fn due_in(&self, now: Instant) -> Duration {
        if !self.enabled {
            return Duration::MAX;
        }
        self.interval.saturating_sub(now.saturating_duration_since(self.last))
    }

    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due_in(now).is_zero()
    }

    /// Waits another interval, as if there had been a report.
    pub(crate) fn postpone(&mut self, now: Instant) {
        self.last = now;
    }

    /// Reads and resets the counters, due or not. `None` where there is nothing to report or nobody wants to know.
    pub(crate) fn take(&mut self, now: Instant) -> Option<ClientReport> {
        if !self.enabled {
            return None;
        }
        self.postpone(now);
        let mut discarded = self.losses.take();
        let later = discarded.split_off(discarded.len().min(MAX_ENTRIES));
        self.losses.restore(&later);
        let timestamp = Some(SystemTime::now().into());
        (!discarded.is_empty()).then_some(ClientReport { timestamp, discarded })
    }
}

#[cfg(test)]
mod tests {
    use sentrace_protocol::{Category, Reason};

    use super::*;

    fn reports(enabled: bool, now: Instant) -> (Reports, Arc<Losses>) {
        let losses = Arc::new(Losses::default());
        (Reports::new(Arc::clone(&losses), enabled, INTERVAL, now), losses)
    }

    #[test]
    fn a_report_is_due_every_thirty_seconds() {
        let start = Instant::now();
        let (mut reports, losses) = reports(true, start);
        assert!(!reports.is_due(start + Duration::from_secs(29)));
        assert!(reports.is_due(start + INTERVAL));
        losses.record(Reason::SampleRate, Category::Span, 2);
        assert_eq!(reports.take(start + INTERVAL).unwrap().discarded.len(), 1);
        assert!(!reports.is_due(start + INTERVAL * 2 - Duration::from_millis(1)));
        assert_eq!(reports.due_in(start + INTERVAL), INTERVAL);
        assert_eq!(reports.take(start + INTERVAL * 2), None, "nothing was lost since");
    }

    #[test]
    fn without_client_reports_the_counters_stay() {
        let start = Instant::now();
        let (mut reports, losses) = reports(false, start);
        losses.record(Reason::SampleRate, Category::Span, 2);
        assert!(!reports.is_due(start + INTERVAL * 2));
        assert_eq!(reports.take(start), None);
        assert_eq!(losses.take().len(), 1);
    }

    #[test]
    fn a_report_has_at_most_four_kibibytes_and_the_rest_waits() {
        let start = Instant::now();
        let (mut reports, losses) = reports(true, start);
        for reason in Reason::ALL {
            for category in Category::ALL {
                losses.record(reason, category, u64::MAX);
            }
        }
        let mut entries = 0;
        while let Some(report) = reports.take(start) {
            assert!(serde_json::to_vec(&report).unwrap().len() <= 4096);
            entries += report.discarded.len();
        }
        assert_eq!(entries, Reason::ALL.len() * Category::ALL.len());
    }
}
