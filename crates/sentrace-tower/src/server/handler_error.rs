//! The text of an error that a handler has turned into an answer.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use sentrace_core::{Transaction, guarded};

/// Longest text that is kept, in bytes.
const MAX_TEXT: usize = 8 * 1024;
/// Longest chain of sources that is followed.
const MAX_SOURCES: usize = 16;

/// Why a handler answers as it does, for the transaction and not for the client: on an answer's extensions, its text
/// becomes `error.message` of the transaction.
///
/// A status code says that something failed; what failed is gone once the error is an answer. In axum it is a part of the
/// answer:
///
/// ```
/// use axum::http::StatusCode;
/// use axum::response::{IntoResponse, Response};
/// use sentrace_tower::HandlerError;
///
/// struct AppError(std::io::Error);
///
/// impl IntoResponse for AppError {
///     fn into_response(self) -> Response {
///         (StatusCode::INTERNAL_SERVER_ERROR, HandlerError::new(&self.0), "sorry").into_response()
///     }
/// }
/// ```
///
/// Elsewhere, `response.extensions_mut().insert(HandlerError::new(&error))`.
///
/// The status stays the code's: an answer of 404 with a text is `not_found`. What the text tells is your choice, it is
/// not filtered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerError(Arc<str>);

impl HandlerError {
    /// The error and its sources: `load the cart: connection refused`. At most 8 KiB of them.
    pub fn new(error: &(dyn Error + 'static)) -> Self {
        let first: &dyn Error = error;
        let sources = std::iter::successors(Some(first), |error| Error::source(*error));
        Self::write(|text| {
            for (at, error) in sources.take(MAX_SOURCES).enumerate() {
                let separator = if at == 0 { "" } else { ": " };
                write!(text, "{separator}{error}")?;
            }
            Ok(())
        })
    }

    /// Whatever can be shown, for errors that are none of [`Error`], as `anyhow`'s: `HandlerError::text(format_args!("{error:#}"))`.
    pub fn text(error: impl fmt::Display) -> Self {
        Self::write(|text| write!(text, "{error}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn write(write: impl FnOnce(&mut Bounded) -> fmt::Result) -> Self {
        let mut text = Bounded(String::new());
        // An error that cannot be shown, or panics on the way, has said what it has said; a full text stops it.
        let _ = guarded(|| write(&mut text));
        Self(text.0.into())
    }

    pub(super) fn record(&self, transaction: &Transaction) {
        transaction.set_data("error.message", self.as_str());
    }
}

/// Takes text until there is too much of it.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_TEXT - self.0.len().min(MAX_TEXT);
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(&text[..end]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Chain(&'static str, Option<Box<Chain>>);

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
        assert_eq!(HandlerError::new(&error).as_str(), "load the cart: connection refused");
        assert_eq!(HandlerError::text("no stock").as_str(), "no stock");
    }

    #[test]
    fn texts_and_chains_are_bounded() {
        let long = HandlerError::text("é".repeat(MAX_TEXT));
        assert_eq!(long.as_str().len(), MAX_TEXT);
        let odd = HandlerError::text(format_args!("x{}", "é".repeat(MAX_TEXT)));
        assert_eq!(odd.as_str().len(), MAX_TEXT - 1, "cut between characters");
        let chain = (0..100).fold(Chain("z", None), |source, _| Chain("a", Some(Box::new(source))));
        assert_eq!(HandlerError::new(&chain).as_str().matches('a').count(), MAX_SOURCES);
    }

    #[test]
    fn an_error_that_cannot_be_shown_has_said_what_it_has_said() {
        struct Panics;
        impl fmt::Display for Panics {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("before")?;
                panic!("while showing an error")
            }
        }
        assert_eq!(HandlerError::text(Panics).as_str(), "before");
    }
}
