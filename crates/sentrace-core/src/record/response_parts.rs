//! What the pipeline asks of an HTTP answer, whatever HTTP library it came from.

use sentrace_protocol::SpanStatus;

use crate::record::{Record, Slot};
use crate::util::clock::FastInstant;

/// How an answer went, told when all of it is known; see
/// [`Transaction::finish_with_response`](crate::Transaction::finish_with_response).
#[derive(Debug, Clone, Copy, Default)]
pub struct ResponseParts {
    /// The status code: `contexts.response`, `http.response.status_code`, and the span's status where none was set.
    pub status: Option<u16>,
    /// When the answer's first byte left (`http.request.time_to_first_byte`).
    pub first_byte: Option<FastInstant>,
    /// When the last byte left, where that has been looked up already; else the transaction ends when it is told.
    pub end: Option<FastInstant>,
    /// Bytes of body that left (`http.response.body.size`).
    pub body_size: Option<u64>,
    /// How the request ended where that is not for the status code to say: it failed, or the client is gone.
    pub outcome: Option<SpanStatus>,
}

impl ResponseParts {
    pub(crate) fn complete(&self, record: &mut Record) {
        record.response_status = self.status;
        record.response_size = self.body_size;
        record.first_byte = self.first_byte.or(record.first_byte);
        if let Some(span) = Slot::ROOT.of_mut(&mut record.spans) {
            // A handler that said how it went knows better than the code.
            let by_code = || self.status.map(SpanStatus::from_http);
            span.status = self.outcome.or(span.status).or_else(by_code);
            span.end = self.end.or(span.end);
        }
    }
}
