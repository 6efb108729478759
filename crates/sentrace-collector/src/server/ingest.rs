//! The endpoints for envelopes.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use tower_http::decompression::RequestDecompressionLayer;

use super::activity::Activity;
use super::body::{Pace, Room, Unread};
use crate::behaviour::{Behaviour, Fault};
use crate::clock;
use crate::ingest::{Credentials, Examined, Refusal, examine};
use crate::model::{Problem, Severity};
use crate::shared::Shared;

const AUTH: HeaderName = HeaderName::from_static("x-sentry-auth");
const ERROR: HeaderName = HeaderName::from_static("x-sentry-error");

/// Returns the routes: `/api/{project}/envelope/` like Sentry, `/stream` like Spotlight.
pub(super) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let room = Room::new();
    let in_project = {
        let room = room.clone();
        post(async move |State(shared): State<Arc<Shared>>, Path(project): Path<String>, request: Request| {
            take(&shared, &room, Some(project), request).await
        })
        .options(preflight)
    };
    let stream = post(async move |State(shared): State<Arc<Shared>>, request: Request| {
        take(&shared, &room, None, request).await
    })
    .options(preflight);
    Router::new()
        .route("/api/{project}/envelope/", in_project.clone())
        .route("/api/{project}/envelope", in_project)
        .route("/stream", stream)
        .layer(RequestDecompressionLayer::new())
        .layer(axum::middleware::map_response_with_state(Arc::clone(shared), finish))
}

/// Allows browsers to send envelopes from any origin, as Sentry does.
async fn preflight() -> impl IntoResponse {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "content-type, content-encoding, x-sentry-auth"),
    ];
    (StatusCode::NO_CONTENT, headers)
}

async fn finish(State(shared): State<Arc<Shared>>, method: Method, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("x-sentry-error, x-sentry-rate-limits, retry-after");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    // Requests that decompression refuses never reach `take`.
    if method == Method::POST && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        let refusal = Refusal { status: 415, message: "unknown content-encoding".into() };
        shared.update(|store| store.add(unread("-", &refusal)));
    }
    response
}

async fn take(shared: &Shared, room: &Room, project: Option<String>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let behaviour = shared.behaviour();
    if let Some(project) = project.as_deref().filter(|project| !is_project(project)) {
        let message = format!("project {project:?} is invalid; use at most 64 letters, digits, - and _");
        return refuse(shared, "-", Refusal { status: 400, message }, &behaviour);
    }
    let name = project.as_deref().unwrap_or("-");
    // If reading is slow on purpose, its time is not limited.
    let pace = shared
        .slow_read()
        .is_none()
        .then_some(Pace { whole: shared.limits.client_time, part: shared.limits.client_time / 3 });
    let body = match room.read(body, shared.limits.envelope, pace).await {
        Ok(body) => body,
        Err(unread) => return refuse(shared, name, refusal_of(unread), &behaviour),
    };
    if let Some(activity) = head.extensions.get::<Arc<Activity>>() {
        activity.set_answering(true);
    }
    shared.update(crate::store::Store::count_received);
    if !behaviour.delay.is_zero() {
        tokio::time::sleep(behaviour.delay).await;
    }
    if behaviour.refuses() {
        shared.update(crate::store::Store::count_refused);
        if behaviour.fault == Some(Fault::Hang) {
            drop(body);
            std::future::pending::<()>().await;
        }
        let status = behaviour.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return dress((status, "refused on purpose\n").into_response(), &behaviour);
    }
    let credentials = credentials(&head.headers, head.uri.query(), project.is_none());
    let examined = examine(&body.bytes, project.as_deref(), &credentials, clock::now());
    drop(body);
    let (id, refusal) = (examined.event_id, examined.refusal.clone());
    let accepted = behaviour.status.unwrap_or(StatusCode::OK);
    shared.update(|store| store.add(examined));
    match refusal {
        Some(refusal) => dress(answer_refusal(&refusal), &behaviour),
        None => dress((accepted, Json(json!({ "id": id }))).into_response(), &behaviour),
    }
}

fn refuse(shared: &Shared, project: &str, refusal: Refusal, behaviour: &Behaviour) -> Response {
    let answer = answer_refusal(&refusal);
    shared.update(|store| store.add(unread(project, &refusal)));
    dress(answer, behaviour)
}

/// Creates the record of an envelope that was refused before it was read.
fn unread(project: &str, refusal: &Refusal) -> Examined {
    let problem =
        Problem { severity: Severity::Error, path: "request".into(), message: refusal.message.clone() };
    Examined {
        project: project.to_owned(),
        problems: vec![problem],
        refusal: Some(refusal.clone()),
        received_at: clock::now(),
        ..Examined::default()
    }
}

fn refusal_of(unread: Unread) -> Refusal {
    match unread {
        Unread::TooLarge(limit) => {
            let message = format!("more than {limit} bytes after decompression; send smaller envelopes");
            Refusal { status: 413, message }
        }
        Unread::Broken(error) => {
            Refusal { status: 400, message: format!("the body cannot be read: {error}") }
        }
        Unread::TooSlow(time) => {
            let message = format!("the body did not arrive within {time:?}; send it without pauses");
            Refusal { status: 408, message }
        }
        Unread::NoRoom => {
            let message = "too many large envelopes at once; send them one at a time".into();
            Refusal { status: 503, message }
        }
    }
}

fn answer_refusal(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = Json(json!({ "detail": refusal.message }));
    let mut response = (status, body).into_response();
    let printable: String = refusal.message.chars().filter(|c| matches!(c, ' '..='~')).take(1_000).collect();
    if let Ok(value) = HeaderValue::from_str(&printable) {
        response.headers_mut().insert(ERROR, value);
    }
    response
}

fn dress(mut response: Response, behaviour: &Behaviour) -> Response {
    for (name, value) in &behaviour.headers {
        response.headers_mut().append(name, value.clone());
    }
    if let Some(fault) = behaviour.fault {
        // The connection carries it out.
        response.extensions_mut().insert(fault);
    }
    response
}

fn credentials(headers: &HeaderMap, query: Option<&str>, optional: bool) -> Credentials {
    let header = headers.get(AUTH).and_then(|value| value.to_str().ok());
    let uri = http::Uri::builder().path_and_query(format!("/?{}", query.unwrap_or_default())).build().ok();
    let query = uri.and_then(|uri| Query::<HashMap<String, String>>::try_from_uri(&uri).ok());
    Credentials {
        header: header.and_then(Credentials::key_in_header),
        query: query.and_then(|Query(mut query)| query.remove("sentry_key")),
        optional,
    }
}

fn is_project(project: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&project.len()) && project.bytes().all(allowed)
}
