//! A recording client, and what it lost.

use std::sync::Arc;

use sentrace_core::testing::{Capture, Captured};
use sentrace_core::{Client, Options};
use sentrace_protocol::losses::{Category, Reason};

pub(crate) const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const PARENT_ID: &str = "b7ad6b7169203331";
pub(crate) const SENTRY_TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

/// A client that samples everything, and what it records.
pub(crate) fn recording() -> (Client, Arc<Capture>) {
    recording_with(Options::new().traces_sample_rate(1.0))
}

pub(crate) fn recording_with(options: Options) -> (Client, Arc<Capture>) {
    Capture::client(options).expect("the options of a test are right")
}

/// The only transaction; more or fewer fail the test.
pub(crate) fn only(capture: &Capture) -> Captured {
    let mut captured = capture.take();
    assert_eq!(captured.len(), 1, "exactly one transaction: {captured:#?}");
    captured.remove(0)
}

pub(crate) fn lost(client: &Client, reason: Reason, category: Category) -> u64 {
    let losses = client.losses().peek();
    let found = losses.iter().find(|lost| lost.reason == reason && lost.category == category);
    found.map_or(0, |lost| lost.quantity)
}
