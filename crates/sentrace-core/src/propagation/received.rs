//! The trace headers of the request being served, besides the ids of the caller whose trace is
//! continued.
//!
//! A handler may forward the headers of its request with its own calls. Most requests have one
//! readable `sentry-trace`, which is continued: then the trace has all there is to know, and
//! nothing is stored. All other values are remembered by their hashes, including rejected ones (ADR
//! 28).

use sentrace_protocol::{Carrier, SentryTrace, SpanId, TraceId, Traceparent, sentry_trace, traceparent};

use super::ids::is_own;

/// Values that are remembered. If there are more, every trace header is treated as forwarded.
const MAX_VALUES: usize = 32;

/// The values of trace headers that a request received.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReceivedHeaders {
    values: Vec<u64>,
    too_many: bool,
    refused: bool,
}

impl ReceivedHeaders {
    /// Remembers all trace headers of `carrier`. `refused` is `true` if its trace is not continued.
    #[cold]
    pub(crate) fn remember(&mut self, carrier: &(impl Carrier + ?Sized), refused: bool) {
        self.refused |= refused;
        carrier.get_all(sentry_trace::HEADER, &mut |field| self.push_field(field));
        self.remember_traceparent(carrier);
    }

    /// Remembers the `traceparent` of a request without Sentry's header.
    pub(crate) fn remember_traceparent(&mut self, carrier: &(impl Carrier + ?Sized)) {
        carrier.get_all(traceparent::HEADER, &mut |field| self.push_field(field));
    }

    /// Takes over the values of `outer`, and its caller: a trace that starts, continues or is
    /// nested in the meantime still serves the same request.
    pub(crate) fn inherit(&mut self, outer: &Self, caller: Option<(TraceId, SpanId)>) {
        if let Some((trace_id, span_id)) = caller
            && !is_own(span_id)
        {
            self.push(hash_of_ids(trace_id, span_id));
        }
        for value in &outer.values {
            self.push(*value);
        }
        self.too_many |= outer.too_many;
        self.refused |= outer.refused;
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.too_many = false;
        self.refused = false;
    }

    #[cfg(feature = "http")]
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.too_many || self.values.contains(&hash)
    }

    /// Returns `true` if anything was received that is not continued here.
    pub(crate) fn is_rejected(&self) -> bool {
        self.refused && (self.too_many || !self.values.is_empty())
    }

    /// Returns all values.
    pub(crate) fn values(&self) -> &[u64] {
        &self.values
    }

    #[cold]
    fn push_field(&mut self, field: &[u8]) {
        elements(field).for_each(|value| self.push(hash(value)));
    }

    fn push(&mut self, value: u64) {
        if self.values.contains(&value) {
            return;
        }
        if self.values.len() == MAX_VALUES {
            self.too_many = true;
        } else {
            self.values.push(value);
        }
    }
}

/// Returns the values of one header field. Proxies join several with commas.
pub(crate) fn elements(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    field.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|value| !value.is_empty())
}

/// Returns the ids in a value of `sentry-trace` or `traceparent`.
pub(crate) fn ids(value: &[u8]) -> Option<(TraceId, SpanId)> {
    let sentry = SentryTrace::parse_opt(value).map(|trace| (trace.trace_id, trace.span_id));
    sentry.or_else(|| Traceparent::parse_opt(value).map(|parent| (parent.trace_id, parent.parent_id)))
}

/// Returns the hash of a value. For readable values it covers the ids, so that the decision does
/// not matter; for others, it ignores case and whitespace.
pub(crate) fn hash(value: &[u8]) -> u64 {
    match ids(value) {
        Some((trace_id, span_id)) => hash_of_ids(trace_id, span_id),
        None => {
            let letters = value.iter().filter(|byte| !byte.is_ascii_whitespace());
            fnv(letters.map(u8::to_ascii_lowercase))
        }
    }
}

/// Never zero. Ids are random, so two rounds of multiplication mix them well enough.
pub(crate) fn hash_of_ids(trace_id: TraceId, span_id: SpanId) -> u64 {
    let trace_id = u128::from_be_bytes(trace_id.to_bytes());
    let mixed =
        (trace_id as u64 ^ u64::from_be_bytes(span_id.to_bytes())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (trace_id >> 64) as u64 ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed.max(1)
}

/// FNV-1a, never zero. A caller that makes two values collide only has its own header replaced, so
/// the hash need not resist attacks.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.max(1)
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    const TRACE: &[u8] = b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

    #[test]
    fn a_value_is_known_again_however_it_is_written() {
        let rows: [(&[u8], &[u8], bool, &str); 8] = [
            (TRACE, b"0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-0", true, "case and decision"),
            (TRACE, b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true, "the W3C's way"),
            (TRACE, b"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-1", false, "another span"),
            (TRACE, b"1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1", false, "another trace"),
            (b"nonsense", b" Non\tsense", true, "unreadable, with blanks and other case"),
            (b"nonsense", b"nonsens", false, "another nonsense"),
            (b"\xff\xfe", b"\xff\xfe", true, "bytes that are no text"),
            (b"\xff\xfe", b"\xff\xfd", false, "other bytes"),
        ];
        for (came, set, same, reason) in rows {
            assert_eq!(hash(came) == hash(set), same, "{reason}");
        }
    }

    #[test]
    fn more_values_than_are_kept_make_everything_a_forwarded_one() {
        let values = |n: usize| (0..n).map(|n| ("sentry-trace", format!("value {n}"))).collect::<Vec<_>>();
        let (mut few, mut many) = (ReceivedHeaders::default(), ReceivedHeaders::default());
        few.remember(&values(MAX_VALUES), true);
        many.remember(&values(MAX_VALUES + 1), true);
        assert!(few.contains(hash(b"value 31")) && !few.contains(hash(b"value 32")));
        assert!(many.contains(hash(b"value 32")) && many.values().len() == MAX_VALUES);
        many.clear();
        assert!(!many.contains(hash(b"value 1")) && !many.is_rejected());
    }
}
