//! A service of another company, which must not receive trace headers.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};

/// Its host name, which is not resolved: the backend's HTTP client is configured with the address.
pub(crate) const HOST: &str = "payments.example";

/// Records the headers of every call.
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

    /// Returns the calls with a trace header.
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
