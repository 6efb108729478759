//! Code of users that sentrace calls, and that `tracing` instruments. In a process of its own: the subscriber is global, because
//! that is the one which hears of spans that begin below others', and a failure overflows the stack.

use sentrace_core::testing::Capture;
use sentrace_core::{Options, current_span};
use tracing::{info_span, instrument};
use tracing_subscriber::prelude::*;

#[instrument]
fn decide() -> f64 {
    info_span!("look up the rate").in_scope(|| 1.0)
}

#[test]
fn an_instrumented_sampler_is_not_recorded_and_does_not_call_itself() {
    let options = Options::new().traces_sampler(|_| decide());
    let (client, capture) = Capture::client(options).unwrap();
    let layer = sentrace_tracing::layer().transactions(|_| true).client(client.clone());
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    client.start_transaction("by hand", "task").finish();
    info_span!("by tracing").in_scope(|| info_span!("inner").in_scope(|| {}));
    assert!(current_span().is_none());
    let outer = client.start_transaction("outer", "task");
    outer.enter(|| client.start_transaction("within", "task").finish());
    outer.finish();

    let recorded: Vec<_> = capture
        .take()
        .iter()
        .map(|captured| (captured.transaction.name.to_string(), captured.transaction.spans.len()))
        .collect();
    let expected = [("by hand", 0), ("by tracing", 1), ("within", 0), ("outer", 0)];
    assert_eq!(recorded, expected.map(|(name, spans)| (name.to_owned(), spans)));
}
