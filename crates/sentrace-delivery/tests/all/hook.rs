//! What a service does to its transactions before they are sent.

use sentrace_core::Options;
use sentrace_protocol::Reason;

use crate::support::{Ingest, LONG, Tally, client_with, counted, only, record, record_many};

fn hooked(
    ingest: &Ingest,
    edit: impl FnOnce(Options) -> Options,
) -> (sentrace_core::Client, std::sync::Arc<sentrace_core::Losses>) {
    client_with(&ingest.dsn(), |options| edit(options.send_client_reports(false)))
}

#[test]
fn it_may_change_what_is_sent() {
    let ingest = Ingest::ok();
    let (client, losses) = hooked(&ingest, |options| {
        options.before_send_transaction(|transaction| {
            transaction.name = format!("{} (seen)", transaction.name).into();
            true
        })
    });
    record(&client, "task", 2);
    assert!(client.flush(LONG));
    assert_eq!(ingest.transactions(), ["task (seen)"]);
    assert_eq!(counted(&losses), Tally::default());
}

#[test]
fn what_it_drops_is_counted_with_its_spans() {
    let ingest = Ingest::ok();
    let (client, losses) = hooked(&ingest, |options| {
        options.before_send_transaction(|transaction| transaction.name != "health")
    });
    record(&client, "task", 2);
    record(&client, "health", 3);
    assert!(client.flush(LONG));
    assert_eq!(ingest.transactions(), ["task"]);
    assert_eq!(losses.peek(), only(Reason::BeforeSend, Tally::of(1, 3)));
}

#[test]
fn spans_that_it_takes_out_are_counted() {
    let ingest = Ingest::ok();
    let (client, losses) = hooked(&ingest, |options| {
        options.before_send_transaction(|transaction| {
            transaction.spans.truncate(2);
            true
        })
    });
    let recorded = record_many(&client, 3, 5);
    assert!(client.flush(LONG));
    assert_eq!(ingest.accepted(), Tally::of(3, 2));
    assert_eq!(ingest.accepted() + counted(&losses), recorded);
    assert!(losses.peek().iter().all(|events| events.reason == Reason::BeforeSend));
}

#[test]
fn a_panic_in_it_costs_that_transaction_only() {
    let ingest = Ingest::ok();
    let (client, losses) = hooked(&ingest, |options| {
        options.before_send_transaction(|transaction| {
            assert!(transaction.name != "broken", "a hook with a mistake");
            true
        })
    });
    for name in ["first", "broken", "last"] {
        record(&client, name, 1);
    }
    assert!(client.flush(LONG));
    assert_eq!(ingest.transactions().len(), 2);
    assert_eq!(losses.peek(), only(Reason::BeforeSend, Tally::of(1, 1)));
}
