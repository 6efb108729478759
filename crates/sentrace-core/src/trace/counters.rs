//! The counters behind [`Stats`], which cost requests next to nothing.

use sentrace_protocol::losses::DiscardedEvents;

use crate::account::stats::{DeliveryStats, Stats};
use crate::decide::recording::Recording;
use crate::util::sharded::Sharded;

/// Counters that requests update.
#[derive(Debug, Default)]
pub(crate) struct Counters(Sharded<CELLS>);

/// What was started: three counters by recording for those that start a trace, then three for the
/// others.
const STARTED: usize = 0;
const RECORDINGS: usize = 3;
const FINISHED: usize = STARTED + 2 * RECORDINGS;
const PROPAGATED: usize = FINISHED + 1;
const WITHHELD: usize = PROPAGATED + 1;
const CELLS: usize = WITHHELD + 1;

impl Counters {
    /// Counts something that starts: whether it is recorded, and whether it starts its trace, in
    /// one counter.
    #[inline]
    pub(crate) fn started(&self, recording: Recording, begins_trace: bool) {
        let recording = match recording {
            Recording::Sampled => 0,
            Recording::Unsampled(_) => 1,
            Recording::NotTraced => 2,
        };
        self.0.add(STARTED + recording + if begins_trace { 0 } else { RECORDINGS }, 1);
    }

    /// Returns `true` if nothing has started yet.
    pub(crate) fn is_unused(&self) -> bool {
        (STARTED..FINISHED).all(|cell| self.0.sum(cell) == 0)
    }

    /// Counts a recorded transaction that ended.
    #[inline]
    pub(crate) fn finished(&self) {
        self.0.add(FINISHED, 1);
    }

    pub(crate) fn propagated(&self) {
        self.0.add(PROPAGATED, 1);
    }

    pub(crate) fn withheld(&self) {
        self.0.add(WITHHELD, 1);
    }

    pub(crate) fn read(&self, lost: Vec<DiscardedEvents>, delivery: DeliveryStats) -> Stats {
        let started = |recording: usize| {
            let begun = self.0.sum(STARTED + recording);
            (begun, self.0.sum(STARTED + recording + RECORDINGS))
        };
        // Finished is read before started, so that it never exceeds it.
        let finished = self.0.sum(FINISHED);
        let [sampled, unsampled, off] = [started(0), started(1), started(2)];
        Stats {
            sampled: sampled.0 + sampled.1,
            unsampled: unsampled.0 + unsampled.1,
            passed_through: off.0 + off.1,
            finished,
            traces_begun: sampled.0 + unsampled.0 + off.0,
            traces_continued: sampled.1 + unsampled.1 + off.1,
            propagated: self.0.sum(PROPAGATED),
            withheld: self.0.sum(WITHHELD),
            lost,
            delivery,
        }
    }
}

#[cfg(test)]
mod tests {
    use sentrace_protocol::Reason;

    use super::*;

    #[test]
    fn what_several_threads_count_adds_up() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        counters.started(Recording::Sampled, true);
                        counters.started(Recording::Sampled, false);
                        counters.started(Recording::Unsampled(Reason::SampleRate), false);
                        counters.started(Recording::NotTraced, true);
                        counters.finished();
                        counters.propagated();
                        counters.withheld();
                    }
                });
            }
        });
        let stats = counters.read(Vec::new(), DeliveryStats::default());
        let expected = Stats {
            sampled: 8_000,
            unsampled: 4_000,
            passed_through: 4_000,
            finished: 4_000,
            traces_begun: 8_000,
            traces_continued: 8_000,
            propagated: 4_000,
            withheld: 4_000,
            ..Stats::default()
        };
        assert_eq!(stats, expected);
    }
}
