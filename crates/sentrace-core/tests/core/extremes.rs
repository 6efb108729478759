//! Extreme options and times: nothing overflows, panics or waits forever.

use std::time::{Duration, Instant};

use sentrace_core::adapter::{FastInstant, ResponseParts};
use sentrace_core::testing::Capture;
use sentrace_core::{IdleOptions, Options, TraceLifecycle, TransactionOptions};

use crate::support::recording;

const DURATIONS: [Duration; 8] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_millis(1),
    Duration::from_secs(u32::MAX as u64),
    Duration::from_secs(i64::MAX as u64),
    Duration::from_secs(u64::MAX),
    Duration::new(u64::MAX - 1, 999_999_999),
    Duration::MAX,
];

#[test]
fn every_duration_is_taken() {
    type Set = fn(Options, Duration) -> Options;
    let options: [(Set, &str); 5] = [
        (Options::idle_timeout, "idle_timeout"),
        (Options::final_timeout, "final_timeout"),
        (Options::shutdown_timeout, "shutdown_timeout"),
        (Options::retry_timeout, "retry_timeout"),
        (Options::span_flush_interval, "span_flush_interval"),
    ];
    for (set, option) in options {
        for duration in DURATIONS {
            for lifecycle in [TraceLifecycle::Static, TraceLifecycle::Stream] {
                let options =
                    set(Options::new().traces_sample_rate(1.0).trace_lifecycle(lifecycle), duration);
                let (client, capture) = Capture::client(options).unwrap();
                let idle = client.start_idle_transaction("idle");
                let activity = idle.push_activity("activity", None);
                let transaction = client.start_transaction("work", "task");
                transaction.start_span("task", "step").finish();
                transaction.finish();
                activity.pop();
                idle.finish();
                assert!(client.flush(duration), "{option}: {duration:?}");
                assert!(client.close(duration).complete, "{option}: {duration:?}");
                let arrived = capture.take().len() + capture.take_spans().len();
                assert!(arrived >= 2, "{option}: {duration:?}: {arrived}");
            }
        }
    }
}

#[test]
fn every_idle_transaction_ends_in_time_or_by_hand() {
    for idle_timeout in DURATIONS {
        for final_timeout in DURATIONS {
            let (client, capture) = recording();
            let options =
                IdleOptions::new().idle_timeout(idle_timeout).final_timeout(final_timeout).separate();
            let idle = client.start_idle_transaction_with(&TransactionOptions::new("idle", "task"), options);
            let is_short = idle_timeout.min(final_timeout) <= Duration::from_millis(1);
            if is_short {
                assert_eq!(
                    capture.wait_for(1, Duration::from_secs(10)).len(),
                    1,
                    "{idle_timeout:?}, {final_timeout:?}"
                );
            } else {
                assert!(idle.is_open(), "{idle_timeout:?}, {final_timeout:?}");
                idle.finish();
                assert_eq!(capture.take().len(), 1, "{idle_timeout:?}, {final_timeout:?}");
            }
        }
    }
}

#[test]
fn every_size_is_taken() {
    for bytes in [0, 1, 1024, usize::MAX / 2, usize::MAX] {
        let options = Options::new().traces_sample_rate(1.0).queue_bytes(bytes).spool_bytes(bytes as u64);
        assert_eq!((options.delivery().queue_bytes, options.delivery().spool_bytes), (bytes, bytes as u64));
        let (client, capture) = Capture::client(options).unwrap();
        client.start_transaction("work", "task").finish();
        assert_eq!(capture.take().len(), 1);
    }
}

#[test]
fn moments_of_any_time_are_taken() {
    let (client, capture) = recording();
    let now = Instant::now();
    let instants =
        DURATIONS.iter().flat_map(|away| [now.checked_add(*away), now.checked_sub(*away)]).flatten();
    for at in instants {
        let transaction = client.start_transaction("work", "task");
        transaction.start_span_at("db.query", "SELECT 1", at).finish();
        transaction.set_first_byte(FastInstant::of(at));
        let end = Some(FastInstant::of(at));
        transaction.finish_with_response(&ResponseParts { end, ..ResponseParts::default() });
        let captured = capture.expect_transaction("work").transaction;
        let json = serde_json::to_value(&captured).unwrap();
        assert!(json["timestamp"].as_f64() >= json["start_timestamp"].as_f64(), "{json}");
    }
}
