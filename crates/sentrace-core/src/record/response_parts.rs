//! The parts of an HTTP response that are recorded.

use sentrace_protocol::SpanStatus;

use crate::record::{Record, Slot};
use crate::util::clock::FastInstant;

/// The outcome of a response, once all of it is known; see
/// [`Transaction::finish_with_response`](crate::Transaction::finish_with_response). Adapters create
/// it with `..Default::default()`: fields may be added.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResponseParts {
    /// The status code: `contexts.response`, `http.response.status_code`, and the span's status if
    /// none was set.
    pub status: Option<u16>,
    /// When the first byte of the response was sent (`http.request.time_to_first_byte`).
    pub first_byte: Option<FastInstant>,
    /// When the last byte was sent, if that was already read; otherwise the transaction ends now.
    pub end: Option<FastInstant>,
    /// Bytes of the body that were sent (`http.response.body.size`).
    pub body_size: Option<u64>,
    /// How the request ended if the status code does not say it: it failed, or the client
    /// disconnected.
    pub outcome: Option<SpanStatus>,
}

impl ResponseParts {
    pub(crate) fn complete(&self, record: &mut Record) {
        record.response_status = self.status;
        record.response_size = self.body_size;
        record.first_byte = self.first_byte.or(record.first_byte);
        if let Some(span) = Slot::ROOT.of_mut(&mut record.spans) {
            // A status that a handler has set takes precedence over the code.
            let by_code = || self.status.map(SpanStatus::from_http);
            span.status = self.outcome.or(span.status).or_else(by_code);
            span.end = self.end.or(span.end);
        }
    }
}
