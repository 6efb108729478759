//! Where trace headers are read from.

use std::collections::{BTreeMap, HashMap};

/// Anything that has values by header names: HTTP headers, message metadata, a process's environment.
///
/// Implemented for `http::HeaderMap` (feature `http`), and for maps and lists of pairs of strings. Their keys
/// match after normalising: upper and lower case are the same, `_` is `-`, and one leading `HTTP_` is
/// ignored. So CGI-style environments (`HTTP_SENTRY_TRACE`) and job metadata work as they are, and so do the
/// environment variables `SENTRY_TRACE` and `SENTRY_BAGGAGE` (Sentry SDK specification, *Trace Propagation* 1.9,
/// environment). Metadata of tonic is one as `request.metadata().as_ref()`, which is a `HeaderMap`.
///
/// ```
/// use sentrace_protocol::Carrier;
///
/// let job = [("Sentry-Trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331")];
/// let mut found = Vec::new();
/// job.get_all("sentry-trace", &mut |value| found.push(value));
/// assert_eq!(found.len(), 1);
/// ```
pub trait Carrier {
    /// Calls `each` with every value of the header `name`, which is given in lower case.
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8]));

    /// Calls `each` with every value of the headers `sentry-trace` and `baggage`, and which of them it is: what nearly
    /// every reader asks for, so that a carrier can look for both at once.
    fn get_trace<'a>(&'a self, each: &mut dyn FnMut(TraceHeader, &'a [u8])) {
        self.get_all(crate::sentry_trace::HEADER, &mut |value| each(TraceHeader::SentryTrace, value));
        self.get_all(crate::baggage::HEADER, &mut |value| each(TraceHeader::Baggage, value));
    }
}

/// One of the two headers of a trace; see [`Carrier::get_trace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceHeader {
    /// `sentry-trace`
    SentryTrace,
    /// `baggage`
    Baggage,
}

impl<C: Carrier + ?Sized> Carrier for &C {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        (**self).get_all(name, each);
    }

    fn get_trace<'a>(&'a self, each: &mut dyn FnMut(TraceHeader, &'a [u8])) {
        (**self).get_trace(each);
    }
}

