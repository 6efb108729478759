//! Answers that are no proper ones.

use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use crate::support::{Ingest, LONG, Reply, Tally, client_with, counted, only, record_many};

/// An answer with so many header fields, of so many bytes each.
fn answer(status: &str, fields: usize, bytes: usize) -> Reply {
    let fields: String =
        (0..fields).map(|number| format!("x-field-{number}: {}\r\n", "x".repeat(bytes))).collect();
    Reply::Raw(format!("HTTP/1.1 {status}\r\n{fields}content-length: 0\r\n\r\n").leak().as_bytes())
}

#[test]
fn an_answer_whose_head_is_too_large_counts_by_its_status() {
    let rows = [
        ("200 OK", 150, 1, None, "more fields than are read"),
        ("200 OK", 5_000, 10, None, "many more"),
        ("200 OK", 3, 1 << 20, None, "longer fields than are read"),
        ("200", 150, 1, None, "without a reason"),
        ("500 Internal Server Error", 150, 1, Some(Reason::SendError), "a refusal"),
        ("413 Payload Too Large", 150, 1, Some(Reason::SendError), "another"),
    ];
    for (status, fields, bytes, lost, reason) in rows {
        let reply = answer(status, fields, bytes);
        let ingest = Ingest::start(move |_| reply.clone());
        let (client, losses) =
            client_with(&ingest.dsn(), |options| options.send_client_reports(false).retry_timeout(LONG));
        let recorded = record_many(&client, 3, 2);
        assert!(client.flush(LONG), "{reason}");
        assert_eq!(ingest.requests(), 3, "{reason}: it was answered");
        let expected = lost.map_or_else(Vec::new, |lost| only(lost, recorded));
        assert_eq!(losses.peek(), expected, "{reason}");
    }
}

#[test]
fn a_429_whose_head_is_too_large_is_a_limit() {
    let ingest = Ingest::start(|_| answer("429 Too Many Requests", 150, 1));
    let (client, losses) = client_with(&ingest.dsn(), |options| options.send_client_reports(false));
    record_many(&client, 1, 2);
    assert!(client.flush(LONG));
    assert_eq!(counted(&losses), Tally::default(), "the ingest counts it");
    let held_back = record_many(&client, 4, 0);
    assert!(client.flush(LONG));
    assert_eq!(losses.peek(), only(Reason::RatelimitBackoff, held_back));
    assert_eq!(ingest.requests(), 1);
}

#[test]
fn an_answer_that_is_no_http_after_its_status_is_not_asked_for_again_and_again() {
    let rows: [(&'static [u8], &str); 4] = [
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "a length that is none"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "two lengths"),
        (b"HTTP/1.1 200 OK\r\nno field at all\r\n\r\n", "a line that is no field"),
        (b"HTTP/1.1 200 OK\r\na\0b: c\r\n\r\n", "a name that is none"),
    ];
    for (bytes, reason) in rows {
        let ingest = Ingest::start(move |_| Reply::Raw(bytes));
        let (client, losses) =
            client_with(&ingest.dsn(), |options| options.send_client_reports(false).retry_timeout(LONG));
        let recorded = record_many(&client, 3, 2);
        let begin = Instant::now();
        assert!(client.flush(LONG), "{reason}");
        assert!(begin.elapsed() < LONG / 2, "{reason}: {:?}", begin.elapsed());
        assert!(ingest.requests() <= 6, "{reason}: {} posts", ingest.requests());
        assert_eq!(losses.peek(), only(Reason::NetworkError, recorded), "{reason}");
    }
}

#[test]
fn after_answers_without_end_everything_arrives() {
    let ingest = Ingest::start(|number| match number {
        0..8 => Reply::Endless(b"HTTP/1.1 102 Processing\r\n\r\n"),
        _ => Reply::ok(),
    });
    let (client, losses) =
        client_with(&ingest.dsn(), |options| options.send_client_reports(false).retry_timeout(LONG));
    let recorded = record_many(&client, 100, 1);
    assert!(client.flush(LONG));
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
}

#[test]
fn what_has_no_end_ends_with_the_time_to_close() {
    let rows: [(&'static [u8], &str); 4] = [
        (b"x-header: of a head that has no end\r\n", "no HTTP"),
        (b"\r\n", "empty lines"),
        (b"HTTP/1.1 ", "the beginning of an answer"),
        (b"\0", "zeros"),
    ];
    for (bytes, reason) in rows {
        let ingest = Ingest::start(move |_| Reply::Endless(bytes));
        let (client, losses) =
            client_with(&ingest.dsn(), |options| options.send_client_reports(false).retry_timeout(LONG));
        let recorded = record_many(&client, 50, 1);
        let begin = Instant::now();
        assert!(!client.close(Duration::from_millis(500)).complete, "{reason}");
        assert!(begin.elapsed() < Duration::from_secs(2), "{reason}: {:?}", begin.elapsed());
        assert_eq!(losses.peek(), only(Reason::NetworkError, recorded), "{reason}");
    }
}

#[test]
fn a_head_that_drips_ends_with_the_time_to_close() {
    let ingest = Ingest::start(|_| Reply::Stall(b"HTTP/1.1 200 OK\r\nx-slow: "));
    let (client, losses) = client_with(&ingest.dsn(), |options| options.send_client_reports(false));
    let recorded = record_many(&client, 50, 1);
    let begin = Instant::now();
    assert!(!client.close(Duration::from_millis(500)).complete);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(losses.peek(), only(Reason::NetworkError, recorded));
}

#[test]
fn closing_is_complete_only_if_sentry_knows_of_all_that_was_lost() {
    type Row = (fn(usize) -> Reply, bool, &'static str);
    let rows: [Row; 4] = [
        (|_| Reply::ok(), true, "all arrived"),
        (|number| if number < 3 { Reply::status(500) } else { Reply::ok() }, true, "the loss was reported"),
        (|_| Reply::status(500), false, "the report was refused, too"),
        (|_| Reply::Close, false, "nobody answers"),
    ];
    for (reply, expected, reason) in rows {
        let ingest = Ingest::start(reply);
        let (client, _) = client_with(&ingest.dsn(), |options| options);
        record_many(&client, 3, 0);
        let closed = client.close(LONG);
        assert_eq!(
            (closed.complete, closed.unreported.is_empty()),
            (expected, expected),
            "{reason}: {closed:?}"
        );
    }
    let ingest = Ingest::start(|_| Reply::Close);
    let (client, _) = client_with(&ingest.dsn(), |options| options.send_client_reports(false));
    record_many(&client, 3, 0);
    assert!(!client.close(LONG).complete, "lost while closing, and nobody else knows");
}
