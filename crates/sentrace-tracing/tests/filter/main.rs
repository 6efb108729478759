//! A filter that hides bound spans is reported once. Alone in its process, because messages have one handler.

use std::sync::{Arc, Mutex};

use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, diagnostics};
use sentrace_tracing::{bound_span, layer};
use tracing::Dispatch;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, registry};

fn bind(subscriber: &Dispatch, client: &Client) {
    tracing::dispatcher::with_default(subscriber, || {
        client.start_transaction("work", "task").enter(|| drop(bound_span()));
    });
}

#[test]
fn a_filter_that_hides_bound_spans_is_reported_once() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&said);
    diagnostics::set_handler(move |_, message| into.lock().unwrap().push(message.to_owned()));
    let said = || std::mem::take(&mut *said.lock().unwrap());
    let (client, _capture) = Capture::client(Options::new().traces_sample_rate(1.0)).unwrap();

    let targets = || EnvFilter::new("shop=debug,sqlx=debug");
    let silent: [(Dispatch, &str); 6] = [
        (registry().with(layer()).into(), "no filter"),
        (registry().with(layer()).with(EnvFilter::new("info")).into(), "a filter by level"),
        (
            registry().with(layer()).with(EnvFilter::new("shop=debug,sentrace::bound=error")).into(),
            "the directive",
        ),
        (
            registry().with(layer()).with(tracing_subscriber::fmt::layer().with_filter(targets())).into(),
            "of another layer",
        ),
        (registry().with(vec![layer(), layer()]).into(), "two layers"),
        (registry().with(targets()).into(), "no layer of ours"),
    ];
    for (subscriber, reason) in &silent {
        bind(subscriber, &client);
        assert_eq!(said(), Vec::<String>::new(), "{reason}");
    }
    tracing::dispatcher::with_default(
        &registry().with(targets()).with(layer()).into(),
        || drop(bound_span()),
    );
    assert_eq!(said(), Vec::<String>::new(), "nothing is current");

    let hidden: [(Dispatch, &str); 3] = [
        (registry().with(layer()).with(targets()).into(), "a filter of all layers"),
        (
            registry().with(tracing_subscriber::fmt::layer()).with(layer().with_filter(targets())).into(),
            "a filter of the layer: others see the span",
        ),
        (registry().with(layer()).with(EnvFilter::new("off")).into(), "off"),
    ];
    let mut messages = Vec::new();
    for (subscriber, _) in hidden.iter().chain(&hidden) {
        bind(subscriber, &client);
        messages.extend(said());
    }
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("add `sentrace::bound=error` to the filter"), "{messages:?}");
}
