//! Whatever keeps a worker from finishing, nobody waits for it longer than asked, and nothing goes uncounted. The crates that
//! have a worker run these tests with theirs: `super::start` makes a client of it, and [`HANDED_ON`](super::HANDED_ON) is how
//! many transactions another crate may answer for when the client is closed.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sentrace_core::{Client, Options};
use sentrace_protocol::{Category, Reason};
use sentrace_testkit::Ingest;
use sentrace_testkit::http1::Reply;

use super::{HANDED_ON, start};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(400);
/// What a hook waits for, until it is opened or dropped.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn pass(&self) {
        let (open, changed) = &*self.0;
        drop(changed.wait_timeout_while(open.lock().unwrap(), LONG, |open| !*open));
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

fn record_many(client: &Client, count: u64) {
    for number in 0..count {
        let transaction = client.start_transaction(format!("task {number}"), "queue.task");
        transaction.start_span("db.query", "SELECT 1").finish();
        transaction.finish();
    }
}

/// Lost transactions, and lost spans.
fn lost(client: &Client) -> (u64, u64) {
    let lost = client.losses().total();
    let sum = |category| {
        lost.iter().filter(|events| events.category == category).map(|events| events.quantity).sum()
    };
    (sum(Category::Transaction), sum(Category::Span))
}

fn silent(options: Options) -> Options {
    options.send_client_reports(false)
}

#[test]
fn a_hook_that_blocks_holds_nobody_and_all_is_counted() {
    for recorded in [1, 2, 60] {
        let (server, gate) = (Ingest::ok(), Gate::default());
        let client = start(&server.dsn(), |options| {
            let gate = gate.clone();
            silent(options).before_send_transaction(move |_| {
                gate.pass();
                true
            })
        });
        record_many(&client, recorded);
        let begin = Instant::now();
        assert!(!client.flush(SHORT), "nothing is through");
        let closed = client.close(SHORT);
        assert!(begin.elapsed() < SHORT * 2 + Duration::from_secs(2), "{:?}", begin.elapsed());
        assert!(!closed.complete);
        assert_eq!(lost(&client), (recorded, 2 * recorded));
        assert_eq!(closed.unreported, client.losses().peek(), "the caller is told of all of it");
        record_many(&client, 3);
        assert!(client.flush(LONG) || begin.elapsed() < LONG, "nobody is waited for any more");
        gate.open();
        // What comes out of the hook now is counted already.
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(lost(&client), (recorded + 3, 2 * (recorded + 3)));
        assert_eq!(server.requests(), 0, "and is not sent as well");
    }
}

#[test]
fn a_hook_that_comes_back_in_time_costs_nothing() {
    let (server, gate) = (Ingest::ok(), Gate::default());
    let client = start(&server.dsn(), |options| {
        let gate = gate.clone();
        silent(options).before_send_transaction(move |_| {
            gate.pass();
            true
        })
    });
    record_many(&client, 5);
    assert!(!client.flush(Duration::from_millis(50)));
    gate.open();
    assert!(client.close(LONG).complete);
    assert_eq!((lost(&client), server.requests()), ((0, 0), 5));
}

#[test]
fn an_answer_without_end_holds_nobody_and_all_is_counted() {
    let rows: [(&'static [u8], &str); 3] = [
        (b"HTTP/1.1 102 Processing\r\n\r\n", "one after the other that is not the last"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "the best known of them"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", "with header fields"),
    ];
    for (answer, reason) in rows {
        let server = Ingest::start(move |_| Reply::Endless(answer));
        let client = start(&server.dsn(), |options| silent(options).retry_timeout(LONG));
        record_many(&client, 100);
        let begin = Instant::now();
        let _ = client.flush(SHORT);
        let closed = client.close(Duration::from_secs(1));
        assert!(begin.elapsed() < Duration::from_secs(4), "{reason}: {:?}", begin.elapsed());
        let (transactions, spans) = lost(&client);
        assert!((100 - HANDED_ON..=100).contains(&transactions), "{reason}: {transactions} are counted");
        assert_eq!(spans, 2 * transactions, "{reason}");
        assert!(!closed.complete, "{reason}");
        assert!(!client.stats().delivery.running, "{reason}");
    }
}

#[test]
fn of_two_that_close_the_one_with_less_time_sets_it() {
    let server = Ingest::start(|_| Reply::Endless(b"HTTP/1.1 100 Continue\r\n\r\n"));
    let client = start(&server.dsn(), |options| silent(options).retry_timeout(LONG));
    record_many(&client, 100);
    let begin = Instant::now();
    let patient = std::thread::spawn({
        let client = client.clone();
        move || client.close(LONG).complete
    });
    // Until the first has asked, what is recorded is not refused.
    while lost(&client) == (0, 0) {
        record_many(&client, 1);
        assert!(begin.elapsed() < LONG, "nothing is refused");
    }
    let begin = Instant::now();
    assert!(!client.close(SHORT).complete);
    assert!(!patient.join().unwrap(), "it ends together with the other");
    assert!(begin.elapsed() < SHORT + Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(client.flush(LONG) && begin.elapsed() < LONG, "nothing is left to wait for");
}

#[test]
fn losses_that_do_not_fit_in_one_report_go_into_several_at_once() {
    let server = Ingest::ok();
    let client = start(&server.dsn(), |options| options);
    for &reason in Reason::ALL {
        for &category in Category::ALL {
            client.losses().record(reason, category, 1);
        }
    }
    assert!(client.flush(LONG));
    assert_eq!(client.losses().peek(), []);
    assert_eq!(server.requests(), (Reason::ALL.len() * Category::ALL.len()).div_ceil(40));
    assert!(client.close(LONG).complete);
}

#[test]
fn no_time_is_too_long_or_too_short() {
    let times = [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(u64::MAX), Duration::MAX];
    for time in times {
        let server = Ingest::ok();
        let client = start(&server.dsn(), |options| {
            silent(options).retry_timeout(time).shutdown_timeout(time).span_flush_interval(time)
        });
        record_many(&client, 20);
        assert!(client.flush(LONG), "{time:?}");
        record_many(&client, 20);
        let _ = client.flush(time);
        assert!(client.close(LONG).complete, "{time:?}");
        assert_eq!((lost(&client), server.requests()), ((0, 0), 40), "{time:?}");
    }
    for time in times {
        let server = Ingest::ok();
        let client = start(&server.dsn(), silent);
        record_many(&client, 20);
        let closed = client.close(time);
        let (transactions, _) = lost(&client);
        assert!(closed.complete == (transactions == 0) || time < Duration::from_secs(1), "{time:?}");
        assert!(client.close(LONG).complete || time < Duration::from_secs(1), "{time:?}");
    }
}

#[test]
fn no_size_is_too_large_or_too_small() {
    for bytes in [0, 1, 4 * 1024, usize::MAX / 2, usize::MAX - 1, usize::MAX] {
        let server = Ingest::ok();
        let client = start(&server.dsn(), |options| silent(options).queue_bytes(bytes));
        record_many(&client, 20);
        assert!(client.close(LONG).complete, "{bytes}");
        assert_eq!(lost(&client).0 + server.requests() as u64, 20, "{bytes}");
        assert!(bytes < 1 << 20 || server.requests() == 20, "{bytes}");
    }
}
