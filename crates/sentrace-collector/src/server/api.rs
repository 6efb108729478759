//! The JSON API: `/api/traces`, `/api/traces/{id}`, `/api/traces/{id}/doctor`, `/api/doctor`,
//! `/api/reports`, `/api/problems`, `/api/counts`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use sentrace_protocol::TraceId;
use serde_json::json;

use crate::model::{Counts, Diagnosis, ReportedProblem, Reports, TraceSummary};
use crate::shared::Shared;
use crate::store::Store;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/traces", get(traces).delete(clear))
        .route("/api/traces/{id}", get(trace))
        .route("/api/traces/{id}/doctor", get(doctor_of))
        .route("/api/doctor", get(doctor))
        .route("/api/reports", get(reports))
        .route("/api/problems", get(problems))
        .route("/api/counts", get(counts))
}

async fn traces(State(shared): State<Arc<Shared>>) -> Json<Vec<TraceSummary>> {
    Json(shared.store().traces())
}

async fn trace(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let trace = TraceId::from_hex(id.as_bytes()).and_then(|id| shared.store().trace(id));
    match trace {
        Some(trace) => Json(trace).into_response(),
        None => no_such_trace(),
    }
}

async fn doctor(State(shared): State<Arc<Shared>>) -> Json<Vec<Diagnosis>> {
    let remarks = shared.store().remarks();
    Json(Diagnosis::of(remarks))
}

async fn doctor_of(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let remarks = TraceId::from_hex(id.as_bytes()).and_then(|id| {
        let store = shared.store();
        store.summary(id).map(|_| store.remarks_of(id))
    });
    match remarks {
        Some(remarks) => Json(Diagnosis::of(remarks)).into_response(),
        None => no_such_trace(),
    }
}

fn no_such_trace() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "detail": "no such trace" }))).into_response()
}

async fn clear(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.update(Store::clear);
    StatusCode::NO_CONTENT
}

async fn reports(State(shared): State<Arc<Shared>>) -> Json<Reports> {
    Json(shared.store().reports())
}

async fn problems(State(shared): State<Arc<Shared>>) -> Json<Vec<ReportedProblem>> {
    Json(shared.store().problems().cloned().collect())
}

async fn counts(State(shared): State<Arc<Shared>>) -> Json<Counts> {
    Json(shared.store().counts())
}
