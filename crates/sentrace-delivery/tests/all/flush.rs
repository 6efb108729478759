//! Flushing and closing, from anywhere and in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sentrace_protocol::Reason;

use crate::support::{
    Ingest, LONG, Reply, Tally, client, client_with, counted, only, record, record_many, silent_client,
};

const SHORT: Duration = Duration::from_millis(200);

fn hanging() -> Ingest {
    Ingest::start(|_| Reply::Stall(b""))
}

#[test]
fn a_flush_takes_what_was_recorded_before_it_however_much_comes_meanwhile() {
    let ingest = Ingest::start(|number| Reply::after(number as u64 * 7 % 20));
    let (client, _) = client(&ingest);
    let stop = Arc::new(AtomicBool::new(false));
    let traffic = std::thread::spawn({
        let (client, stop) = (client.clone(), Arc::clone(&stop));
        move || {
            while !stop.load(Ordering::SeqCst) {
                record(&client, "traffic", 1);
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    for number in 0..20 {
        let name = format!("marker {number}");
        record(&client, &name, 0);
        assert!(client.flush(LONG), "{name}");
        assert!(ingest.transactions().contains(&name), "{name}");
    }
    stop.store(true, Ordering::SeqCst);
    traffic.join().unwrap();
}

#[test]
fn a_flush_that_takes_too_long_says_so_and_loses_nothing() {
    let ingest = Ingest::start(|_| Reply::after(1_000));
    let (client, losses) = silent_client(&ingest.dsn());
    let recorded = record_many(&client, 100, 0);
    let start = Instant::now();
    assert!(!client.flush(Duration::from_millis(50)));
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert!(client.flush(LONG));
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
}

#[test]
fn neither_a_flush_nor_closing_waits_for_more_to_come() {
    let ingest = Ingest::ok();
    let start = Instant::now();
    for _ in 0..50 {
        let (client, _) = client(&ingest);
        record(&client, "task", 0);
        assert!(client.flush(LONG));
        record(&client, "the last one", 0);
        assert!(client.close(LONG).complete);
    }
    // The worker gives others the time to come along.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_flush_of_nothing_is_quick_and_sends_nothing() {
    let ingest = Ingest::ok();
    let (client, _) = client(&ingest);
    let start = Instant::now();
    for _ in 0..100 {
        assert!(client.flush(LONG));
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(ingest.requests(), 0);
}

#[test]
fn a_flush_works_inside_any_runtime() {
    let current = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for (runtime, reason) in [(current, "current thread"), (many, "many threads")] {
        let ingest = Ingest::ok();
        let recorded = runtime.block_on(async {
            // Started in there as well.
            let (client, _) = client(&ingest);
            let task = tokio::spawn(async move {
                let recorded = record_many(&client, 10, 1);
                assert!(client.flush(LONG));
                assert!(client.close(LONG).complete);
                recorded
            });
            task.await.unwrap()
        });
        assert_eq!(ingest.accepted(), recorded, "{reason}");
    }
}

#[test]
fn it_outlives_the_runtime_of_its_host() {
    let ingest = Ingest::start(|_| Reply::after(50));
    let host = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (client, recorded) = host.block_on(async {
        let (client, _) = client(&ingest);
        let recorded = record_many(&client, 10, 1);
        (client, recorded)
    });
    drop(host);
    let recorded = recorded + record_many(&client, 10, 1);
    assert!(client.flush(LONG));
    assert_eq!(ingest.accepted(), recorded);
}

#[test]
fn several_threads_may_flush_and_close_at_the_same_time() {
    let ingest = Ingest::start(|_| Reply::after(20));
    let (client, losses) = client(&ingest);
    let recorded = record_many(&client, 100, 1);
    let threads: Vec<_> = (0..6)
        .map(|number| {
            let client = client.clone();
            std::thread::spawn(
                move || if number % 2 == 0 { client.flush(LONG) } else { client.close(LONG).complete },
            )
        })
        .collect();
    for thread in threads {
        assert!(thread.join().unwrap());
    }
    assert!(client.flush(LONG) && client.close(LONG).complete, "and once more");
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
}

#[test]
fn a_flush_works_while_a_panic_unwinds() {
    struct FlushOnDrop(sentrace_core::Client, Arc<AtomicBool>);
    impl Drop for FlushOnDrop {
        fn drop(&mut self) {
            self.1.store(self.0.close(LONG).complete, Ordering::SeqCst);
        }
    }
    let ingest = Ingest::ok();
    let (client, _) = client(&ingest);
    let closed = Arc::new(AtomicBool::new(false));
    let panicking = std::thread::spawn({
        let guard = FlushOnDrop(client, Arc::clone(&closed));
        move || {
            record(&guard.0, "the last one", 0);
            panic!("a service that dies");
        }
    });
    assert!(panicking.join().is_err());
    assert!(closed.load(Ordering::SeqCst));
    assert_eq!(ingest.transactions(), ["the last one"]);
}

#[test]
fn closing_gives_up_in_time_and_counts_what_it_gave_up() {
    let ingest = hanging();
    let (client, losses) = silent_client(&ingest.dsn());
    let recorded = record_many(&client, 100, 2);
    let start = Instant::now();
    assert!(!client.close(SHORT).complete);
    assert!(start.elapsed() < SHORT + Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(losses.peek(), only(Reason::NetworkError, recorded));
    assert!(client.flush(LONG), "nothing is left");
    assert!(!client.close(LONG).complete, "it was not complete and will not be");
}

#[test]
fn closing_without_time_counts_everything() {
    let ingest = hanging();
    let (client, losses) = silent_client(&ingest.dsn());
    let recorded = record_many(&client, 100, 2);
    assert!(!client.close(Duration::ZERO).complete);
    assert!(client.flush(LONG), "the worker is gone soon");
    assert_eq!(counted(&losses), recorded);
}

#[test]
fn closing_reports_what_it_gave_up() {
    let ingest = Ingest::start(|number| if number < 3 { Reply::Stall(b"") } else { Reply::ok() });
    let (client, losses) = client(&ingest);
    let recorded = record_many(&client, 3, 2);
    assert!(!client.close(Duration::from_secs(2)).complete);
    assert_eq!((ingest.reported_losses(), counted(&losses)), (recorded, Tally::default()));
    assert!(ingest.reported().keys().all(|(reason, _)| reason == "network_error"));
}

#[test]
fn what_comes_after_closing_is_refused_and_counted() {
    let ingest = Ingest::ok();
    let (client, losses) = silent_client(&ingest.dsn());
    let before = record_many(&client, 3, 2);
    assert!(client.close(LONG).complete);
    let after = record_many(&client, 5, 1);
    assert!(client.flush(LONG));
    assert_eq!(ingest.accepted(), before);
    assert_eq!(losses.peek(), only(Reason::QueueOverflow, after));
}

#[test]
fn dropping_it_waits_for_nothing_and_still_delivers() {
    let ingest = Ingest::start(|_| Reply::after(500));
    let (client, losses) = client_with(&ingest.dsn(), |options| options.shutdown_timeout(LONG));
    let recorded = record_many(&client, 100, 1);
    let start = Instant::now();
    drop(client);
    assert!(start.elapsed() < Duration::from_millis(450), "{:?}", start.elapsed());
    ingest.wait_for(|received| received.len() == 100);
    assert_eq!(ingest.accepted(), recorded);
    let start = Instant::now();
    while Arc::strong_count(&losses) > 1 {
        assert!(start.elapsed() < LONG, "the thread ends by itself");
        std::thread::yield_now();
    }
}
