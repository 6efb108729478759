//! Clients that record into memory.

use std::sync::Arc;

use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_core::{Client, Options};

/// The trace of an incoming request.
pub const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
/// The caller's span.
pub const PARENT_ID: &str = "b7ad6b7169203331";
/// The header that continues it, sampled.
pub const SENTRY_TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

/// Creates a client that samples everything, and a view of what it records.
pub fn recording() -> (Client, Arc<Capture>) {
    recording_with(Options::new().traces_sample_rate(1.0))
}

/// Creates a client with other options, and a view of what it records.
pub fn recording_with(options: Options) -> (Client, Arc<Capture>) {
    Capture::client(options).expect("the options of a test are right")
}

/// Returns the only transaction.
///
/// # Panics
///
/// Panics if there are more or fewer.
pub fn only(mut captured: Vec<CapturedTransaction>) -> CapturedTransaction {
    assert_eq!(captured.len(), 1, "exactly one transaction: {captured:#?}");
    captured.remove(0)
}

/// Records a transaction with so many child spans.
pub fn record(client: &Client, name: &str, children: u64) {
    let transaction = client.start_transaction(name, "queue.task");
    transaction.set_data("attempt", 1);
    for number in 0..children {
        let span = transaction.start_span("db.query", "SELECT price FROM cart WHERE id = ?");
        span.set_data("row", i64::try_from(number).unwrap());
        span.finish();
    }
    transaction.finish();
}

/// Records so many transactions with so many child spans each.
pub fn record_many(client: &Client, transactions: u64, children: u64) {
    for number in 0..transactions {
        record(client, &format!("task {number}"), children);
    }
}
