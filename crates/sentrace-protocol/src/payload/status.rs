//! How a span ended.

use crate::util::text_enum::text_enum;

/// How a span or transaction ended, in the words that Sentry shares with gRPC.
///
/// Sentry SDK specification, *Span Status*.
///
/// ```
/// use sentrace_protocol::SpanStatus;
///
/// assert_eq!(SpanStatus::from_http(404), SpanStatus::NotFound);
/// assert_eq!(SpanStatus::DeadlineExceeded.as_str(), "deadline_exceeded");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanStatus {
    /// It did what it was asked to.
    Ok,
    /// The caller gave up, as a client that closes its connection does.
    Cancelled,
    /// It failed, and nothing says how.
    UnknownError,
    /// The caller sent something wrong.
    InvalidArgument,
    /// It took longer than allowed.
    DeadlineExceeded,
    /// What was asked for is not there.
    NotFound,
    /// What was to be made is there already.
    AlreadyExists,
    /// The caller is known and may not.
    PermissionDenied,
    /// A quota or rate is used up.
    ResourceExhausted,
    /// The system is not in the state that this needs.
    FailedPrecondition,
    /// Stopped for a conflict; may be tried again.
    Aborted,
    /// Beyond the valid range.
    OutOfRange,
    /// Not supported here.
    Unimplemented,
    /// A bug or a broken invariant.
    InternalError,
    /// Not reachable at the moment.
    Unavailable,
    /// Data is lost or corrupt.
    DataLoss,
    /// The caller did not say who they are.
    Unauthenticated,
}

text_enum!(SpanStatus, "span status", {
    Ok => "ok",
    Cancelled => "cancelled",
    UnknownError => "unknown_error",
    InvalidArgument => "invalid_argument",
    DeadlineExceeded => "deadline_exceeded",
    NotFound => "not_found",
    AlreadyExists => "already_exists",
    PermissionDenied => "permission_denied",
    ResourceExhausted => "resource_exhausted",
    FailedPrecondition => "failed_precondition",
    Aborted => "aborted",
    OutOfRange => "out_of_range",
    Unimplemented => "unimplemented",
    InternalError => "internal_error",
    Unavailable => "unavailable",
    DataLoss => "data_loss",
    Unauthenticated => "unauthenticated",
});

impl SpanStatus {
    /// Returns the status of a request whose response has this HTTP status code.
    ///
    /// Where the specification has no row, this follows Sentry's JavaScript SDK: informational and
    /// redirecting responses are `ok`, other 4xx `invalid_argument`, all from 500 on `internal_error`. Numbers
    /// below 100 are `unknown_error`.
    pub const fn from_http(status: u16) -> Self {
        match status {
            100..=399 => Self::Ok,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::NotFound,
            409 => Self::AlreadyExists,
            413 => Self::FailedPrecondition,
            429 => Self::ResourceExhausted,
            499 => Self::Cancelled,
            400..=499 => Self::InvalidArgument,
            501 => Self::Unimplemented,
            503 => Self::Unavailable,
            504 => Self::DeadlineExceeded,
            0..=99 => Self::UnknownError,
            _ => Self::InternalError,
        }
    }

    /// Whether this counts as a failure: everything but `ok` does.
    ///
    /// Sentry's streamed spans know `ok` and `error` only; this is the line between them.
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_http_status_has_its_span_status() {
        let rows: [(std::ops::RangeInclusive<u16>, &str, &str); 25] = [
            (0..=99, "unknown_error", "no HTTP status"),
            (100..=199, "ok", "informational, JavaScript SDK"),
            (200..=299, "ok", "specification"),
            (300..=399, "ok", "redirecting, JavaScript SDK"),
            (400..=400, "invalid_argument", "specification"),
            (401..=401, "unauthenticated", "specification"),
            (402..=402, "invalid_argument", "other 4xx"),
            (403..=403, "permission_denied", "specification"),
            (404..=404, "not_found", "specification"),
            (405..=408, "invalid_argument", "other 4xx"),
            (409..=409, "already_exists", "specification"),
            (410..=412, "invalid_argument", "other 4xx"),
            (413..=413, "failed_precondition", "JavaScript and Python SDK"),
            (414..=428, "invalid_argument", "other 4xx"),
            (429..=429, "resource_exhausted", "specification"),
            (430..=498, "invalid_argument", "other 4xx"),
            (499..=499, "cancelled", "specification"),
            (500..=500, "internal_error", "specification"),
            (501..=501, "unimplemented", "specification"),
            (502..=502, "internal_error", "other 5xx"),
            (503..=503, "unavailable", "specification"),
            (504..=504, "deadline_exceeded", "specification"),
            (505..=599, "internal_error", "other 5xx"),
            (600..=999, "internal_error", "beyond HTTP, as in JavaScript"),
            (u16::MAX..=u16::MAX, "internal_error", "beyond HTTP"),
        ];
        for (codes, status, reason) in rows {
            for code in codes {
                assert_eq!(SpanStatus::from_http(code).as_str(), status, "{code}: {reason}");
            }
        }
    }

    #[test]
    fn a_status_is_read_back_from_its_word() {
        for &status in SpanStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            let json = serde_json::to_string(&status).unwrap();
            assert_eq!(json, format!("\"{status}\""));
            assert_eq!(serde_json::from_str::<SpanStatus>(&json).unwrap(), status);
        }
        let message = "fine".parse::<SpanStatus>().unwrap_err().to_string();
        assert!(
            message
                .starts_with("invalid span status `fine`: the specification has no such word; use one of ok")
        );
    }

    #[test]
    fn only_ok_is_no_error() {
        let good: Vec<_> = SpanStatus::ALL.iter().copied().filter(|status| !status.is_error()).collect();
        assert_eq!(good, [SpanStatus::Ok]);
    }
}
