//! The status of a gRPC call.

use http::HeaderMap;
use sentrace_core::SpanRef;
use sentrace_protocol::SpanStatus;

/// A status code in `grpc-status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GrpcStatus(u32);

impl GrpcStatus {
    /// The status of a stream that ended without one (gRPC over HTTP/2, *Responses*).
    pub(crate) const MISSING: Self = Self(2);

    /// Reads `grpc-status` from a head or from trailers. A value that is not a number counts as missing.
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get("grpc-status")?;
        Some(value.to_str().ok().and_then(|value| value.trim().parse().ok()).map_or(Self::MISSING, Self))
    }

    pub(crate) fn is_ok(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn span_status(self) -> SpanStatus {
        self.known().0
    }

    /// Records the code by its name (OpenTelemetry's and Sentry's conventions for RPC).
    pub(crate) fn record(self, span: &SpanRef) {
        span.set_data("rpc.response.status_code", self.known().1);
    }

    /// A code that gRPC does not define is `UNKNOWN`, as in gRPC's own libraries.
    fn known(self) -> (SpanStatus, &'static str) {
        match self.0 {
            0 => (SpanStatus::Ok, "OK"),
            1 => (SpanStatus::Cancelled, "CANCELLED"),
            3 => (SpanStatus::InvalidArgument, "INVALID_ARGUMENT"),
            4 => (SpanStatus::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            5 => (SpanStatus::NotFound, "NOT_FOUND"),
            6 => (SpanStatus::AlreadyExists, "ALREADY_EXISTS"),
            7 => (SpanStatus::PermissionDenied, "PERMISSION_DENIED"),
            8 => (SpanStatus::ResourceExhausted, "RESOURCE_EXHAUSTED"),
            9 => (SpanStatus::FailedPrecondition, "FAILED_PRECONDITION"),
            10 => (SpanStatus::Aborted, "ABORTED"),
            11 => (SpanStatus::OutOfRange, "OUT_OF_RANGE"),
            12 => (SpanStatus::Unimplemented, "UNIMPLEMENTED"),
            13 => (SpanStatus::InternalError, "INTERNAL"),
            14 => (SpanStatus::Unavailable, "UNAVAILABLE"),
            15 => (SpanStatus::DataLoss, "DATA_LOSS"),
            16 => (SpanStatus::Unauthenticated, "UNAUTHENTICATED"),
            _ => (SpanStatus::UnknownError, "UNKNOWN"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_status_that_is_no_number_is_unknown_and_an_absent_one_is_absent() {
        let rows = [
            (Some("0"), Some(SpanStatus::Ok), "the usual"),
            (Some(" 5 "), Some(SpanStatus::NotFound), "with spaces"),
            (Some("17"), Some(SpanStatus::UnknownError), "beyond the last code"),
            (Some("99999999999999"), Some(SpanStatus::UnknownError), "beyond all numbers"),
            (Some("-1"), Some(SpanStatus::UnknownError), "negative"),
            (Some(""), Some(SpanStatus::UnknownError), "empty"),
            (None, None, "absent"),
        ];
        for (value, expected, reason) in rows {
            let headers = value
                .map(|value| (http::HeaderName::from_static("grpc-status"), HeaderValue::from_static(value)));
            let read = GrpcStatus::read(&headers.into_iter().collect());
            assert_eq!(read.map(GrpcStatus::span_status), expected, "{reason}");
        }
    }
}
