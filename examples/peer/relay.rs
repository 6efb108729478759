//! An incoming call that is forwarded to others.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use reqwest_middleware::ClientWithMiddleware;
use sentrace::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// The remaining addresses of the call, separated by commas.
#[derive(Deserialize)]
struct Way {
    #[serde(default)]
    via: String,
}

/// The called service, the headers it received, and the answers of those after it.
#[derive(Serialize)]
struct Passed {
    party: String,
    headers: Vec<(String, String)>,
    next: Option<Value>,
}

struct Relay {
    name: String,
    http: ClientWithMiddleware,
}

pub(crate) fn router(name: String) -> Result<Router, Error> {
    // The same origins apply to redirects, so that no trace headers reach another host.
    let http = sentrace::reqwest::client(reqwest::Client::builder())?.build();
    Ok(Router::new()
        .route(&format!("/{name}/{{item}}"), get(relay))
        .with_state(Arc::new(Relay { name, http }))
        .layer(SentryTracingLayer::new()))
}

async fn relay(
    State(relay): State<Arc<Relay>>,
    Path(item): Path<String>,
    Query(way): Query<Way>,
    headers: HeaderMap,
) -> Result<Json<Passed>, (StatusCode, String)> {
    let (first, rest) = way.via.split_once(',').unwrap_or((&way.via, ""));
    let next = if first.is_empty() {
        None
    } else {
        sentrace::current_span().set_data("relay.item", &*item);
        let call = sentrace::in_span("function", "call the next", relay.call(first, rest));
        Some(call.await.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?)
    };
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    Ok(Json(Passed { party: relay.name.clone(), headers: headers.collect(), next }))
}

impl Relay {
    /// Calls with its own baggage, which has to arrive together with Sentry's.
    async fn call(&self, first: &str, rest: &str) -> Result<Value, reqwest_middleware::Error> {
        let request =
            self.http.get(first).query(&[("via", rest)]).header("baggage", format!("{}=own", self.name));
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}
