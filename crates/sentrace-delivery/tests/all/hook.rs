//! What a service does to its transactions before they are sent.

use std::sync::OnceLock;

use sentrace_core::Options;
use sentrace_protocol::Reason;

use crate::support::{Ingest, LONG, Tally, client_with, counted, only, record, record_many};

fn hooked(
    ingest: &Ingest,
    edit: impl FnOnce(Options) -> Options,
) -> (sentrace_core::Client, std::sync::Arc<sentrace_core::deliver::Losses>) {
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

#[test]
fn what_it_starts_is_not_recorded() {
    static CLIENT: OnceLock<sentrace_core::Client> = OnceLock::new();
    let ingest = Ingest::ok();
    let (client, losses) = hooked(&ingest, |options| {
        options.before_send_transaction(|_| {
            if let Some(client) = CLIENT.get() {
                let transaction = client.start_transaction("within the hook", "task");
                transaction.start_span("task", "within the hook").finish();
            }
            true
        })
    });
    CLIENT.set(client.clone()).unwrap();
    record(&client, "task", 2);
    // Each of them would be the cause of the next one.
    for _ in 0..3 {
        assert!(client.flush(LONG));
    }
    assert_eq!(ingest.transactions(), ["task"]);
    assert_eq!((client.stats().sampled, counted(&losses)), (1, Tally::default()));
    client.close(LONG);
}

#[test]
fn a_transaction_fits_what_sentry_accepts_before_and_after_it() {
    type Hook = fn(&mut sentrace_protocol::TransactionPayload<'_>) -> bool;
    let long = "x".repeat(8_000);
    let rows: [(usize, &str, Hook, usize, &str); 4] = [
        (900, &long[..950], |_| true, 900, "many queries, which are shortened"),
        (500, &long, |_| true, 500, "more than a record holds"),
        (
            10,
            "SELECT 1",
            |transaction| {
                transaction
                    .spans
                    .iter_mut()
                    .for_each(|span| span.description = Some("y".repeat(300_000).into()));
                true
            },
            10,
            "a hook that describes at length",
        ),
        (
            100,
            "SELECT 1",
            |transaction| {
                transaction.spans.iter_mut().for_each(|span| span.op = "o".repeat(20_000).into());
                true
            },
            51,
            "a hook that leaves no room for all spans",
        ),
    ];
    for (spans, description, hook, arrived, reason) in rows {
        let ingest = Ingest::ok();
        let (client, losses) = hooked(&ingest, |options| options.before_send_transaction(hook));
        let transaction = client.start_transaction("batch", "task");
        for _ in 0..spans {
            transaction.start_span("db.query", description).finish();
        }
        transaction.set_data("order.id", "A-17");
        transaction.finish();
        assert!(client.flush(LONG));
        let sent =
            ingest.received().into_iter().find_map(|request| request.item("transaction").cloned()).unwrap();
        let size = serde_json::to_vec(&sent).unwrap().len();
        assert!(size <= 1024 * 1024, "{reason}: {size} bytes");
        assert_eq!(sent["contexts"]["trace"]["data"]["order.id"], "A-17", "{reason}");
        assert_eq!(sent["spans"].as_array().unwrap().len(), arrived, "{reason}");
        let lost = (spans - arrived) as u64;
        let counted = losses.peek();
        assert!(counted.iter().all(|lost| lost.reason == Reason::BufferOverflow), "{reason}: {counted:?}");
        assert_eq!(counted.iter().map(|lost| lost.quantity).sum::<u64>(), lost, "{reason}");
    }
}
