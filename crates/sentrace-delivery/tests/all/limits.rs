//! What the ingest asks not to be sent is not sent, and counted.

use std::time::Instant;

use sentrace_protocol::Reason;

use crate::support::{Ingest, LONG, Reply, Tally, client, counted, only, record, record_many, silent_client};

const LIMITS: &str = "x-sentry-rate-limits";

/// An ingest that gives this answer first and accepts whatever follows.
fn first(status: u16, headers: &[(&'static str, &'static str)]) -> Ingest {
    let headers = headers.to_vec();
    Ingest::start(
        move |number| if number == 0 { Reply::Answer(status, headers.clone()) } else { Reply::ok() },
    )
}

#[test]
fn transactions_stop_while_they_are_limited_and_are_counted() {
    for (status, headers, reason) in [
        (429, vec![(LIMITS, "60:transaction;error:organization")], "named on 429"),
        (200, vec![(LIMITS, "60:transaction:key, 1:span:key")], "named on 200"),
        (500, vec![(LIMITS, "60::organization")], "no category is all"),
        (429, vec![("retry-after", "60")], "Retry-After"),
        (429, vec![], "a bare 429"),
    ] {
        let ingest = first(status, &headers);
        let (client, losses) = silent_client(&ingest.dsn());
        record(&client, "the one that learns", 3);
        assert!(client.flush(LONG));
        losses.take();
        let limited = record_many(&client, 5, 2);
        assert!(client.flush(LONG));
        assert_eq!(ingest.requests(), 1, "{reason}");
        assert_eq!(losses.peek(), only(Reason::RatelimitBackoff, limited), "{reason}");
    }
}

#[test]
fn transactions_go_on_where_something_else_is_limited() {
    for (status, headers, reason) in [
        (200, vec![(LIMITS, "60:span:organization")], "spans within transactions are the ingest's affair"),
        (200, vec![(LIMITS, "60:error;default:organization")], "other data"),
        (200, vec![(LIMITS, "60:unicorn:organization")], "unknown categories"),
        (200, vec![("retry-after", "60")], "Retry-After without 429"),
        (429, vec![(LIMITS, "60:error"), ("retry-after", "60")], "the better header wins over Retry-After"),
        (200, vec![(LIMITS, "soon:transaction, -1:transaction, ::::,")], "nonsense"),
    ] {
        let ingest = first(status, &headers);
        let (client, losses) = silent_client(&ingest.dsn());
        record(&client, "the one that learns", 0);
        assert!(client.flush(LONG));
        record_many(&client, 5, 2);
        assert!(client.flush(LONG));
        assert_eq!(ingest.requests(), 6, "{reason}");
        assert_eq!(counted(&losses), Tally::default(), "{reason}");
    }
}

#[test]
fn what_the_ingest_refused_with_429_is_not_reported_but_what_stayed_behind_is() {
    let ingest = first(429, &[(LIMITS, "60:transaction:organization")]);
    let (client, _) = client(&ingest);
    record(&client, "refused", 3);
    assert!(client.flush(LONG));
    assert_eq!(ingest.requests(), 1, "nothing to report yet");
    let limited = record_many(&client, 5, 2);
    assert!(client.flush(LONG));
    assert_eq!(ingest.reported_losses(), limited);
    assert!(ingest.reported().keys().all(|(reason, _)| reason == "ratelimit_backoff"));
}

#[test]
fn a_limit_on_all_holds_reports_back_as_well() {
    let ingest = first(429, &[]);
    let (client, losses) = client(&ingest);
    record(&client, "refused", 0);
    assert!(client.flush(LONG));
    let limited = record_many(&client, 5, 2);
    assert!(client.flush(LONG));
    assert_eq!(ingest.requests(), 1);
    assert_eq!(counted(&losses), limited, "kept for a later report");
}

#[test]
fn transactions_go_again_when_the_limit_is_over() {
    let ingest = first(429, &[(LIMITS, "0.1:transaction")]);
    let (client, losses) = silent_client(&ingest.dsn());
    let start = Instant::now();
    let mut recorded = Tally::default();
    while ingest.accepted() == Tally::default() {
        assert!(start.elapsed() < LONG, "the limit never ended");
        recorded = recorded + record_many(&client, 1, 1);
        assert!(client.flush(LONG));
    }
    let refused = ingest.count(|status| status == Some(429));
    assert_eq!(ingest.accepted() + refused + counted(&losses), recorded);
}
