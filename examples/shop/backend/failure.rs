//! Errors of requests.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) enum Failure {
    /// Something was not found.
    NotFound(&'static str),
    /// The database or another part of this service failed.
    Internal(crate::Error),
    /// A called service failed.
    Upstream(reqwest_middleware::Error),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, error) = match &self {
            Self::NotFound(what) => (StatusCode::NOT_FOUND, *what),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "an internal error occurred"),
            Self::Upstream(_) => (StatusCode::BAD_GATEWAY, "a required service does not answer"),
        };
        // The response has no details. They are logged with the transaction, which is also current
        // here.
        let detail = match self {
            Self::NotFound(_) => None,
            Self::Internal(error) => Some(error.to_string()),
            Self::Upstream(error) => Some(error.to_string()),
        };
        if let Some(detail) = detail {
            sentrace::current_span().set_data("error.message", detail);
        }
        (status, Json(json!({ "error": error }))).into_response()
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<reqwest_middleware::Error> for Failure {
    fn from(error: reqwest_middleware::Error) -> Self {
        Self::Upstream(error)
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Upstream(error.into())
    }
}
