//! Carriers: every spelling of a header's name that is promised, no other, all values as they are.

use std::collections::{BTreeMap, HashMap};

use http::{HeaderMap, HeaderName, HeaderValue};
use sentrace_protocol::{Carrier, baggage, sentry_trace, traceparent};

/// Takes each line of the input for a pair `key=value`.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let pairs: Vec<(&str, &str)> =
        text.split('\n').map(|line| line.split_once('=').unwrap_or((line, ""))).collect();
    for name in [sentry_trace::HEADER, baggage::HEADER, traceparent::HEADER, ""] {
        check_name(&pairs, name);
    }
    check_header_map(data);
}

fn check_name(pairs: &[(&str, &str)], name: &str) {
    let found = values(pairs, name);
    let named = pairs.iter().filter(|(key, _)| names(key, name));
    let expected: Vec<&[u8]> = named.map(|(_, value)| value.as_bytes()).collect();
    assert_eq!(found, expected, "every value of {name:?}, in order");
    assert_eq!(values(&pairs.to_vec(), name), expected);
    assert_eq!(values(&pairs, name), expected, "through a reference");

    let sorted: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    let hashed: HashMap<&str, &str> = pairs.iter().copied().collect();
    let named = sorted.iter().filter(|(key, _)| names(key, name));
    let expected: Vec<&[u8]> = named.map(|(_, value)| value.as_bytes()).collect();
    assert_eq!(values(&sorted, name), expected);
    let (mut hashed, mut expected) = (values(&hashed, name), expected);
    hashed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(hashed, expected);
}

/// The rules as `Carrier` documents them.
fn names(key: &str, name: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let without_http = lower.strip_prefix("http_").unwrap_or(&lower);
    without_http.replace('_', "-") == name || (key == "SENTRY_BAGGAGE" && name == baggage::HEADER)
}

fn check_header_map(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut expected = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        let (key, value) = match line.iter().position(|byte| *byte == b'=') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &b""[..]),
        };
        if let (Ok(key), Ok(header)) = (HeaderName::from_bytes(key), HeaderValue::from_bytes(value)) {
            if key == baggage::HEADER {
                expected.push(value);
            }
            headers.append(key, header);
        }
    }
    assert_eq!(values(&headers, baggage::HEADER), expected, "text or not");
}

fn values<'a, C: Carrier + ?Sized>(carrier: &'a C, name: &str) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    carrier.get_all(name, &mut |value| found.push(value));
    found
}
