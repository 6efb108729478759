//! The `sentry-trace` header.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::ids::explain;
use crate::{ParseError, SpanId, TraceId};

/// The header's name, in lower case.
pub const HEADER: &str = "sentry-trace";

const ADVICE: &str = "send `<32 hex digits>-<16 hex digits>`, then optionally `-1` or `-0`";

/// The value of a `sentry-trace` header: which trace, which span called, and whether it is sampled.
///
/// Sentry SDK specification, *Trace Propagation* 1.9.
///
/// ```
/// use sentrace_protocol::SentryTrace;
///
/// let trace = SentryTrace::parse(b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")?;
/// assert_eq!(trace.sampled, Some(true));
/// assert_eq!(trace.to_string(), "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1");
/// # Ok::<(), sentrace_protocol::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SentryTrace {
    /// The trace that goes on.
    pub trace_id: TraceId,
    /// The caller's span; the receiver's parent.
    pub span_id: SpanId,
    /// The sampling decision; `None` leaves it to the receiver.
    pub sampled: Option<bool>,
}

impl SentryTrace {
    /// Reads a header's value. Blanks around it are ignored and either case is read. A dash with nothing behind it, as
    /// Sentry's Ruby SDK writes it when nothing was decided, leaves the decision open.
    ///
    /// # Errors
    ///
    /// When the value is not `32hex-16hex`, optionally followed by `-`, `-0` or `-1`, or an id is all zero.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        Self::parse_opt(value).ok_or_else(|| ParseError::new(HEADER, value, broken_rule(value), ADVICE))
    }

    /// [`parse`](Self::parse) for the path of every request: nothing is allocated to say why a value is
    /// refused.
    pub fn parse_opt(value: &[u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let sampled = match value.len() {
            49 => None,
            50 if value[49] == b'-' => None,
            51 if value[49] == b'-' => match value[50] {
                b'1' => Some(true),
                b'0' => Some(false),
                _ => return None,
            },
            _ => return None,
        };
        if value[32] != b'-' {
            return None;
        }
        Some(Self {
            trace_id: TraceId::from_hex(&value[..32])?,
            span_id: SpanId::from_hex(&value[33..49])?,
            sampled,
        })
    }

    /// The header's value on the stack, for writing it without an allocation of its own.
    pub fn to_text(self) -> SentryTraceText {
        let mut bytes = [b'-'; 51];
        bytes[..32].copy_from_slice(self.trace_id.to_hex().as_bytes());
        bytes[33..49].copy_from_slice(self.span_id.to_hex().as_bytes());
        let len = match self.sampled {
            None => 49,
            Some(sampled) => {
                bytes[50] = if sampled { b'1' } else { b'0' };
                51
            }
        };
        SentryTraceText { bytes, len }
    }
}

impl fmt::Display for SentryTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl FromStr for SentryTrace {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes())
    }
}

/// A printed [`SentryTrace`], 49 or 51 ASCII bytes on the stack; derefs to `str`.
#[derive(Clone, Copy)]
pub struct SentryTraceText {
    bytes: [u8; 51],
    len: usize,
}

