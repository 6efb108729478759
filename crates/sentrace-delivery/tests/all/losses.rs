//! Nothing is lost without being counted, and nothing that goes wrong costs the service anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use crate::support::{
    DEAD_DSN, Ingest, LONG, Reply, Tally, client, client_with, counted, only, record_many, silent_client,
};

const SHORT: Duration = Duration::from_millis(100);

/// A fixed but unordered sequence.
fn mixed(number: usize) -> u64 {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32
}

#[test]
fn a_collector_that_is_down_costs_nothing_and_is_counted() {
    let (client, losses) = silent_client(DEAD_DSN);
    let start = Instant::now();
    let recorded = record_many(&client, 200, 3);
    assert!(start.elapsed() < Duration::from_secs(2), "recording waits for nobody: {:?}", start.elapsed());
    assert!(client.flush(LONG), "lost is through, too");
    assert_eq!(losses.peek(), only(Reason::NetworkError, recorded));
}

#[test]
fn a_refusal_is_counted_as_send_error_and_not_repeated() {
    for status in [301, 400, 401, 403, 404, 413, 418, 500, 502, 503, 599, 999] {
        let ingest = Ingest::start(move |_| Reply::status(status));
        let (client, losses) = silent_client(&ingest.dsn());
        let recorded = record_many(&client, 3, 2);
        assert!(client.flush(LONG));
        assert_eq!(losses.peek(), only(Reason::SendError, recorded), "{status}");
        assert_eq!(ingest.requests(), 3, "{status}");
    }
}

#[test]
fn an_answer_that_is_nonsense_is_counted_as_network_error() {
    for (reply, reason) in [
        (Reply::Close, "no answer at all"),
        (Reply::Raw(b"\0\xff\r\n\r\n"), "no HTTP"),
        (Reply::Raw(b"HTTP/1.1 2000 OK\r\n\r\n"), "no status"),
        (Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-le"), "cut in the headers"),
        (Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), "a length that is none"),
    ] {
        let ingest = Ingest::start(move |_| reply.clone());
        let (client, losses) = silent_client(&ingest.dsn());
        let recorded = record_many(&client, 3, 2);
        assert!(client.flush(LONG), "{reason}");
        assert_eq!(losses.peek(), only(Reason::NetworkError, recorded), "{reason}");
    }
}

#[test]
fn a_status_stands_whatever_follows_it() {
    for (reply, reason) in [
        (Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"), "a body cut short"),
        (Reply::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"), "a body that does not come"),
        (Reply::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), "chunks that are none"),
        (Reply::Raw(b"HTTP/1.1 200 OK\r\n\r\nnot JSON"), "no JSON"),
        (
            Reply::Raw(b"HTTP/1.1 204 No Content\r\nx-sentry-rate-limits: \xff\xfe\r\n\r\n"),
            "a header that is no text",
        ),
    ] {
        let ingest = Ingest::start(move |_| reply.clone());
        let (client, losses) = silent_client(&ingest.dsn());
        record_many(&client, 3, 2);
        assert!(client.flush(LONG), "{reason}");
        assert_eq!(counted(&losses), Tally::default(), "{reason}");
        assert_eq!(ingest.requests(), 3, "{reason}");
    }
}

#[test]
fn a_connection_that_breaks_is_tried_once_more() {
    let ingest = Ingest::start(|number| if number < 3 { Reply::Close } else { Reply::ok() });
    let (client, losses) = silent_client(&ingest.dsn());
    let mut recorded = record_many(&client, 1, 1);
    assert!(client.flush(LONG));
    assert_eq!(losses.take(), only(Reason::NetworkError, recorded), "it broke twice");
    recorded = record_many(&client, 1, 1);
    assert!(client.flush(LONG));
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()), "it broke once");
}

