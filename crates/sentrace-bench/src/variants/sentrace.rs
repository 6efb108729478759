//! sentrace's server layer.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use sentrace::protocol::{Category, Reason};
use sentrace::{Client, SentryTracingLayer};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::http::server::{Nothing, Recorded, Server, router, user, user_with_tracing_spans};
use crate::http::sink::{Dropping, HandedOver, NOWHERE, lost, options};
use crate::payload;
use crate::request::{Baggage, RequestHead, TRACE_ID};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::server("sentrace-dropped", 1, dropped),
    Variant::server("sentrace-handed-over", 1, handed_over),
    Variant::server("sentrace-unsampled", 1, unsampled),
    Variant::server("sentrace-off", 0, off),
    Variant::server("sentrace-no-client", 0, no_client),
    Variant::server("sentrace-10-spans", 11, ten_spans),
    Variant::server("sentrace-10-spans-handed-over", 1, ten_spans_handed_over),
    Variant::server("sentrace-10-spans-unsampled", 1, ten_spans_unsampled),
    Variant::server("sentrace-tracing-10-spans", 11, ten_tracing_spans),
    Variant::server("sentrace-tracing-10-spans-unsampled", 1, ten_tracing_spans_unsampled),
];

const SPANS: usize = 10;

fn layered(router: Router) -> Router {
    router.layer(SentryTracingLayer::new())
}

fn dropped(baggage: Baggage) -> Box<dyn Subject> {
    let (_, sink) = Dropping::client(options(NOWHERE));
    Box::new(Server::new(
        layered(router(user)),
        RequestHead::new(baggage, true),
        OnThread { sink, origin: "manual", spans: 0 },
    ))
}

fn ten_spans(baggage: Baggage) -> Box<dyn Subject> {
    let (_, sink) = Dropping::client(options(NOWHERE));
    let recorded = OnThread { sink, origin: "manual", spans: SPANS };
    Box::new(Server::new(layered(router(user_with_spans)), RequestHead::new(baggage, true), recorded))
}

fn unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let (client, _) = Dropping::client(options(NOWHERE));
    Box::new(Server::new(layered(router(user)), RequestHead::new(baggage, false), Unsampled { client }))
}

fn ten_spans_unsampled(baggage: Baggage) -> Box<dyn Subject> {
    let (client, _) = Dropping::client(options(NOWHERE));
    let router = layered(router(user_with_spans));
    Box::new(Server::new(router, RequestHead::new(baggage, false), Unsampled { client }))
}

fn ten_tracing_spans(baggage: Baggage) -> Box<dyn Subject> {
    subscribe();
    let (_, sink) = Dropping::client(options(NOWHERE));
    let router = layered(router(user_with_tracing_spans));
    Box::new(Server::new(
        router,
        RequestHead::new(baggage, true),
        OnThread { sink, origin: "auto.tracing", spans: SPANS },
    ))
}

fn ten_tracing_spans_unsampled(baggage: Baggage) -> Box<dyn Subject> {
    subscribe();
    let (client, _) = Dropping::client(options(NOWHERE));
    let router = layered(router(user_with_tracing_spans));
    Box::new(Server::new(router, RequestHead::new(baggage, false), Unsampled { client }))
}

fn subscribe() {
    let subscriber = tracing_subscriber::registry().with(sentrace::tracing::layer());
    tracing::subscriber::set_global_default(subscriber).expect("there is no subscriber yet");
}

/// No sample rate: traces are only propagated.
fn off(baggage: Baggage) -> Box<dyn Subject> {
    let options = sentrace::Options::new().dsn(NOWHERE).release("shop@1.4.0").environment("production");
    Dropping::client(options);
    Box::new(Server::new(layered(router(user)), RequestHead::new(baggage, true), Off))
}

fn no_client(baggage: Baggage) -> Box<dyn Subject> {
    Box::new(Server::new(layered(router(user)), RequestHead::new(baggage, true), Nothing))
}

fn handed_over(baggage: Baggage) -> Box<dyn Subject> {
    to_worker(router(user), baggage, 0)
}

fn ten_spans_handed_over(baggage: Baggage) -> Box<dyn Subject> {
    to_worker(router(user_with_spans), baggage, SPANS)
}

fn to_worker(router: Router, baggage: Baggage, spans: usize) -> Box<dyn Subject> {
    let router = layered(router);
    let request = RequestHead::new(baggage, true);
    let worker = HandedOver::start(|_| Server::new(router.clone(), request.clone(), Nothing).run(1));
    Box::new(Server::new(router, request, ToWorker { worker, spans }))
}

/// Ten spans, started manually.
async fn user_with_spans(path: Path<u64>) -> &'static str {
    for _ in 0..SPANS {
        sentrace::start_span("db.query", payload::DESCRIPTION).finish();
    }
    user(path).await
}

struct OnThread {
    sink: Arc<Dropping>,
    origin: &'static str,
    spans: usize,
}

impl Recorded for OnThread {
    fn yielded(&self) -> u64 {
        self.sink.transactions() + self.sink.spans()
    }

    fn check(&self, serve: &mut dyn FnMut() -> String) {
        let envelope = self.sink.envelope(|| drop(serve()));
        payload::assert_full(&envelope.expect("a transaction was recorded"), self.spans, self.origin);
    }
}

struct ToWorker {
    worker: HandedOver,
    spans: usize,
}

impl Recorded for ToWorker {
    fn yielded(&self) -> u64 {
        self.worker.recycled()
    }

    fn check(&self, _: &mut dyn FnMut() -> String) {
        payload::assert_full(self.worker.first(), self.spans, "manual");
    }
}

struct Unsampled {
    client: Client,
}

impl Recorded for Unsampled {
    fn yielded(&self) -> u64 {
        lost(&self.client, Reason::SampleRate, Category::Transaction)
    }

    fn check(&self, _: &mut dyn FnMut() -> String) {
        assert_continues("-0", self.client.clone());
    }
}

struct Off;

impl Recorded for Off {
    fn check(&self, _: &mut dyn FnMut() -> String) {
        assert_continues("-1", Client::global().expect("there is a client"));
    }
}

/// Checks that the trace continues with the incoming decision and sampling context.
fn assert_continues(decision: &str, client: Client) {
    let router = router(async || {
        let baggage = sentrace::get_baggage().unwrap_or_default();
        format!("{} {baggage}", sentrace::get_traceparent().unwrap_or_default())
    });
    let router = router.layer(SentryTracingLayer::new().client(client));
    let mut server = Server::new(router, RequestHead::new(Baggage::Mixed, decision == "-1"), Nothing);
    let answer = server.answer();
    let (sentry_trace, baggage) = answer.split_once(' ').unwrap_or_default();
    assert!(sentry_trace.starts_with(TRACE_ID) && sentry_trace.ends_with(decision), "{sentry_trace}");
    assert!(
        baggage.contains("sentry-transaction=GET%20%2Forders") && !baggage.contains("vendor"),
        "{baggage}"
    );
}
