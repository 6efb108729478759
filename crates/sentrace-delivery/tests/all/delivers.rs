//! What is recorded arrives, in the shape that Sentry reads.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use crate::support::{Ingest, LONG, Reply, Tally, client, counted, record, record_many};

#[test]
fn a_burst_arrives_whole_although_each_answer_takes_fifty_milliseconds() {
    let ingest = Ingest::start(|_| Reply::after(50));
    let (client, losses) = client(&ingest);
    let recorded = record_many(&client, 2_000, 10);
    assert!(client.flush(LONG));
    assert_eq!(ingest.accepted(), recorded);
    let names: BTreeSet<String> = ingest.transactions().into_iter().collect();
    assert_eq!(names.len(), 2_000, "each arrives once");
    assert_eq!(counted(&losses), Tally::default());
    assert!(ingest.connections() <= 200, "connections are kept: {}", ingest.connections());
}

#[test]
fn many_threads_hand_over_at_the_same_time() {
    let ingest = Ingest::ok();
    let (client, losses) = client(&ingest);
    let start = Arc::new(Barrier::new(8));
    let done = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let (client, start, done) = (client.clone(), Arc::clone(&start), Arc::clone(&done));
            std::thread::spawn(move || {
                start.wait();
                for number in 0..100 {
                    record(&client, &format!("task {thread}/{number}"), 1);
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(client.flush(LONG));
    assert_eq!(done.load(Ordering::SeqCst), 800);
    assert_eq!(ingest.accepted(), Tally::of(800, 1));
    assert_eq!(counted(&losses), Tally::default());
}

#[test]
fn a_request_has_the_headers_of_the_specification_and_no_others_that_tell() {
    let ingest = Ingest::ok();
    let (client, _) = client(&ingest);
    // Current while it is delivered: what we send must not be traced all the same.
    client.start_transaction("outer", "task").enter(|| {
        record(&client, "send invoice", 1);
        assert!(client.flush(LONG));
    });
    let received = ingest.received();
    let request = &received[0];
    assert_eq!(request.line, "POST /base/api/42/envelope/ HTTP/1.1");
    let user_agent = request.header("user-agent").unwrap();
    let (name, version) = user_agent.split_once('/').unwrap();
    assert_eq!(
        request.header("x-sentry-auth").unwrap(),
        format!("Sentry sentry_version=7, sentry_client={name}/{version}, sentry_key=9c1f0d3e")
    );
    assert_eq!(request.header("content-type"), Some("application/x-sentry-envelope"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    let names: BTreeSet<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "accept",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-sentry-auth",
    ];
    assert_eq!(names, expected.into_iter().collect(), "no trace headers, cookies or referers");
}

#[test]
fn an_envelope_says_what_it_carries_and_to_which_trace_it_belongs() {
    let ingest = Ingest::ok();
    let (client, _) = client(&ingest);
    record(&client, "send invoice", 2);
    assert!(client.flush(LONG));
    let received = ingest.received();
    assert_eq!(received.len(), 1);
    let headers = received[0].envelope_headers.as_object().unwrap();
    let transaction = received[0].item("transaction").unwrap();
    let keys: BTreeSet<&str> = headers.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["event_id", "sdk", "sent_at", "trace"].into_iter().collect(),
        "and no dsn, which holds the key"
    );
    assert_eq!(headers["event_id"], transaction["event_id"]);
    assert_eq!(headers["trace"]["trace_id"], transaction["contexts"]["trace"]["trace_id"]);
    assert_eq!(headers["trace"]["public_key"], "9c1f0d3e");
    assert_eq!(headers["trace"]["release"], "shop@1.4.0");
    assert_eq!(headers["sdk"], transaction["sdk"]);
    assert!(headers["sent_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(transaction["transaction"], "send invoice");
    assert_eq!(transaction["spans"].as_array().unwrap().len(), 2);
    assert_eq!(received[0].items.len(), 1, "nothing was lost, so nothing is reported");
}

#[test]
fn ten_spans_take_few_bytes() {
    let ingest = Ingest::ok();
    let (client, _) = client(&ingest);
    record_many(&client, 20, 10);
    assert!(client.flush(LONG));
    for request in ingest.received() {
        assert!(request.body_bytes <= 1_650, "{} bytes", request.body_bytes);
    }
}

#[test]
fn a_large_transaction_arrives_whole() {
    let ingest = Ingest::ok();
    let (client, losses) = client(&ingest);
    let recorded = record_many(&client, 3, 1_000);
    assert!(client.flush(LONG));
    assert_eq!(ingest.accepted(), recorded);
    assert_eq!(counted(&losses), Tally::default());
}