#[test]
fn a_full_queue_refuses_the_newest_and_counts_it() {
    let ingest = Ingest::start(|_| Reply::Stall(b""));
    let (client, losses) =
        client_with(&ingest.dsn(), |options| options.send_client_reports(false).queue_bytes(64 * 1024));
    let start = Instant::now();
    let recorded = record_many(&client, 1_000, 5);
    assert!(start.elapsed() < Duration::from_secs(5), "recording waits for nobody: {:?}", start.elapsed());
    let overflow = counted(&losses);
    assert!(overflow.transactions > 500 && overflow.transactions < 1_000, "{overflow:?}");
    assert_eq!(losses.peek(), only(Reason::QueueOverflow, overflow));
    assert!(!client.close(SHORT).complete);
    assert_eq!(counted(&losses), recorded);
}

#[test]
fn a_queue_without_room_refuses_all() {
    let ingest = Ingest::ok();
    let (client, losses) =
        client_with(&ingest.dsn(), |options| options.send_client_reports(false).queue_bytes(0));
    let recorded = record_many(&client, 10, 1);
    assert!(client.close(LONG).complete);
    assert_eq!(losses.peek(), only(Reason::QueueOverflow, recorded));
    assert_eq!(ingest.requests(), 0);
}

#[test]
fn everything_recorded_is_accepted_or_refused_or_reported_or_still_counted() {
    let ingest = Ingest::start(|number| match mixed(number) % 16 {
        0 => Reply::status(500),
        1 => Reply::status(413),
        2 => Reply::Answer(429, vec![("x-sentry-rate-limits", "0.02:transaction;span:key")]),
        3 => Reply::Answer(200, vec![("x-sentry-rate-limits", "0.03::organization")]),
        4 => Reply::Close,
        5 => Reply::Raw(b"nonsense"),
        6 => Reply::after(30),
        7 => Reply::After(Duration::from_millis(10), Box::new(Reply::status(503))),
        _ => Reply::ok(),
    });
    let (client, losses) = client(&ingest);
    let (start, mut recorded) = (Instant::now(), Tally::default());
    let taken = |tally: Tally| tally.transactions > 0;
    for round in 0.. {
        recorded = recorded + record_many(&client, 100, round % 4);
        // Shorter than some answers take: some rounds run into each other.
        client.flush(Duration::from_millis(20));
        let refused = ingest.count(|status| status == Some(429));
        let all_ways = [ingest.accepted(), refused, ingest.reported_losses()].into_iter().all(taken);
        if round >= 20 && all_ways {
            break;
        }
        assert!(start.elapsed() < LONG, "not every way was taken");
    }
    assert!(client.close(LONG).complete);
    let refused = ingest.count(|status| status == Some(429));
    let accounted = ingest.accepted() + refused + ingest.reported_losses() + counted(&losses);
    assert_eq!(accounted, recorded);
}

#[test]
fn who_records_while_it_closes_is_accepted_or_counted() {
    for _ in 0..10 {
        let ingest = Ingest::ok();
        let (client, losses) =
            client_with(&ingest.dsn(), |options| options.send_client_reports(false).queue_bytes(256 * 1024));
        let stop = Arc::new(AtomicBool::new(false));
        let recorders: Vec<_> = (0..2)
            .map(|_| {
                let (client, stop) = (client.clone(), Arc::clone(&stop));
                std::thread::spawn(move || {
                    let mut recorded = Tally::default();
                    while !stop.load(Ordering::SeqCst) {
                        recorded = recorded + record_many(&client, 10, 1);
                    }
                    recorded
                })
            })
            .collect();
        ingest.wait_for(|received| received.len() >= 20);
        assert!(client.close(LONG).complete);
        stop.store(true, Ordering::SeqCst);
        let recorded = recorders.into_iter().map(|thread| thread.join().unwrap());
        let recorded = recorded.fold(Tally::default(), |sum, tally| sum + tally);
        assert_eq!(ingest.accepted() + counted(&losses), recorded);
    }
}
