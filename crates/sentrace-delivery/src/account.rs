//! What the worker holds and has not settled yet, so that it can be accounted for without the worker.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sentrace_core::Losses;
use sentrace_protocol::{ClientReport, DiscardedEvents, Reason};

use crate::load::Tally;

/// Everything that left the queue and is not settled, in one sum.
///
/// The worker enters what it takes and settles it later. If it cannot finish (a hook that blocks, a disk that stalls),
/// [`give_up`](Self::give_up) counts what is open as lost; whatever the worker says about that afterwards counts no more.
/// Each step holds the lock, so every transaction is counted exactly once.
#[derive(Debug)]
pub(crate) struct Account {
    losses: Arc<Losses>,
    open: Mutex<Open>,
    /// Whether code of users runs on the worker's thread.
    in_hook: AtomicBool,
}

#[derive(Debug, Default)]
struct Open {
    tally: Tally,
    /// Losses that were taken for reports that are under way.
    reports: Vec<DiscardedEvents>,
    /// Why everything was given up, once it was.
    given_up: Option<Reason>,
}

impl Account {
    pub(crate) fn new(losses: Arc<Losses>) -> Arc<Self> {
        Arc::new(Self { losses, open: Mutex::default(), in_hook: AtomicBool::new(false) })
    }

    pub(crate) fn losses(&self) -> &Arc<Losses> {
        &self.losses
    }

    /// How much was ever lost for this reason.
    pub(crate) fn lost(&self, reason: Reason) -> u64 {
        self.losses
            .total()
            .iter()
            .filter(|events| events.reason == reason)
            .map(|events| events.quantity)
            .sum()
    }

    /// Runs a hook, which may block the worker for as long as it likes.
    pub(crate) fn run_hook<R>(&self, run: impl FnOnce() -> R) -> R {
        self.in_hook.store(true, Ordering::Relaxed);
        let result = run();
        self.in_hook.store(false, Ordering::Relaxed);
        result
    }

    /// Whether a hook runs now.
    pub(crate) fn is_in_hook(&self) -> bool {
        self.in_hook.load(Ordering::Relaxed)
    }

    /// Whether somebody has given up what the worker holds: nothing that it does counts any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.lock().given_up.is_some()
    }

    /// Enters what left the queue. Returns `false` if all is given up: then it is counted already.
    pub(crate) fn enter(&self, tally: Tally) -> bool {
        let mut open = self.lock();
        if let Some(reason) = open.given_up {
            tally.lost(reason, &self.losses);
            return false;
        }
        open.tally = open.tally.plus(tally);
        true
    }

    /// It arrived, or it is accounted for elsewhere. Returns `false` if it was counted as lost in the meantime.
    pub(crate) fn settle(&self, tally: Tally) -> bool {
        let mut open = self.lock();
        open.tally = open.tally.minus(tally);
        open.given_up.is_none()
    }

    /// It will not arrive.
    pub(crate) fn lose(&self, tally: Tally, reason: Reason) {
        let mut open = self.lock();
        if open.given_up.is_none() {
            open.tally = open.tally.minus(tally);
            tally.lost(reason, &self.losses);
        }
    }

    /// Takes losses for a report with `take`, unless all is given up: then nobody would learn whether it arrived.
    pub(crate) fn take_report(&self, take: impl FnOnce() -> Option<ClientReport>) -> Option<ClientReport> {
        let mut open = self.lock();
        if open.given_up.is_some() {
            return None;
        }
        let report = take()?;
        for events in &report.discarded {
            match open.reports.iter_mut().find(|other| is_same(other, events)) {
                Some(other) => other.quantity = other.quantity.saturating_add(events.quantity),
                None => open.reports.push(*events),
            }
        }
        Some(report)
    }

    /// A report that was taken arrived, or it did not (`restore`) and its losses go back to the counters.
    pub(crate) fn settle_report(&self, report: &[DiscardedEvents], restore: bool) {
        if report.is_empty() {
            return;
        }
        let mut open = self.lock();
        if open.given_up.is_some() {
            return;
        }
        for events in report {
            if let Some(other) = open.reports.iter_mut().find(|other| is_same(other, events)) {
                other.quantity = other.quantity.saturating_sub(events.quantity);
            }
        }
        if restore {
            self.losses.restore(report);
        }
    }

    /// Counts all that is open as lost. From now on nothing the worker says counts.
    pub(crate) fn give_up(&self, reason: Reason) {
        let mut open = self.lock();
        if open.given_up.is_none() {
            open.given_up = Some(reason);
            std::mem::take(&mut open.tally).lost(reason, &self.losses);
            self.losses.restore(&std::mem::take(&mut open.reports));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same(one: &DiscardedEvents, other: &DiscardedEvents) -> bool {
    (one.reason, one.category) == (other.reason, other.category)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Load;
    use crate::support;

    fn load(account: &Arc<Account>) -> Load {
        Load::new(Tally { transactions: 1, spans: 3 }, account)
    }

    #[test]
    fn what_is_given_up_is_counted_once_whatever_the_worker_says_later() {
        let account = Account::new(Arc::default());
        let loads: Vec<Load> = (0..5).map(|_| load(&account)).collect();
        account.give_up(Reason::NetworkError);
        account.give_up(Reason::InternalSdkError);
        let expected = support::only(Reason::NetworkError, support::Tally::of(5, 2));
        assert_eq!(account.losses().peek(), expected);
        let ends: [fn(Load); 5] = [
            Load::delivered,
            Load::limited,
            |load| assert!(!Load::kept(vec![load])),
            |load| load.lost(Reason::SendError),
            drop,
        ];
        for (load, end) in loads.into_iter().zip(ends) {
            end(load);
        }
        assert_eq!(account.losses().peek(), expected);
        load(&account).delivered();
        let expected = support::only(Reason::NetworkError, support::Tally::of(6, 2));
        assert_eq!(account.losses().peek(), expected, "taken from the queue afterwards");
    }

    #[test]
    fn losses_on_their_way_in_a_report_come_back_when_all_is_given_up() {
        let losses = Arc::new(Losses::default());
        let account = Account::new(Arc::clone(&losses));
        let take = |count| {
            losses.record_transaction(Reason::SampleRate, count);
            account.take_report(|| Some(ClientReport { timestamp: None, discarded: losses.take() })).unwrap()
        };
        let [arrived, refused, open] = [1, 2, 3].map(take);
        Load::report(arrived.discarded, &account).delivered();
        Load::report(refused.discarded, &account).lost(Reason::SendError);
        let refused = losses.take();
        assert_eq!(refused.iter().map(|events| events.quantity).sum::<u64>(), 4);
        let open = Load::report(open.discarded, &account);
        assert!(losses.peek().is_empty());
        account.give_up(Reason::NetworkError);
        assert_eq!(losses.peek().iter().map(|events| events.quantity).sum::<u64>(), 5);
        open.delivered();
        assert_eq!(losses.take().iter().map(|events| events.quantity).sum::<u64>(), 5);
        assert!(account.take_report(|| unreachable!("nobody would learn how it went")).is_none());
    }
}
