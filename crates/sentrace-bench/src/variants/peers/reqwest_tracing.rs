//! reqwest-tracing, alone and with OpenTelemetry 0.32, the latest version that it supports.

use std::sync::Arc;

use opentelemetry_0_32::global;
use opentelemetry_0_32::trace::TracerProvider as _;
use opentelemetry_sdk_0_32::propagation::TraceContextPropagator;
use opentelemetry_sdk_0_32::trace::SdkTracerProvider;
use reqwest_middleware::Middleware;
use reqwest_tracing::TracingMiddleware;
use tracing_subscriber::layer::SubscriberExt as _;

use super::counting::Counter;
use crate::http::server::runtime;
use crate::outgoing::{Stub, call};
use crate::request::Baggage;
use crate::variant::{Subject, Variant};
use crate::variants::outgoing::Plain;

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::outgoing("outgoing-reqwest-tracing-no-subscriber", 0, no_subscriber),
    Variant::outgoing("outgoing-reqwest-tracing-registry", 0, registry),
    Variant::outgoing("outgoing-reqwest-tracing-opentelemetry", 1, opentelemetry),
];

fn middleware() -> Option<Arc<dyn Middleware>> {
    Some(Arc::new(TracingMiddleware::default()))
}

fn no_subscriber(_: Baggage) -> Box<dyn Subject> {
    Plain::boxed(middleware())
}

fn registry(_: Baggage) -> Box<dyn Subject> {
    let registry = tracing_subscriber::registry();
    tracing::subscriber::set_global_default(registry).expect("there is no subscriber yet");
    Plain::boxed(middleware())
}

fn opentelemetry(_: Baggage) -> Box<dyn Subject> {
    let counter = Counter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(counter.clone()).build();
    global::set_text_map_propagator(TraceContextPropagator::new());
    let layer = tracing_opentelemetry_0_33::layer().with_tracer(provider.tracer("shop"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("there is no subscriber yet");
    Box::new(Exported { calls: Plain::boxed(middleware()), counter })
}

struct Exported {
    calls: Box<dyn Subject>,
    counter: Counter,
}

impl Subject for Exported {
    fn run(&mut self, calls: u32) {
        self.calls.run(calls);
    }

    fn yielded(&self) -> u64 {
        self.counter.get()
    }

    fn check(&mut self) {
        let (client, stub) = Stub::looking(middleware());
        runtime().block_on(call(&client));
        assert!(stub.headers().contains_key("traceparent"), "the trace is carried on: {:?}", stub.headers());
    }
}
