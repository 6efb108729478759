//! W3C's `traceparent` header.

use std::fmt;
use std::str::FromStr;

use crate::{ParseError, SpanId, TraceId};

/// The header's name, in lower case.
pub const HEADER: &str = "traceparent";

/// The value of a `traceparent` header, for services that other tools trace.
///
/// W3C Trace Context level 1; when to send it: Sentry SDK specification, *Trace Propagation* 1.9,
/// `propagateTraceparent`.
///
/// ```
/// use sentrace_protocol::Traceparent;
///
/// let parent = Traceparent::parse(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")?;
/// assert!(parent.sampled);
/// # Ok::<(), sentrace_protocol::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Traceparent {
    /// The trace that goes on.
    pub trace_id: TraceId,
    /// The caller's span.
    pub parent_id: SpanId,
    /// Whether the caller may have recorded it. There is no way to leave that open.
    pub sampled: bool,
}

impl Traceparent {
    /// Reads a header's value. Versions above `00` may have more behind a further `-`.
    ///
    /// # Errors
    ///
    /// When the value is not `version-trace-parent-flags` in lower-case hexadecimal digits, its version is
    /// `ff`, or an id is all zero.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        Self::parse_opt(value).ok_or_else(|| {
            ParseError::new(
                HEADER,
                value,
                "it is not `version-trace-parent-flags` of 2, 32, 16 and 2 lower-case hexadecimal digits with ids \
                 that are not zero",
                "send `00-<trace id>-<span id>-01` or `-00`",
            )
        })
    }

    /// [`parse`](Self::parse) without the words for what is wrong.
    pub fn parse_opt(value: &[u8]) -> Option<Self> {
        let value = value.trim_ascii();
        let (known, more) = value.split_at_checked(55)?;
        let lower_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        let dashes = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
        if !dashes || !known.iter().all(lower_hex) || &known[..2] == b"ff" {
            return None;
        }
        let digits = |part: &[u8]| !part.contains(&b'-');
        if !digits(&known[..2]) || !digits(&known[53..]) {
            return None;
        }
        match more {
            [] => {}
            [b'-', ..] if &known[..2] != b"00" => {}
            _ => return None,
        }
        Some(Self {
            trace_id: TraceId::from_hex(&known[3..35])?,
            parent_id: SpanId::from_hex(&known[36..52])?,
            // The lowest bit of the last digit; digits and letters have it alike: `1` and `b` are odd, `a` is
            // ten.
            sampled: matches!(known[54], b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f'),
        })
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = if self.sampled { "01" } else { "00" };
        write!(f, "00-{}-{}-{flags}", self.trace_id, self.parent_id)
    }
}

impl FromStr for Traceparent {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_lengths_and_flags_are_read_as_w3c_says() {
        let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
        let rows: [(String, Option<bool>, &str); 20] = [
            (format!("00-{ids}-01"), Some(true), "sampled"),
            (format!("00-{ids}-00"), Some(false), "not sampled"),
            (format!("00-{ids}-03"), Some(true), "further flags"),
            (format!("00-{ids}-0a"), Some(false), "further flags, even"),
            (format!("00-{ids}-fb"), Some(true), "further flags, odd letter"),
            (format!(" 00-{ids}-01 "), Some(true), "blanks around it"),
            (format!("cc-{ids}-01"), Some(true), "a later version"),
            (format!("cc-{ids}-01-what-comes"), Some(true), "a later version with more"),
            (format!("cc-{ids}-01what"), None, "a later version without a dash"),
            (format!("00-{ids}-01-more"), None, "version 00 has no more"),
            (format!("ff-{ids}-01"), None, "version ff is forbidden"),
            (format!("0--{ids}-01"), None, "a dash in the version"),
            (format!("00-{ids}-0-"), None, "a dash in the flags"),
            (format!("00-{ids}-1"), None, "flags too short"),
            (format!("00-{}-01", ids.to_uppercase()), None, "upper case"),
            (format!("00-{}-01", ids.replace("0af7", "----")), None, "dashes in an id"),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), None, "zero trace id"),
            (format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16)), None, "zero parent id"),
            (ids.to_owned(), None, "that is a sentry-trace"),
            (String::new(), None, "empty"),
        ];
        for (text, sampled, reason) in rows {
            let parsed = Traceparent::parse(text.as_bytes());
            assert_eq!(parsed.ok().map(|parent| parent.sampled), sampled, "{reason}");
        }
    }

    proptest! {
        #[test]
        fn printing_then_reading_is_identity(trace in any::<u128>(), parent in any::<u64>(), sampled: bool) {
            let ids = (TraceId::from_bytes(trace.to_be_bytes()), SpanId::from_bytes(parent.to_be_bytes()));
            if let (Some(trace_id), Some(parent_id)) = ids {
                let parent = Traceparent { trace_id, parent_id, sampled };
                prop_assert_eq!(parent.to_string().parse::<Traceparent>(), Ok(parent));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..70),
            near in "[0-9a-f-]{53,58}",
        ) {
            let _ = Traceparent::parse(&bytes);
            let _ = near.parse::<Traceparent>();
        }
    }
}
