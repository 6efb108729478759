//! What delivery tells of itself.

use std::time::Duration;

use sentrace_protocol::{Category, Reason};

use crate::support::{
    Ingest, LONG, Place, Reply, Tally, counted, record, record_many, silent_client, wait_until,
};

#[test]
fn posts_are_counted_by_how_they_came_out() {
    let ingest = Ingest::start(|number| match number {
        0 => Reply::ok(),
        1 => Reply::status(400),
        _ => Reply::Answer(429, vec![("x-sentry-rate-limits", "60:transaction;error:organization")]),
    });
    let (client, losses) = silent_client(&ingest.dsn());
    let before = client.stats().delivery;
    assert!(before.running && before.since_response.is_none());
    assert_eq!((before.posts, before.queued_bytes), (0, 0));
    for (name, children) in [("arrives", 3), ("is refused", 2), ("is limited", 1), ("is held back", 0)] {
        record(&client, name, children);
        assert!(client.flush(LONG));
    }
    let stats = client.stats();
    let delivery = &stats.delivery;
    assert_eq!((delivery.posts, delivery.posts_in_flight), (3, 0));
    assert_eq!((delivery.posts_failed, delivery.posts_rejected), (0, 1));
    assert_eq!((delivery.delivered_transactions, delivery.delivered_spans), (1, 4));
    assert_eq!((delivery.limited_transactions, delivery.limited_spans), (1, 2));
    assert!(delivery.posted_bytes > 0 && delivery.since_response.is_some());
    let limited: Vec<_> = delivery.rate_limits.iter().map(|limit| limit.category).collect();
    assert_eq!(limited, [Some(Category::Error), Some(Category::Transaction)]);
    assert!(delivery.rate_limits.iter().all(|limit| limit.remaining <= Duration::from_secs(60)));
    assert_eq!(counted(&losses), Tally::of(1, 2) + Tally::of(1, 0));
    let reasons: Vec<_> = stats.lost.iter().map(|lost| lost.reason).collect();
    assert!(
        reasons.contains(&Reason::SendError) && reasons.contains(&Reason::RatelimitBackoff),
        "{reasons:?}"
    );
    assert_eq!((stats.sampled, stats.finished), (4, 4));
    client.close(LONG);
    assert!(!client.stats().delivery.running);
}

#[test]
fn what_waits_is_seen_in_the_queue() {
    let ingest = Ingest::start(|_| Reply::Stall(b""));
    let (client, _losses) = silent_client(&ingest.dsn());
    record_many(&client, 50, 1);
    wait_until("posts", || client.stats().delivery.posts_in_flight > 0);
    let delivery = client.stats().delivery;
    assert!(delivery.queued_transactions > 0 && delivery.queued_bytes > 0, "{delivery:?}");
    assert_eq!((delivery.delivered_transactions, delivery.since_response), (0, None));
    client.close(Duration::from_millis(10));
    let delivery = client.stats().delivery;
    wait_until("the end", || !client.stats().delivery.running);
    assert!(delivery.posts >= delivery.posts_in_flight);
}

#[test]
fn posts_that_nobody_answers_are_counted_as_failed() {
    let nowhere = Place::new();
    let (client, _losses) = silent_client(&nowhere.dsn());
    record(&client, "lost", 0);
    wait_until("a failure", || client.stats().delivery.posts_failed > 0);
    client.close(Duration::from_millis(10));
}
