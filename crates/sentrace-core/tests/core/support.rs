//! A recording client, and what it lost.

use sentrace_core::Client;
use sentrace_core::testing::{Capture, CapturedTransaction};
use sentrace_protocol::losses::{Category, Reason};
pub(crate) use sentrace_testkit::{PARENT_ID, SENTRY_TRACE, TRACE_ID, recording, recording_with};

/// Takes the only transaction; more or fewer fail the test.
pub(crate) fn only(capture: &Capture) -> CapturedTransaction {
    sentrace_testkit::only(capture.take())
}

pub(crate) fn lost(client: &Client, reason: Reason, category: Category) -> u64 {
    let losses = client.losses().peek();
    let found = losses.iter().find(|lost| lost.reason == reason && lost.category == category);
    found.map_or(0, |lost| lost.quantity)
}