impl<K: AsRef<str>, V: AsRef<str>, S> Carrier for HashMap<K, V, S> {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        select(self.iter(), name, each);
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Carrier for BTreeMap<K, V> {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        select(self.iter(), name, each);
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Carrier for [(K, V)] {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        select(self.iter().map(|(key, value)| (key, value)), name, each);
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> Carrier for [(K, V); N] {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        self.as_slice().get_all(name, each);
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Carrier for Vec<(K, V)> {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        self.as_slice().get_all(name, each);
    }
}

#[cfg(feature = "http")]
impl Carrier for http::HeaderMap {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        self.get_all(name).iter().for_each(|value| each(value.as_bytes()));
    }

    fn get_trace<'a>(&'a self, each: &mut dyn FnMut(TraceHeader, &'a [u8])) {
        const SENTRY_TRACE: http::HeaderName = http::HeaderName::from_static(crate::sentry_trace::HEADER);
        const BAGGAGE: http::HeaderName = http::HeaderName::from_static(crate::baggage::HEADER);
        // To look at a few names costs less than to hash two.
        const FEW: usize = 32;
        if self.len() <= FEW {
            for (name, value) in self {
                // As names and not as texts: those that HTTP knows are told apart from ours without looking at any letter.
                if *name == SENTRY_TRACE {
                    each(TraceHeader::SentryTrace, value.as_bytes());
                } else if *name == BAGGAGE {
                    each(TraceHeader::Baggage, value.as_bytes());
                }
            }
        } else {
            let mut all =
                |name, kind| self.get_all(name).iter().for_each(|value| each(kind, value.as_bytes()));
            all(SENTRY_TRACE, TraceHeader::SentryTrace);
            all(BAGGAGE, TraceHeader::Baggage);
        }
    }
}

fn select<'a, K: AsRef<str> + 'a, V: AsRef<str> + 'a>(
    pairs: impl Iterator<Item = (&'a K, &'a V)>,
    name: &str,
    each: &mut dyn FnMut(&'a [u8]),
) {
    for (key, value) in pairs {
        if names(key.as_ref(), name) {
            each(value.as_ref().as_bytes());
        }
    }
}

/// Whether `key` is the header `name` in some way of writing it.
fn names(key: &str, name: &str) -> bool {
    let without_http = match key.as_bytes().split_at_checked(5) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(b"HTTP_") => rest,
        _ => key.as_bytes(),
    };
    is_same(without_http, name.as_bytes()) || (key == "SENTRY_BAGGAGE" && name == crate::baggage::HEADER)
}

fn is_same(key: &[u8], name: &[u8]) -> bool {
    let normal = |byte: &u8| {
        if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
    };
    key.len() == name.len() && key.iter().map(normal).eq(name.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(carrier: &dyn Carrier, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        carrier.get_all(name, &mut |value| {
            found.push(String::from_utf8_lossy(value).into_owned());
        });
        found
    }

    #[test]
    fn keys_match_in_every_usual_spelling() {
        let rows = [
            ("sentry-trace", "sentry-trace", true, "as it is"),
            ("Sentry-Trace", "sentry-trace", true, "HTTP/1 capitals"),
            ("HTTP_SENTRY_TRACE", "sentry-trace", true, "CGI"),
            ("http_baggage", "baggage", true, "CGI in lower case"),
            ("SENTRY_TRACE", "sentry-trace", true, "environment"),
            ("SENTRY_BAGGAGE", "baggage", true, "environment"),
            ("sentry_trace", "sentry-trace", true, "identifier"),
            ("HTTP_HTTP_BAGGAGE", "baggage", false, "only one HTTP_"),
            ("sentry-baggage", "baggage", false, "the environment's name is upper case"),
            ("HTTP_", "baggage", false, "nothing behind the prefix"),
            ("sentry-tracer", "sentry-trace", false, "longer"),
            ("x-sentry-trace", "sentry-trace", false, "another header"),
            ("", "baggage", false, "no key"),
            ("b\u{e4}ggage", "baggage", false, "not ASCII"),
        ];
        for (key, name, expected, reason) in rows {
            assert_eq!(all(&[(key, "v")], name), if expected { vec!["v"] } else { vec![] }, "{reason}");
        }
    }

    #[test]
    fn maps_and_lists_are_carriers() {
        let pairs = vec![("baggage".to_owned(), "a=1".to_owned()), ("Baggage".to_owned(), "b=2".to_owned())];
        assert_eq!(all(&pairs, "baggage"), ["a=1", "b=2"], "every value, in order");
        assert_eq!(all(&pairs.as_slice(), "baggage").len(), 2);
        let map: BTreeMap<String, String> = pairs.iter().cloned().collect();
        assert_eq!(all(&map, "baggage").len(), 2);
        let map: HashMap<&str, &str> = [("baggage", "a=1")].into();
        assert_eq!(all(&&map, "baggage"), ["a=1"]);
    }

    #[cfg(feature = "http")]
    #[test]
    fn both_headers_are_found_among_few_and_among_many_others() {
        for others in [0, 100] {
            let mut headers = http::HeaderMap::new();
            for other in 0..others {
                headers.append(
                    http::HeaderName::try_from(format!("x-other-{other}")).unwrap(),
                    http::HeaderValue::from_static("baggage"),
                );
            }
            headers.append("baggage", http::HeaderValue::from_static("a=1"));
            headers.append("sentry-trace", http::HeaderValue::from_static("t"));
            headers.append("baggage", http::HeaderValue::from_static("b=2"));
            let (mut traces, mut baggage) = (Vec::new(), Vec::new());
            headers.get_trace(&mut |header, value| match header {
                TraceHeader::SentryTrace => traces.push(value),
                TraceHeader::Baggage => baggage.push(value),
            });
            assert_eq!((traces, baggage), (vec![&b"t"[..]], vec![&b"a=1"[..], b"b=2"]), "{others} others");
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_header_map_gives_every_value_even_if_it_is_no_text() {
        let mut headers = http::HeaderMap::new();
        headers.append("baggage", http::HeaderValue::from_static("a=1"));
        headers.append("baggage", http::HeaderValue::from_bytes(b"b=\xff").unwrap());
        let mut found = Vec::new();
        Carrier::get_all(&headers, "baggage", &mut |value| found.push(value));
        assert_eq!(found, [&b"a=1"[..], b"b=\xff"]);
    }
}
