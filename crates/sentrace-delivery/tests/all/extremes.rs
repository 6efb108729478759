//! Options at the ends of what their types can say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sentrace_core::TraceLifecycle;
use tempfile::TempDir;

use crate::support::{DEAD_DSN, Ingest, LONG, Tally, client_with, counted, record, record_many, wait_until};

fn times() -> impl Strategy<Value = Duration> {
    prop::sample::select(vec![
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_millis(20),
        Duration::from_secs(u64::from(u32::MAX)),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ])
}

fn sizes() -> impl Strategy<Value = u64> {
    prop::sample::select(vec![0, 1, 1_000, 1 << 20, u64::MAX / 2, u64::MAX])
}

#[derive(Debug, Clone)]
struct Run {
    retry: Duration,
    shutdown: Duration,
    spans: Duration,
    flush: Duration,
    close: Duration,
    queue_bytes: u64,
    spool_bytes: Option<u64>,
    streams: bool,
    away: bool,
}

fn runs() -> impl Strategy<Value = Run> {
    let durations = (times(), times(), times(), times(), times());
    let rest = (sizes(), prop::option::of(sizes()), any::<bool>(), any::<bool>());
    (durations, rest).prop_map(
        |((retry, shutdown, spans, flush, close), (queue_bytes, spool_bytes, streams, away))| Run {
            retry,
            shutdown,
            spans,
            // What waits for an ingest that is away may wait for as long as it is asked to.
            flush: if away { flush.min(Duration::from_millis(20)) } else { flush },
            close,
            queue_bytes,
            spool_bytes,
            streams,
            away,
        },
    )
}

fn check(run: &Run) {
    let (ingest, folder) = (Ingest::ok(), TempDir::new().unwrap());
    let dsn = if run.away { DEAD_DSN.to_owned() } else { ingest.dsn() };
    let (client, losses) = client_with(&dsn, |options| {
        let options = options
            .send_client_reports(false)
            .retry_timeout(run.retry)
            .shutdown_timeout(run.shutdown)
            .span_flush_interval(run.spans)
            .queue_bytes(usize::try_from(run.queue_bytes).unwrap_or(usize::MAX))
            .trace_lifecycle(if run.streams { TraceLifecycle::Stream } else { TraceLifecycle::Static });
        match run.spool_bytes {
            Some(bytes) => options.spool_dir(folder.path()).spool_bytes(bytes),
            None => options,
        }
    });
    let begin = Instant::now();
    let mut recorded = record_many(&client, 10, 2);
    client.flush(run.flush);
    assert!(client.stats().delivery.running, "the worker died");
    recorded = recorded + record_many(&client, 10, 2);
    let closed = client.close(run.close);
    assert!(begin.elapsed() < LONG, "{:?}", begin.elapsed());
    drop(client);
    wait_until("the worker to end", || Arc::strong_count(&losses) == 1);
    if run.close >= LONG && !run.away {
        assert!(closed.complete);
        assert!(run.streams || ingest.accepted() + counted(&losses) == recorded, "{:?}", counted(&losses));
    }
    if run.away && run.spool_bytes.is_none() {
        let expected = if run.streams { Tally { transactions: 0, ..recorded } } else { recorded };
        assert_eq!(counted(&losses), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_option_is_too_large_or_too_small_with_any_other(run in runs()) {
        check(&run);
    }
}

#[test]
fn an_unlimited_retry_timeout_does_not_kill_the_worker() {
    let (client, losses) = client_with(DEAD_DSN, |options| options.retry_timeout(Duration::MAX));
    record(&client, "task", 0);
    wait_until("a failure", || client.stats().delivery.posts_failed >= 2);
    assert!(client.stats().delivery.running);
    assert_eq!(counted(&losses), Tally::default(), "it is still tried");
    client.close(LONG);
    assert_eq!(counted(&losses), Tally::of(1, 0));
}
