//! sentry has no middleware for reqwest, so this is a middleware as a service would write it: a
//! span and its headers.

use std::sync::Arc;

use http::{Extensions, HeaderName, HeaderValue};
use reqwest::{Request, Response};
use reqwest_middleware::{ClientWithMiddleware, Middleware, Next, Result};
use sentry::protocol::SpanStatus;
use sentry::{Transaction, TransactionContext};
use tokio::runtime::Runtime;

use super::counting::Counter;
use super::sentry::init_dropping;
use crate::http::server::runtime;
use crate::outgoing::{Stub, call};
use crate::request::{Baggage, RequestHead};
use crate::variant::{Subject, Variant};

/// The rows.
pub const VARIANTS: &[Variant] = &[Variant::outgoing("outgoing-sentry-by-hand", 1, by_hand)];

fn by_hand(baggage: Baggage) -> Box<dyn Subject> {
    let counter = init_dropping();
    let client = Stub::client(Some(Arc::new(ByHand)));
    let request = RequestHead::new(baggage, true);
    Box::new(Traced { runtime: runtime(), client, counter, request, transaction: None, transactions: 0 })
}

struct ByHand;

#[async_trait::async_trait]
impl Middleware for ByHand {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Some(parent) = sentry::configure_scope(|scope| scope.get_span()) else {
            return next.run(request, extensions).await;
        };
        let description = format!("{} {}", request.method(), request.url());
        let span = parent.start_child("http.client", &description);
        for (name, value) in span.iter_headers() {
            if let Ok(value) = HeaderValue::try_from(value) {
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        let answer = next.run(request, extensions).await;
        if let Ok(response) = &answer {
            span.set_data("http.response.status_code", response.status().as_u16().into());
            span.set_status(SpanStatus::Ok);
        }
        span.finish();
        answer
    }
}

/// Calls within a transaction, as if within a request.
struct Traced {
    runtime: Runtime,
    client: ClientWithMiddleware,
    counter: Counter,
    request: RequestHead,
    transaction: Option<Transaction>,
    transactions: u64,
}

impl Subject for Traced {
    fn prepare(&mut self) {
        let headers = self.request.fresh_headers();
        let headers = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let context = TransactionContext::continue_from_headers("GET /users/{id}", "http.server", headers);
        let transaction = sentry::start_transaction(context);
        sentry::configure_scope(|scope| scope.set_span(Some(transaction.clone().into())));
        self.transaction = Some(transaction);
    }

    fn run(&mut self, calls: u32) {
        self.runtime.block_on(async {
            for _ in 0..calls {
                call(&self.client).await;
            }
        });
    }

    fn conclude(&mut self) {
        sentry::configure_scope(|scope| scope.set_span(None));
        if let Some(transaction) = self.transaction.take() {
            transaction.finish();
            self.transactions += 1;
        }
    }

    fn yielded(&self) -> u64 {
        self.counter.get() - self.transactions
    }
}
