//! Hooks of the layer that trace: they cannot come back into it.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use sentrace_core::{Options, current_span, start_span};
use sentrace_protocol::TransactionSource;
use sentrace_tower::{SentryTracing, SentryTracingLayer};
use tower::{Layer, Service};

use crate::support::{Always, get, only, recording_with};

type Traced = SentryTracing<Always>;

thread_local! {
    /// The service whose hook runs here.
    static SERVICE: RefCell<Option<Traced>> = const { RefCell::new(None) };
    static CALLS: AtomicUsize = const { AtomicUsize::new(0) };
}

/// What a hook does: it sends a request through the very service that asks it, and starts what it can.
fn trace_again() {
    CALLS.with(|calls| calls.fetch_add(1, Ordering::Relaxed));
    let service = SERVICE.with(|service| service.borrow().clone());
    if let Some(mut service) = service {
        let answer = service.call(get("http://shop.test/inner")).now_or_never();
        assert!(answer.is_some_and(|answer| answer.unwrap().status().is_success()), "it is served");
    }
    start_span("task", "inner").finish();
    current_span().start_span("task", "inner").finish();
}

#[test]
fn a_hook_that_sends_requests_through_its_own_layer_is_asked_once_a_request() {
    type Set = fn(SentryTracingLayer) -> SentryTracingLayer;
    let rows: [(Set, &str); 5] = [
        (
            |layer| {
                layer.filter(|_| {
                    trace_again();
                    true
                })
            },
            "filter",
        ),
        (
            |layer| {
                layer.name(|_| {
                    trace_again();
                    None::<(String, TransactionSource)>
                })
            },
            "name",
        ),
        (
            |layer| {
                layer.trust_incoming_if(|_| {
                    trace_again();
                    true
                })
            },
            "trust_incoming_if",
        ),
        (
            |layer| {
                layer.sampler(|_| {
                    trace_again();
                    1.0
                })
            },
            "sampler",
        ),
        (|layer| layer, "traces_sampler"),
    ];
    for (set, hook) in rows {
        let options = Options::new().traces_sample_rate(1.0);
        let options = match hook {
            "traces_sampler" => options.traces_sampler(|_| {
                trace_again();
                1.0
            }),
            _ => options,
        };
        let (client, capture) = recording_with(options);
        let mut service = set(SentryTracingLayer::new().client(client.clone())).layer(Always::ok());
        SERVICE.with(|own| *own.borrow_mut() = Some(service.clone()));
        CALLS.with(|calls| calls.store(0, Ordering::Relaxed));
        for trace in [None, Some("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")] {
            let mut request = get("http://shop.test/outer");
            if let Some(trace) = trace {
                request.headers_mut().insert("sentry-trace", trace.parse().unwrap());
            }
            drop(service.call(request).now_or_never());
            let captured = only(capture.take());
            assert_eq!(captured.transaction.name, "GET /outer", "{hook}");
            assert_eq!(captured.transaction.spans.len(), 0, "{hook}");
        }
        assert_eq!(
            CALLS.with(|calls| calls.load(Ordering::Relaxed)),
            2,
            "{hook} is asked for each request once"
        );
        assert_eq!(client.stats().sampled, 2, "{hook}");
        SERVICE.with(|own| *own.borrow_mut() = None);
    }
}

/// A payload whose drop panics, too.
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0.fetch_add(1, Ordering::Relaxed) < 2 {
            std::panic::panic_any(Self(Arc::clone(&self.0)));
        }
    }
}

#[test]
fn a_request_is_served_whatever_its_hooks_panic_with() {
    let bomb = || -> ! { std::panic::panic_any(Bomb(Arc::default())) };
    let layer = SentryTracingLayer::new();
    let layers = [
        layer.clone().filter(move |_| bomb()),
        layer.clone().name(move |_| bomb()),
        layer.clone().trust_incoming_if(move |_| bomb()),
        layer.sampler(move |_| bomb()),
    ];
    for layer in layers {
        let (client, capture) = recording_with(Options::new().traces_sample_rate(1.0));
        let answer = layer.client(client).layer(Always::ok()).call(get("http://shop.test/x")).now_or_never();
        assert!(answer.unwrap().unwrap().status().is_success());
        assert_eq!(only(capture.take()).transaction.name, "GET /x");
    }
}
