//! Outgoing requests.

use std::sync::Arc;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware};
use sentrace::{SentryTracingMiddleware, Transaction};
use tokio::runtime::Runtime;

use crate::http::server::runtime;
use crate::http::sink::{Dropping, NOWHERE, options};
use crate::outgoing::{Noop, Stub, call};
use crate::payload;
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::outgoing("outgoing-stub", 0, stub),
    Variant::outgoing("outgoing-noop", 0, noop),
    Variant::outgoing("outgoing-sentrace", 1, sampled),
    Variant::outgoing("outgoing-sentrace-guarded", 1, guarded),
    Variant::outgoing("outgoing-sentrace-unsampled", 0, unsampled),
];

/// A client that is not recorded.
pub struct Plain {
    runtime: Runtime,
    client: ClientWithMiddleware,
}

impl Plain {
    /// A client with `middleware` and the stub.
    pub fn boxed(middleware: Option<Arc<dyn Middleware>>) -> Box<dyn Subject> {
        Box::new(Self { runtime: runtime(), client: Stub::client(middleware) })
    }
}

impl Subject for Plain {
    fn run(&mut self, calls: u32) {
        self.runtime.block_on(async {
            for _ in 0..calls {
                call(&self.client).await;
            }
        });
    }
}

fn stub(_: Baggage) -> Box<dyn Subject> {
    Plain::boxed(None)
}

fn noop(_: Baggage) -> Box<dyn Subject> {
    Plain::boxed(Some(Arc::new(Noop)))
}

fn sampled(baggage: Baggage) -> Box<dyn Subject> {
    Traced::boxed(baggage, true, with_middleware)
}

fn guarded(baggage: Baggage) -> Box<dyn Subject> {
    Traced::boxed(baggage, true, with_guard)
}

fn unsampled(baggage: Baggage) -> Box<dyn Subject> {
    Traced::boxed(baggage, false, with_middleware)
}

/// sentrace's middleware on an existing client.
fn with_middleware() -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(SentryTracingMiddleware::new()).build()
}

/// A client whose redirects are guarded. The stub does not redirect, so this is the cost of the
/// guard for other calls.
fn with_guard() -> ClientWithMiddleware {
    sentrace::reqwest::client(reqwest::Client::builder()).expect("the builder is right").build()
}

/// Calls within a transaction, as if within a request.
struct Traced {
    runtime: Runtime,
    client: ClientWithMiddleware,
    sink: Arc<Dropping>,
    request: RequestHead,
    sampled: bool,
    built: fn() -> ClientWithMiddleware,
    transaction: Option<Transaction>,
}

impl Traced {
    fn boxed(baggage: Baggage, sampled: bool, built: fn() -> ClientWithMiddleware) -> Box<dyn Subject> {
        let (_, sink) = Dropping::client(options(NOWHERE));
        let client = Stub::default().below(built());
        let request = RequestHead::new(baggage, sampled);
        Box::new(Self { runtime: runtime(), client, sink, request, sampled, built, transaction: None })
    }
}

impl Subject for Traced {
    fn prepare(&mut self) {
        let trace = sentrace::continue_trace(&self.request.fresh_headers());
        self.transaction = Some(trace.start_transaction("GET /users/{id}", "http.server"));
    }

    fn run(&mut self, calls: u32) {
        let Some(transaction) = &self.transaction else { return };
        let client = &self.client;
        self.runtime.block_on(transaction.scope(async {
            for _ in 0..calls {
                call(client).await;
            }
        }));
    }

    fn conclude(&mut self) {
        self.transaction = None;
    }

    fn yielded(&self) -> u64 {
        self.sink.spans()
    }

    fn check(&mut self) {
        let (client, stub) = Stub::looking_below((self.built)());
        let measured = std::mem::replace(&mut self.client, client);
        let sink = Arc::clone(&self.sink);
        let envelope = sink.envelope(|| {
            self.prepare();
            self.run(1);
            self.conclude();
        });
        self.client = measured;
        payload::assert_call(&stub.headers(), envelope.as_ref(), self.sampled);
    }
}
