//! Copies for Spotlight.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options};
use sentrace_delivery::Delivery;
use sentrace_protocol::Reason;

use crate::support::{DEAD_DSN, Ingest, LONG, Reply, Tally, client_with, counted, record, record_many};

#[test]
fn spotlight_gets_a_copy_of_every_envelope() {
    let (ingest, viewer) = (Ingest::ok(), Ingest::ok());
    let (client, losses) = client_with(&ingest.dsn(), |options| options.spotlight(viewer.url("/stream")));
    let recorded = record_many(&client, 20, 3);
    losses.record_transaction(Reason::SampleRate, 4);
    assert!(client.close(LONG).complete);
    let (received, copies) = (ingest.received(), viewer.received());
    assert_eq!((ingest.accepted(), viewer.accepted()), (recorded, recorded));
    assert_eq!(viewer.reported(), ingest.reported(), "client reports, too");
    assert_eq!(copies.len(), received.len());
    assert!(copies.iter().all(|copy| copy.line == "POST /stream HTTP/1.1"));
    assert!(copies.iter().all(|copy| copy.header("content-type") == Some("application/x-sentry-envelope")));
    assert!(copies.iter().all(|copy| copy.header("x-sentry-auth").is_none()), "it needs no key");
}

#[test]
fn an_upstream_that_is_away_does_not_keep_copies_from_spotlight() {
    let viewer = Ingest::ok();
    let (client, _) = client_with(DEAD_DSN, |options| options.spotlight(viewer.url("/stream")));
    let recorded = record_many(&client, 20, 3);
    client.close(LONG);
    assert_eq!(viewer.accepted(), recorded);
}

#[test]
fn a_spotlight_that_is_away_or_hangs_or_is_no_url_does_not_hold_up_delivery() {
    let hanging = Ingest::start(|_| Reply::Stall(b""));
    for (url, reason) in [
        ("http://127.0.0.1:1/stream".to_owned(), "away"),
        (hanging.url("/stream"), "hangs"),
        ("maybe".to_owned(), "no URL"),
    ] {
        let ingest = Ingest::ok();
        let (client, losses) = client_with(&ingest.dsn(), |options| options.spotlight(url));
        let recorded = record_many(&client, 300, 1);
        let start = Instant::now();
        assert!(client.flush(LONG) && client.close(LONG).complete, "{reason}");
        assert!(start.elapsed() < LONG / 3, "{reason}: {:?}", start.elapsed());
        assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()), "{reason}");
    }
    assert_eq!(hanging.requests(), 1, "one after the other");
}

fn without_dsn(viewer: &Ingest) -> Client {
    let options = Options::new().spotlight(viewer.url("/stream")).traces_sample_rate(0.0);
    let losses = Arc::new(Losses::default());
    let delivery = Delivery::start_without_dsn(&options, Arc::clone(&losses)).unwrap();
    Client::recording_everything(options, Arc::new(delivery), losses).unwrap()
}

#[test]
fn without_a_dsn_everything_goes_to_spotlight() {
    let viewer = Ingest::ok();
    let client = without_dsn(&viewer);
    let recorded = record_many(&client, 20, 3);
    assert!(client.flush(LONG));
    assert_eq!(viewer.accepted(), recorded, "whatever the rate says, and a flush waits for it");
    record(&client, "the last one", 0);
    assert!(client.close(LONG).complete);
    assert_eq!(viewer.accepted(), recorded + Tally::of(1, 0));
}

#[test]
fn without_a_dsn_and_without_spotlight_nothing_waits() {
    let viewer = Ingest::start(|_| Reply::Close);
    let client = without_dsn(&viewer);
    record_many(&client, 200, 1);
    let start = Instant::now();
    assert!(client.close(LONG).complete);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(viewer.requests() < 10, "it is left alone for a while: {}", viewer.requests());
}
