//! What left the queue and whose fate is not known yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use sentrace_core::deliver::Losses;
use sentrace_protocol::{ClientReport, DiscardedEvents, Reason};

use crate::tally::Tally;

/// The sum of everything that left the queue and is not settled.
///
/// The consumer enters what it takes and settles it later, through [`Consignment`](crate::Consignment). If the consumer
/// cannot finish (a hook blocks, a disk stalls), [`give_up`](Self::give_up) counts what is open as lost, and what the
/// consumer reports about it afterwards is ignored. Each step holds the lock, so every transaction is counted exactly
/// once.
#[derive(Debug)]
pub struct Account {
    losses: Arc<Losses>,
    open: Mutex<Open>,
    in_user_code: AtomicBool,
}

#[derive(Debug, Default)]
struct Open {
    tally: Tally,
    /// Losses taken for reports that are on their way.
    reports: Vec<DiscardedEvents>,
    /// Why everything was given up, once it was.
    given_up: Option<Reason>,
}

impl Account {
    /// Creates an account that counts into `losses`.
    pub fn new(losses: Arc<Losses>) -> Arc<Self> {
        Arc::new(Self { losses, open: Mutex::default(), in_user_code: AtomicBool::new(false) })
    }

    /// Returns the loss counters.
    pub fn losses(&self) -> &Arc<Losses> {
        &self.losses
    }

    /// Runs code that may block the consumer for any time: a hook, or a transport of somebody else.
    pub fn run_user_code<R>(&self, run: impl FnOnce() -> R) -> R {
        self.in_user_code.store(true, Ordering::Relaxed);
        let result = run();
        self.in_user_code.store(false, Ordering::Relaxed);
        result
    }

    /// Returns `true` while [`run_user_code`](Self::run_user_code) runs.
    pub(crate) fn is_in_user_code(&self) -> bool {
        self.in_user_code.load(Ordering::Relaxed)
    }

    /// Returns `true` once everything that the consumer holds was counted as lost.
    pub fn is_given_up(&self) -> bool {
        self.lock().given_up.is_some()
    }

    /// Adds what left the queue. Returns `false` if all is given up, after counting it.
    pub(crate) fn enter(&self, tally: Tally) -> bool {
        let mut open = self.lock();
        if let Some(reason) = open.given_up {
            tally.discard(reason, &self.losses);
            return false;
        }
        open.tally = open.tally.plus(tally);
        true
    }

    /// Removes what arrived or is accounted for elsewhere. Returns `false` if it was counted as lost in the meantime.
    pub(crate) fn settle(&self, tally: Tally) -> bool {
        let mut open = self.lock();
        open.tally = open.tally.minus(tally);
        open.given_up.is_none()
    }

    /// Removes what will not arrive, and counts it.
    pub(crate) fn discard(&self, tally: Tally, reason: Reason) {
        let mut open = self.lock();
        if open.given_up.is_none() {
            open.tally = open.tally.minus(tally);
            tally.discard(reason, &self.losses);
        }
    }

    /// Takes the losses so far for client reports of up to `max_entries` each. Takes none after all was given up: nothing
    /// would learn whether they arrived.
    pub(crate) fn take_reports(&self, max_entries: usize) -> Vec<ClientReport> {
        let mut open = self.lock();
        if open.given_up.is_some() {
            return Vec::new();
        }
        let discarded = self.losses.take();
        for events in &discarded {
            match open.reports.iter_mut().find(|other| is_same(other, events)) {
                Some(other) => other.quantity = other.quantity.saturating_add(events.quantity),
                None => open.reports.push(*events),
            }
        }
        let timestamp = Some(SystemTime::now().into());
        let report = |discarded: &[DiscardedEvents]| {
            let mut report = ClientReport::new(discarded.to_vec());
            report.timestamp = timestamp;
            report
        };
        discarded.chunks(max_entries).map(report).collect()
    }

    /// Removes a report that arrived, or one that did not, whose losses then return to the counters (`restore`).
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

    /// Counts all that is open as lost. What the consumer reports from now on is ignored.
    pub fn give_up(&self, reason: Reason) {
        let mut open = self.lock();
        if open.given_up.is_none() {
            open.given_up = Some(reason);
            std::mem::take(&mut open.tally).discard(reason, &self.losses);
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
    use sentrace_protocol::Category;

    use super::*;
    use crate::consignment::Consignment;
    use crate::support::Lost;

    fn consignment(account: &Arc<Account>) -> Consignment {
        Consignment::new(Tally { transactions: 1, spans: 3 }, account)
    }

    fn report(account: &Arc<Account>) -> Consignment {
        let [report] = account.take_reports(40).try_into().unwrap();
        Consignment::of_report(&report, account)
    }

    fn only(reason: Reason, lost: Lost) -> Vec<DiscardedEvents> {
        [(Category::Transaction, lost.transactions), (Category::Span, lost.spans)]
            .map(|(category, quantity)| DiscardedEvents { reason, category, quantity })
            .to_vec()
    }

    fn sum(events: &[DiscardedEvents]) -> u64 {
        events.iter().map(|events| events.quantity).sum()
    }

    #[test]
    fn what_is_given_up_is_counted_once_whatever_the_consumer_reports_later() {
        let account = Account::new(Arc::default());
        let consignments: Vec<Consignment> = (0..5).map(|_| consignment(&account)).collect();
        account.give_up(Reason::NetworkError);
        account.give_up(Reason::InternalSdkError);
        let expected = only(Reason::NetworkError, Lost::of(5, 2));
        assert_eq!(account.losses().peek(), expected);
        let ends: [fn(Consignment); 5] = [
            |consignment| assert!(!consignment.hand_over()),
            Consignment::rate_limited,
            |consignment| assert!(!Consignment::spooled(vec![consignment])),
            |consignment| consignment.discard(Reason::SendError),
            drop,
        ];
        for (consignment, end) in consignments.into_iter().zip(ends) {
            end(consignment);
        }
        assert_eq!(account.losses().peek(), expected);
        consignment(&account).delivered();
        let expected = only(Reason::NetworkError, Lost::of(6, 2));
        assert_eq!(account.losses().peek(), expected, "taken from the queue afterwards");
    }

    #[test]
    fn losses_on_their_way_in_a_report_come_back_when_all_is_given_up() {
        let losses = Arc::new(Losses::default());
        let account = Account::new(Arc::clone(&losses));
        let [arrived, refused, open] = [1, 2, 3].map(|count| {
            losses.record_transaction(Reason::SampleRate, count);
            report(&account)
        });
        arrived.delivered();
        refused.discard(Reason::SendError);
        assert_eq!(sum(&losses.take()), 4);
        assert!(losses.peek().is_empty());
        account.give_up(Reason::NetworkError);
        assert_eq!(sum(&losses.peek()), 5);
        open.delivered();
        assert_eq!(sum(&losses.take()), 5);
        losses.record_transaction(Reason::SampleRate, 1);
        assert!(account.take_reports(40).is_empty(), "nothing would learn how it went");
    }
}
