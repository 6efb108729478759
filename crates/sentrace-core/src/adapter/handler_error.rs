//! The error that a handler has turned into a response.

use std::error::Error;
use std::fmt;
use std::iter;
use std::sync::{Arc, OnceLock};

use crate::util::text::write_bounded;

/// Longest text that is kept, in bytes.
const MAX_TEXT: usize = 8 * 1024;
/// Longest chain of sources that is followed.
const MAX_SOURCES: usize = 16;

/// The error behind a response, in the response's extensions. It is reported to Sentry and not sent to the client.
///
/// A status code shows that something failed, but the error itself is lost once it has become a response. With this type
/// `SentryTracingLayer` records its text as `error.message` of the transaction, and
/// `SentryHubLayer::capture_failed_requests` captures the error with its sources. In axum it is a part of the response:
///
/// ```
/// # #[cfg(feature = "axum-08")]
/// # mod example {
/// use axum::http::StatusCode;
/// use axum::response::{IntoResponse, Response};
/// use sentrace_core::adapter::HandlerError; // sentrace::HandlerError
///
/// struct AppError(std::io::Error);
///
/// impl IntoResponse for AppError {
///     fn into_response(self) -> Response {
///         (StatusCode::INTERNAL_SERVER_ERROR, HandlerError::new(self.0), "sorry").into_response()
///     }
/// }
/// # }
/// ```
///
/// Elsewhere, use `response.extensions_mut().insert(HandlerError::new(error))`.
///
/// The status of the transaction follows from the status code: with a 404 it is `not_found`. The text is not filtered.
#[derive(Clone)]
pub struct HandlerError(Arc<Inner>);

struct Inner {
    error: Box<dyn Error + Send + Sync>,
    text: OnceLock<Box<str>>,
}

impl HandlerError {
    /// Wraps an error, or whatever converts into a boxed one, as `anyhow::Error` and texts do.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::new(Inner { error: error.into(), text: OnceLock::new() }))
    }

    /// Wraps the text of a value that is not an [`Error`]. At most 8 KiB of it are kept.
    pub fn msg(message: impl fmt::Display) -> Self {
        let mut text = String::new();
        write_bounded(&mut text, MAX_TEXT, |out| write!(out, "{message}"));
        Self::new(text)
    }

    /// Returns the error.
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0.error
    }

    /// Returns the text of the error and of up to 15 sources, `load the cart: connection refused`, at most 8 KiB.
    pub fn as_str(&self) -> &str {
        self.0.text.get_or_init(|| {
            let first: &dyn Error = &*self.0.error;
            let chain = iter::successors(Some(first), |error| Error::source(*error));
            let mut text = String::new();
            write_bounded(&mut text, MAX_TEXT, |out| {
                for (at, error) in chain.take(MAX_SOURCES).enumerate() {
                    let separator = if at == 0 { "" } else { ": " };
                    write!(out, "{separator}{error}")?;
                }
                Ok(())
            });
            text.into()
        })
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandlerError").field(&self.0.error).finish()
    }
}

#[cfg(feature = "axum-08")]
impl axum::response::IntoResponseParts for HandlerError {
    type Error = std::convert::Infallible;

    fn into_response_parts(
        self,
        mut parts: axum::response::ResponseParts,
    ) -> Result<axum::response::ResponseParts, Self::Error> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Chain(&'static str, Option<Box<Self>>);

    impl fmt::Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Chain {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn an_error_is_told_with_its_sources() {
        let refused = Chain("connection refused", None);
        let error = Chain("load the cart", Some(Box::new(refused)));
        assert_eq!(HandlerError::new(error).as_str(), "load the cart: connection refused");
        assert_eq!(HandlerError::msg("no stock").as_str(), "no stock");
    }

    #[test]
    fn texts_and_chains_are_bounded() {
        let long = HandlerError::msg("é".repeat(MAX_TEXT));
        assert_eq!(long.as_str().len(), MAX_TEXT);
        let odd = HandlerError::msg(format_args!("x{}", "é".repeat(MAX_TEXT)));
        assert_eq!(odd.as_str().len(), MAX_TEXT - 1, "cut between characters");
        let long = HandlerError::new("é".repeat(MAX_TEXT));
        assert_eq!(long.as_str().len(), MAX_TEXT);
        let chain = (0..100).fold(Chain("z", None), |source, _| Chain("a", Some(Box::new(source))));
        assert_eq!(HandlerError::new(chain).as_str().matches('a').count(), MAX_SOURCES);
    }

    #[test]
    fn an_error_that_cannot_be_shown_has_said_what_it_has_said() {
        #[derive(Debug)]
        struct Panics;
        impl fmt::Display for Panics {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("before")?;
                panic!("while showing an error")
            }
        }
        impl Error for Panics {}
        assert_eq!(HandlerError::msg(Panics).as_str(), "before");
        assert_eq!(HandlerError::new(Panics).as_str(), "before");
    }
}
