//! The web pages: `/`, `/traces/{id}`, `/doctor` and their stylesheet.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode};
use sentrace_protocol::TraceId;

use crate::clock;
use crate::model::Diagnosis;
use crate::page;
use crate::shared::Shared;

/// Forbids external resources, scripts and inline styles, so names of spans cannot become code.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(list))
        .route("/traces/{id}", get(trace))
        .route("/doctor", get(doctor))
        .route("/style.css", get(style))
        .route("/icon.svg", get(icon))
        .layer(axum::middleware::from_fn(harden))
}

async fn list(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Html<String> {
    let host =
        headers.get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8969");
    let view = {
        let store = shared.store();
        page::List {
            traces: store.traces(),
            reports: store.reports(),
            latest: store.problems().rev().take(page::MAX_PROBLEMS).cloned().collect(),
            problems: store.problems().len(),
            counts: store.counts(),
            dsn: format!("http://public@{host}/1"),
            now: clock::now(),
        }
    };
    Html(view.render())
}

async fn trace(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let found = TraceId::from_hex(id.as_bytes()).and_then(|id| {
        let store = shared.store();
        Some((store.trace(id)?, store.remarks_of(id)))
    });
    match found {
        Some((trace, remarks)) => Html(page::trace(&trace, remarks)).into_response(),
        None => (StatusCode::NOT_FOUND, Html(page::missing(&id))).into_response(),
    }
}

async fn doctor(State(shared): State<Arc<Shared>>) -> Html<String> {
    let (remarks, traces) = {
        let store = shared.store();
        (store.remarks(), store.len())
    };
    Html(page::doctor(&Diagnosis::of(remarks), traces))
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE)
}

async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], page::ICON)
}

async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
