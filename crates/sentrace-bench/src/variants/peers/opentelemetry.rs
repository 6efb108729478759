//! opentelemetry-instrumentation-tower with the OpenTelemetry SDK. The incoming trace is read from
//! `traceparent`; `baggage` is not read, to the SDK's advantage.

use axum::extract::Path;
use opentelemetry::global;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_instrumentation_tower::http::server::Layer;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::counting::Counter;
use crate::http::server::{Recorded, Server, router, user};
use crate::payload::DESCRIPTION;
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::server("opentelemetry-dropped", 1, dropped),
    Variant::server("opentelemetry-batch", 1, batch),
    Variant::server("opentelemetry-unsampled", 0, unsampled),
    Variant::server("opentelemetry-10-spans", 11, ten_spans),
    Variant::server("opentelemetry-10-spans-unsampled", 0, ten_spans_unsampled),
];

/// Installs a global provider, with an exporter that drops spans on the thread that exports them.
pub fn provider() -> (SdkTracerProvider, Counter) {
    let counter = Counter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(counter.clone()).build();
    make_global(&provider);
    (provider, counter)
}

fn make_global(provider: &SdkTracerProvider) {
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
}

fn dropped(baggage: Baggage) -> Box<dyn Subject> {
    let (_, counter) = provider();
    Box::new(Server::new(router(user).layer(Layer::new()), RequestHead::w3c(baggage, true), counter))
}

fn unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let (_, counter) = provider();
    Box::new(Server::new(router(user).layer(Layer::new()), RequestHead::w3c(baggage, false), counter))
}

fn ten_spans(baggage: Baggage) -> Box<dyn Subject> {
    let (_, counter) = provider();
    Box::new(Server::new(
        router(user_with_spans).layer(Layer::new()),
        RequestHead::w3c(baggage, true),
        counter,
    ))
}

fn ten_spans_unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let (_, counter) = provider();
    Box::new(Server::new(
        router(user_with_spans).layer(Layer::new()),
        RequestHead::w3c(baggage, false),
        counter,
    ))
}

fn batch(baggage: Baggage) -> Box<dyn Subject> {
    let counter = Counter::default();
    let provider = SdkTracerProvider::builder().with_batch_exporter(counter.clone()).build();
    make_global(&provider);
    let router = router(user).layer(Layer::new());
    Box::new(Server::new(router, RequestHead::w3c(baggage, true), Batched { provider, counter }))
}

/// Flushes the batch, which is otherwise exported every five seconds.
struct Batched {
    provider: SdkTracerProvider,
    counter: Counter,
}

impl Recorded for Batched {
    fn yielded(&self) -> u64 {
        self.provider.force_flush().expect("the exporter never fails");
        self.counter.get()
    }
}

async fn user_with_spans(path: Path<u64>) -> &'static str {
    let tracer = global::tracer("shop");
    for _ in 0..10 {
        tracer.start(DESCRIPTION).end();
    }
    user(path).await
}
