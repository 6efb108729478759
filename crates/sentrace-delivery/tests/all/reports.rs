//! Client reports.

use sentrace_protocol::Reason;
use serde_json::json;

use crate::support::{Ingest, LONG, Reply, Tally, client, client_with, counted, only, record_many};

#[test]
fn a_flush_tells_what_was_not_sampled() {
    let ingest = Ingest::ok();
    let (client, losses) = client_with(&ingest.dsn(), |options| options.traces_sample_rate(0.0));
    record_many(&client, 4, 2);
    assert!(client.flush(LONG));
    let received = ingest.received();
    assert_eq!(received.len(), 1);
    let headers: Vec<&str> =
        received[0].envelope_headers.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(headers, ["sdk", "sent_at"], "it belongs to no event and no trace");
    let (kind, report) = &received[0].items[0];
    assert_eq!(kind, "client_report");
    assert_eq!(
        report["discarded_events"],
        json!([
            {"reason": "sample_rate", "category": "transaction", "quantity": 4},
            {"reason": "sample_rate", "category": "span", "quantity": 12},
        ])
    );
    assert!(report["timestamp"].is_number());
    assert_eq!(counted(&losses), Tally::default());
    assert!(client.flush(LONG));
    assert_eq!(ingest.requests(), 1, "once");
}

#[test]
fn a_report_that_did_not_arrive_is_made_again() {
    for (reply, reason) in [
        (Reply::status(500), "refused"),
        (Reply::Answer(429, vec![("x-sentry-rate-limits", "60:error")]), "limited"),
        (Reply::Raw(b"nonsense"), "nonsense"),
    ] {
        // What is nonsense is posted twice.
        let failing = if reason == "nonsense" { 2 } else { 1 };
        let ingest = Ingest::start(move |number| if number < failing { reply.clone() } else { Reply::ok() });
        let (client, losses) = client_with(&ingest.dsn(), |options| options.traces_sample_rate(0.0));
        let recorded = record_many(&client, 4, 2);
        assert!(client.flush(LONG), "{reason}");
        assert_eq!(losses.peek(), only(Reason::SampleRate, recorded), "{reason}");
        assert!(client.flush(LONG), "{reason}");
        assert_eq!(ingest.reported_losses(), recorded, "{reason}");
    }
}

#[test]
fn closing_sends_the_last_report() {
    let ingest = Ingest::start(|number| if number < 5 { Reply::status(413) } else { Reply::ok() });
    let (client, losses) = client(&ingest);
    let recorded = record_many(&client, 5, 1);
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.reported_losses(), counted(&losses)), (recorded, Tally::default()));
    assert!(ingest.reported().keys().all(|(reason, _)| reason == "send_error"));
}

#[test]
fn nothing_is_reported_where_that_is_switched_off() {
    let ingest = Ingest::ok();
    let (client, losses) =
        client_with(&ingest.dsn(), |options| options.traces_sample_rate(0.0).send_client_reports(false));
    let recorded = record_many(&client, 4, 2);
    assert!(client.flush(LONG) && client.close(LONG).complete);
    assert_eq!(ingest.requests(), 0);
    assert_eq!(counted(&losses), recorded);
}
