//! The header fields that nearly every request has, judged in advance.

/// What the value behind a name may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Nothing that has to be hidden.
    Harmless,
    /// A secret, by the [`SENSITIVE_TERMS`](super::SENSITIVE_TERMS).
    Sensitive,
    /// A person, by the [`PERSONAL_TERMS`](super::PERSONAL_TERMS).
    Personal,
    /// A URL, which may have secrets of its own.
    Url,
    /// The host that was called, which credentials may precede.
    Host,
    /// The trace, which reports tell elsewhere.
    Trace,
}

impl ValueKind {
    #[inline]
    pub(super) fn is_sensitive_or_personal(self) -> bool {
        matches!(self, Self::Sensitive | Self::Personal)
    }
}

/// A header field that nearly every request has; see [`well_known_header`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WellKnownHeader {
    /// The name, in lower case.
    pub name: &'static str,
    /// What its value may tell.
    pub value: ValueKind,
}

/// Finds a header field by its name in lower case, as a literal that needs no copy; `None` for other ones.
///
/// ```
/// use sentrace_protocol::sensitive::fast_path::{ValueKind, well_known_header};
///
/// assert_eq!(well_known_header("cookie").map(|known| known.value), Some(ValueKind::Sensitive));
/// assert_eq!(well_known_header("x-cart"), None);
/// ```
#[inline]
pub fn well_known_header(name: &str) -> Option<&'static WellKnownHeader> {
    use ValueKind::{Harmless, Host, Personal, Sensitive, Trace, Url};

    macro_rules! first_of {
        ($($known:literal: $value:ident),+) => {
            match name {
                $($known => Some(&WellKnownHeader { name: $known, value: $value }),)+
                _ => None,
            }
        };
    }
    // By length first: most names are then compared with one or two others.
    match name.len() {
        2 => first_of!("te": Harmless),
        4 => first_of!("host": Host, "date": Harmless),
        6 => first_of!("accept": Harmless, "cookie": Sensitive, "origin": Url, "pragma": Harmless),
        7 => first_of!("referer": Url, "baggage": Trace),
        9 => first_of!("x-real-ip": Personal),
        10 => first_of!("user-agent": Harmless, "connection": Harmless, "tracestate": Trace),
        11 => first_of!("traceparent": Trace),
        12 => first_of!("content-type": Harmless, "x-request-id": Harmless, "sentry-trace": Trace),
        13 => first_of!("authorization": Sensitive, "cache-control": Harmless),
        14 => first_of!(
            "content-length": Harmless,
            "sec-fetch-dest": Harmless,
            "sec-fetch-mode": Harmless,
            "sec-fetch-site": Harmless
        ),
        15 => first_of!(
            "accept-encoding": Harmless,
            "accept-language": Harmless,
            "x-forwarded-for": Personal
        ),
        16 => first_of!("x-forwarded-host": Personal),
        17 => first_of!("transfer-encoding": Harmless, "x-forwarded-proto": Personal),
        _ => None,
    }
}
