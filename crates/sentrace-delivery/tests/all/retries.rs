//! What the network fails is tried again, for as long as it may.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use crate::support::{
    DEAD_DSN, Ingest, LONG, Place, Reply, Tally, client_with, counted, only, record_many, wait_until,
};

fn retrying(
    dsn: &str,
    timeout: Duration,
) -> (sentrace_core::Client, std::sync::Arc<sentrace_core::deliver::Losses>) {
    client_with(dsn, |options| options.send_client_reports(false).retry_timeout(timeout))
}

#[test]
fn what_the_network_failed_is_sent_again_until_it_arrives() {
    for (reply, reason) in [(Reply::Close, "broken off"), (Reply::Raw(b"nonsense"), "no HTTP")] {
        let ingest = Ingest::start(move |number| if number < 6 { reply.clone() } else { Reply::ok() });
        let (client, losses) = retrying(&ingest.dsn(), LONG);
        let recorded = record_many(&client, 1, 3);
        assert!(client.flush(LONG), "{reason}");
        assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()), "{reason}");
        let received = ingest.received();
        let ids: BTreeSet<&str> =
            received.iter().map(|request| request.envelope_headers["event_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 1, "{reason}: the ingest knows it again");
        let sent_at = |at: usize| received[at].envelope_headers["sent_at"].as_str().unwrap().to_owned();
        assert!(sent_at(0) < sent_at(6), "{reason}: it says when it was sent, not when it was first tried");
    }
}

#[test]
fn an_ingest_that_comes_back_gets_everything_once() {
    let place = Place::new();
    let (client, losses) = retrying(&place.dsn(), LONG);
    let recorded = record_many(&client, 500, 2);
    assert!(!client.flush(Duration::from_millis(600)), "nobody is there");
    assert_eq!(counted(&losses), Tally::default(), "nothing is lost yet");
    let ingest = Ingest::start_at(place);
    assert!(client.flush(LONG));
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
    let once: BTreeSet<String> = ingest.event_ids().into_iter().collect();
    assert_eq!(once.len(), 500);
}

#[test]
fn it_is_given_up_when_its_time_is_over() {
    let (client, losses) = retrying(DEAD_DSN, Duration::from_millis(700));
    let start = Instant::now();
    let recorded = record_many(&client, 10, 1);
    assert!(client.flush(LONG));
    assert!(start.elapsed() >= Duration::from_millis(125), "after one pause at least: {:?}", start.elapsed());
    assert_eq!(losses.peek(), only(Reason::NetworkError, recorded));
}

#[test]
fn few_are_tried_while_nobody_answers() {
    let ingest = Ingest::start(|_| Reply::Stall(b""));
    let (client, _) = retrying(&ingest.dsn(), LONG);
    record_many(&client, 200, 1);
    assert!(!client.flush(Duration::from_millis(300)));
    assert!(ingest.connections() <= 4, "{} connections", ingest.connections());
    client.close(Duration::from_millis(50));
}

#[test]
fn posts_that_hang_do_not_keep_others_from_an_ingest_that_is_back() {
    let ingest = Ingest::start(|number| if number < 4 { Reply::Stall(b"") } else { Reply::ok() });
    let (client, _) = retrying(&ingest.dsn(), LONG);
    record_many(&client, 200, 1);
    let start = Instant::now();
    ingest.wait_for(|received| received.len() >= 196);
    assert!(start.elapsed() < LONG / 2, "{:?}", start.elapsed());
    client.close(Duration::from_millis(50));
}

#[test]
fn closing_does_not_wait_for_an_ingest_that_is_away() {
    let (client, losses) = retrying(DEAD_DSN, LONG);
    let recorded = record_many(&client, 200, 1);
    let start = Instant::now();
    client.close(LONG);
    assert!(start.elapsed() < LONG / 3, "{:?}", start.elapsed());
    assert_eq!(losses.peek(), only(Reason::NetworkError, recorded));
}

#[test]
fn a_broken_post_while_closing_is_tried_again() {
    let ingest = Ingest::start(|number| match number {
        0 => Reply::ok(),
        1 | 2 => Reply::Close,
        _ => Reply::ok(),
    });
    let (client, losses) = retrying(&ingest.dsn(), LONG);
    let first = record_many(&client, 1, 0);
    assert!(client.flush(LONG));
    let second = record_many(&client, 1, 0);
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.accepted(), counted(&losses)), (first + second, Tally::default()));
}

#[test]
fn what_waits_is_counted_when_a_limit_comes_up() {
    // Should the second be on its way already when the first brings the limit, it has to wait, too.
    let ingest = Ingest::start(|number| match number {
        2 => Reply::Answer(200, vec![("x-sentry-rate-limits", "60:transaction")]),
        _ => Reply::Close,
    });
    let (client, losses) = retrying(&ingest.dsn(), LONG);
    let waiting = record_many(&client, 1, 2);
    wait_until("the first to fail", || ingest.requests() >= 2);
    let passing = record_many(&client, 1, 0);
    assert!(client.flush(LONG));
    // Whichever came first took the only way through.
    assert_eq!(ingest.accepted() + counted(&losses), waiting + passing);
    assert_eq!(losses.peek(), only(Reason::RatelimitBackoff, counted(&losses)));
    assert_eq!(counted(&losses).transactions, 1);
}
