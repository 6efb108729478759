//! A handler's error as a part of its answer.

use std::convert::Infallible;

use axum::response::{IntoResponseParts, ResponseParts};

use crate::server::HandlerError;

impl IntoResponseParts for HandlerError {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}
