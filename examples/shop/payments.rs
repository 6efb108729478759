//! Another company's service: it is called, and must not learn of our traces.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};

/// Its host name. Nobody resolves it: the backend's HTTP client is told the address.
pub(crate) const HOST: &str = "payments.example";

/// Remembers which headers every call brought.
#[derive(Clone, Default)]
pub(crate) struct Payments {
    calls: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Payments {
    pub(crate) fn router(&self) -> Router {
        Router::new().route("/methods", get(methods)).with_state(self.clone())
    }

    pub(crate) fn calls(&self) -> usize {
        self.with_calls(|calls| calls.len())
    }

    /// Calls that brought a trace header.
    pub(crate) fn traced_calls(&self) -> usize {
        let traced = |call: &HeaderMap| {
            ["sentry-trace", "baggage", "traceparent"].iter().any(|name| call.contains_key(*name))
        };
        self.with_calls(|calls| calls.iter().filter(|call| traced(call)).count())
    }

    fn with_calls<R>(&self, read: impl FnOnce(&mut Vec<HeaderMap>) -> R) -> R {
        read(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn methods(State(payments): State<Payments>, headers: HeaderMap) -> Json<[&'static str; 3]> {
    payments.with_calls(|calls| calls.push(headers));
    Json(["card", "invoice", "direct debit"])
}
