//! The collector, which says what Sentry would not like, with each of its faults: nothing goes unaccounted for.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use sentrace_collector::{Behaviour, Collector, TraceSummary};
use sentrace_protocol::Category;

use crate::support::{LONG, client_with, record_many};

const TRANSACTIONS: u64 = 40;

/// The behaviour, how many may be lost of each run of [`TRANSACTIONS`] while it lasts, and why.
fn rows() -> Vec<(Behaviour, u64, &'static str)> {
    let well = Behaviour::default;
    let limit = HeaderValue::from_static("60:transaction:key");
    vec![
        (well(), 0, "all is well"),
        (well().delay(Duration::from_millis(50)), 0, "slow answers"),
        (well().slow_read(256, Duration::from_millis(5)), 0, "slow reads"),
        (well().hang_up(), 0, "hangs up: tried again"),
        (well().reset(), 0, "resets: tried again"),
        (well().garbage(), 0, "no HTTP: tried again"),
        (well().hang(), TRANSACTIONS, "those that hang are given up when closing has no more time"),
        (well().status(StatusCode::SERVICE_UNAVAILABLE), TRANSACTIONS, "503 is an answer"),
        (well().rate_limits(limit), TRANSACTIONS, "a limit"),
    ]
}

#[test]
fn under_each_fault_all_is_delivered_or_accounted_for() {
    for (behaviour, most_lost, reason) in rows() {
        let collector = Collector::start_in_background("127.0.0.1:0").unwrap();
        collector.set_behaviour(behaviour.clone());
        let (client, _) = client_with(&collector.dsn("1"), |options| options.retry_timeout(LONG));
        let recorded = record_many(&client, TRANSACTIONS, 2);
        client.flush(Duration::from_millis(300));
        collector.set_behaviour(Behaviour::default());
        let closed = client.close(Duration::from_secs(3));

        let reports = collector.reports();
        let unreported = |category: Category| {
            let of_category = closed.unreported.iter().filter(|events| events.category == category);
            of_category.map(|events| events.quantity).sum::<u64>()
        };
        let [transactions, spans] = [Category::Transaction, Category::Span]
            .map(|category| reports.lost(category.as_str()) + unreported(category));
        let arrived = collector.traces();
        let sum = |count: fn(&TraceSummary) -> usize| arrived.iter().map(count).sum::<usize>() as u64;
        assert!(transactions <= most_lost, "{reason}: {transactions} lost");
        assert_eq!(
            sum(|trace| trace.transactions) + transactions,
            recorded.transactions,
            "{reason}: {reports:?}"
        );
        assert_eq!(sum(|trace| trace.spans) + spans, recorded.spans, "{reason}: {reports:?}");
        assert_eq!(collector.problems(), [], "{reason}: Sentry would not like that");
    }
}
