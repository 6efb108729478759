//! Events of level `ERROR`, which mark the span that they happen in.

use std::error::Error;
use std::fmt;

use sentrace_core::SpanRef;
use sentrace_protocol::SpanStatus;
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::text::{filtered, with_text};

/// Marks `span` as failed, with what `event` says about it: `error.message` is its message, else the error itself, which
/// is also in `exception.message`.
pub(crate) fn mark(span: &SpanRef, event: &Event<'_>) {
    let mut told = Told::default();
    event.record(&mut told);
    span.set_status(SpanStatus::InternalError);
    if let Some(message) = told.message.as_ref().or(told.exception.as_ref()) {
        span.set_data("error.message", message);
    }
    if let Some(exception) = &told.exception {
        span.set_data("exception.message", exception);
    }
}

#[derive(Default)]
struct Told {
    message: Option<String>,
    exception: Option<String>,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = Some(filtered(value).into_owned()),
            "error" | "err" | "exception" | "exception.message" => {
                self.exception = Some(filtered(value).into_owned());
            }
            _ => {}
        }
    }

    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        self.exception = Some(with_text(format_args!("{value}"), |text| filtered(text).into_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        with_text(format_args!("{value:?}"), |text| self.record_str(field, text));
    }
}
