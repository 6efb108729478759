//! Messages of sentrace. Handler and log are shared by all threads, so this is a single test.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sentrace_core::adapter::{OutgoingCall, run_hook};
use sentrace_core::diagnostics::{self, Level, set_handler};
use sentrace_core::testing::Capture;
use sentrace_core::{Client, Options, Origin, TransactionOptions, start_span, start_transaction};

static SAID: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());
static CALLS: AtomicUsize = AtomicUsize::new(0);

fn said() -> Vec<String> {
    std::mem::take(&mut *SAID.lock().unwrap()).into_iter().map(|(_, message)| message).collect()
}

/// Does everything that a handler must not do: it traces, and it causes messages.
fn handle(level: Level, message: &str) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    SAID.lock().unwrap().push((level, message.to_owned()));
    start_transaction("handler", "task").finish();
    start_span("task", "handler").finish();
    diagnostics::warn(format_args!("by the handler"));
    if message == "panic" {
        std::panic::panic_any("with a payload");
    }
}

fn client(options: Options) -> (Client, std::sync::Arc<Capture>) {
    Capture::client(options.traces_sample_rate(1.0).tracing_origins([Origin::host("ours.test")])).unwrap()
}

/// Causes everything that debug mode explains, once.
fn decisions(client: &Client) {
    client.start_transaction_with(&TransactionOptions::new("left out", "task").recorded(false)).finish();
    client.start_transaction_with(&TransactionOptions::new("by hand", "task").sampled(false)).finish();
    client.continue_trace(&[("sentry-trace", "nonsense")]);
    let _call = OutgoingCall::to("http://theirs.test/", Some(client));
    client.push_activity("activity", None).pop();
    run_hook(|| client.start_transaction("in a hook", "task").finish());
}

#[test]
fn the_handler_is_not_entered_again_and_each_client_has_its_own_debug_mode() {
    assert!(set_handler(handle));
    let (traced, capture) = client(Options::new());
    traced.bind();

    // I1: neither what the handler starts nor what it reports comes back to it.
    let transaction = traced.start_transaction("work", "task");
    transaction.enter(|| {
        diagnostics::warn(format_args!("one"));
        diagnostics::warn(format_args!("panic"));
        diagnostics::warn(format_args!("two"));
    });
    transaction.finish();
    assert_eq!(said(), ["one", "panic", "two"]);
    assert_eq!(CALLS.load(Ordering::Relaxed), 3);
    let captured = capture.take();
    assert_eq!(captured.len(), 1);
    assert_eq!(captured[0].transaction.spans.len(), 0);
    assert_eq!(traced.losses().total(), []);

    // H13: each client individually, regardless of others.
    decisions(&traced);
    assert_eq!(said(), [""; 0], "it is off");
    let (debugged, _capture) = client(Options::new().debug(true));
    decisions(&traced);
    assert_eq!(said(), [""; 0], "it is on for another client");
    let idle = debugged.start_idle_transaction("checkout");
    decisions(&debugged);
    idle.finish();
    let all = said();
    for part in ["left out", "by hand", "sentry-trace", "theirs.test", "activity", "hook started it"] {
        assert!(all.iter().any(|message| message.contains(part)), "{part}: {all:?}");
    }
    debugged.close(Duration::ZERO);
    drop((idle, debugged));
    decisions(&traced);
    assert_eq!(said(), [""; 0], "it went with its client");
    diagnostics::debug(format_args!("nobody asked"));
    assert_eq!(said(), [""; 0]);

    // A later client gets explanations again that an earlier one has had.
    let (later, _capture) = client(Options::new().debug(true));
    decisions(&later);
    assert!(said().iter().any(|message| message.contains("left out")));

    // Threads that work for a client have to say so.
    diagnostics::with_debug_mode(false, || diagnostics::debug(format_args!("for the first")));
    diagnostics::with_debug_mode(true, || diagnostics::debug(format_args!("for the later")));
    assert_eq!(said(), ["for the later"]);
    traced.unbind();
    assert_eq!(said(), [""; 0], "the client that is unbound is not in debug mode");
}