impl Deref for SentryTraceText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl AsRef<str> for SentryTraceText {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Debug for SentryTraceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

fn broken_rule(value: &[u8]) -> String {
    let value = value.trim_ascii();
    let ends_with_dash = value.len() == 50 && value.ends_with(b"-");
    if !matches!(value.len(), 49 | 51) && !ends_with_dash {
        return format!("it has {} bytes, not 49 or 51", value.len());
    }
    if value[32] != b'-' {
        return "there is no `-` after the trace id's 32 digits".to_owned();
    }
    let (trace_id, span_id) = (&value[..32], &value[33..49]);
    if let Some(rule) = explain(trace_id, 32) {
        return format!("in its trace id, {rule}");
    }
    if let Some(rule) = explain(span_id, 16) {
        return format!("in its span id, {rule}");
    }
    if TraceId::from_hex(trace_id).is_none() {
        return "its trace id is all zero".to_owned();
    }
    if SpanId::from_hex(span_id).is_none() {
        return "its span id is all zero".to_owned();
    }
    "its sampling decision is neither `-1` nor `-0`".to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn the_grammar_is_read_as_specified() {
        let ids = format!("{TRACE}-{SPAN}");
        let rows: [(String, Option<Option<bool>>, &str); 25] = [
            (ids.clone(), Some(None), "no decision"),
            (format!("{ids}-1"), Some(Some(true)), "sampled"),
            (format!("{ids}-0"), Some(Some(false)), "not sampled"),
            (format!(" \t{ids}-1 "), Some(Some(true)), "blanks around it"),
            (ids.to_uppercase(), Some(None), "upper case"),
            (String::new(), None, "empty"),
            ("1".to_owned(), None, "a decision alone"),
            (format!("{ids}-"), Some(None), "a dash without decision, as Ruby writes it"),
            (format!(" {ids}-\t"), Some(None), "the same with blanks around it"),
            (format!("{}-", ids.to_uppercase()), Some(None), "the same in upper case"),
            (format!("{ids}--"), None, "two dashes"),
            (format!("{ids}- "), Some(None), "a blank as decision is no decision"),
            (format!("{ids}x"), None, "something else in place of the dash"),
            (format!("{TRACE}-{}-", "0".repeat(16)), None, "a zero span id before a dash"),
            (format!("{ids}-2"), None, "another flag"),
            (format!("{ids}-1-1"), None, "an extra segment"),
            (format!("{ids}-true"), None, "a word as decision"),
            (format!("{ids}x1"), None, "no dash before the decision"),
            (format!("{TRACE}x{SPAN}"), None, "no dash between the ids"),
            (format!("{TRACE}-{}", "0".repeat(16)), None, "zero span id"),
            (format!("{}-{SPAN}", "0".repeat(32)), None, "zero trace id"),
            (format!("{}-{SPAN}", &TRACE[1..]), None, "short trace id"),
            (format!("{TRACE}-{SPAN}0"), None, "long span id"),
            (format!("{}g-{SPAN}", &TRACE[1..]), None, "not hexadecimal"),
            (format!("00-{TRACE}-{SPAN}-01"), None, "that is a traceparent"),
        ];
        for (text, expected, reason) in rows {
            let parsed = SentryTrace::parse(text.as_bytes());
            assert_eq!(parsed.as_ref().ok().map(|trace| trace.sampled), expected, "{reason}");
            if let Ok(trace) = parsed {
                assert_eq!(trace.trace_id.to_string(), TRACE, "{reason}");
                assert_eq!(trace.span_id.to_string(), SPAN, "{reason}");
            }
        }
    }

    #[test]
    fn an_error_names_the_broken_rule() {
        let rows = [
            (format!("{TRACE}_{SPAN}"), "there is no `-` after the trace id's 32 digits"),
            (format!("{}-{SPAN}", TRACE.replace('f', "z")), "in its trace id, byte 3 is not"),
            (format!("{TRACE}-{}", SPAN.replace('d', "z")), "in its span id, byte 4 is not"),
            (format!("{}-{SPAN}", "0".repeat(32)), "its trace id is all zero"),
            (format!("{TRACE}-{}", "0".repeat(16)), "its span id is all zero"),
            (format!("{TRACE}-{SPAN}-x"), "its sampling decision is neither `-1` nor `-0`"),
            (format!("{TRACE}-{SPAN}--"), "its sampling decision is neither `-1` nor `-0`"),
            (format!("{TRACE}-{SPAN}x"), "it has 50 bytes, not 49 or 51"),
            (format!("{TRACE}-{}-", "0".repeat(16)), "its span id is all zero"),
        ];
        for (text, rule) in rows {
            let message = text.parse::<SentryTrace>().unwrap_err().to_string();
            assert!(message.contains(rule), "{message} should say: {rule}");
        }
    }

    proptest! {
        #[test]
        fn printing_then_reading_is_identity(trace in any::<u128>(), span in any::<u64>(), sampled: Option<bool>) {
            let ids = (TraceId::from_bytes(trace.to_be_bytes()), SpanId::from_bytes(span.to_be_bytes()));
            if let (Some(trace_id), Some(span_id)) = ids {
                let header = SentryTrace { trace_id, span_id, sampled };
                prop_assert_eq!(header.to_string().parse::<SentryTrace>(), Ok(header));
                prop_assert_eq!(&*header.to_text(), header.to_string());
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = SentryTrace::parse(&bytes);
        }

        #[test]
        fn nearly_valid_text_never_panics(text in "[0-9a-fA-F]{31,33}.[0-9a-f]{15,17}(-.?)?") {
            let _ = SentryTrace::parse(text.as_bytes());
        }
    }
}
