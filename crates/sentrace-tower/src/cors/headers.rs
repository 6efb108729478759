//! The names of the trace headers, and how they are added to an existing list.

use http::HeaderMap;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, Entry, HeaderName, HeaderValue,
};

/// Returns the request headers that carry a trace, `sentry-trace` and `baggage`, for a CORS layer that lists them. Then
/// [`SentryCorsLayer`](super::SentryCorsLayer) is not needed.
///
/// Follows the Sentry SDK specification, *Trace Propagation* 1.9, which names the headers.
///
/// ```
/// use http::header::{AUTHORIZATION, CONTENT_TYPE};
/// use sentrace_tower::sentry_headers;
/// use tower_http::cors::{Any, CorsLayer};
///
/// let cors = CorsLayer::new()
///     .allow_origin(Any)
///     .allow_headers([AUTHORIZATION, CONTENT_TYPE].into_iter().chain(sentry_headers()).collect::<Vec<_>>());
/// # let _ = cors;
/// ```
#[must_use]
pub fn sentry_headers() -> [HeaderName; 2] {
    [HeaderName::from_static("sentry-trace"), HeaderName::from_static("baggage")]
}

/// Returns [`sentry_headers`] and `traceparent` of W3C Trace Context.
///
/// For frontends whose SDK enables `propagateTraceparent` (Sentry SDK specification, *Trace Propagation* 1.9), which is off by
/// default.
///
/// ```
/// let names = sentrace_tower::sentry_headers_with_traceparent();
/// assert_eq!(names, ["sentry-trace", "baggage", "traceparent"]);
/// ```
#[must_use]
pub fn sentry_headers_with_traceparent() -> [HeaderName; 3] {
    let [sentry_trace, baggage] = sentry_headers();
    [sentry_trace, baggage, HeaderName::from_static("traceparent")]
}

/// Adds the missing `names` to the allowed headers.
pub(super) fn allow(answer: &mut HeaderMap, names: &[HeaderName]) {
    let Some(missing) = missing(answer, names) else {
        return;
    };
    match answer.try_entry(ACCESS_CONTROL_ALLOW_HEADERS) {
        Ok(Entry::Occupied(mut lists)) => {
            // One list, not two fields: gateways that keep a single value per name would lose the other.
            if let Some(list) = lists.iter_mut().rev().find(|list| list.to_str().is_ok()) {
                extend(list, &missing);
            } else if let Ok(list) = HeaderValue::from_str(&missing) {
                lists.append(list);
            }
        }
        Ok(Entry::Vacant(place)) => {
            if let Ok(list) = HeaderValue::from_str(&missing) {
                // If the map is full, the response matters more than the trace.
                let _ = place.try_insert(list);
            }
        }
        Err(_full) => {}
    }
}

/// Returns the names to add as a list, or `None` if the response already allows all of them.
fn missing(answer: &HeaderMap, names: &[HeaderName]) -> Option<String> {
    let missing: Vec<&str> = not_allowed(answer, names).into_iter().map(HeaderName::as_str).collect();
    (!missing.is_empty()).then(|| missing.join(","))
}

/// Returns those of `names` that the response to a preflight does not allow.
pub(crate) fn not_allowed<'a>(answer: &HeaderMap, names: &'a [HeaderName]) -> Vec<&'a HeaderName> {
    let listed = |wanted: &str| {
        let lists = answer.get_all(ACCESS_CONTROL_ALLOW_HEADERS).iter().filter_map(|list| list.to_str().ok());
        lists.flat_map(|list| list.split(',')).any(|name| name.trim().eq_ignore_ascii_case(wanted))
    };
    // Fetch standard, CORS-preflight fetch: with credentials `*` is the name of a header, not a wildcard.
    let credentials = answer.get(ACCESS_CONTROL_ALLOW_CREDENTIALS).is_some_and(|value| value == "true");
    if listed("*") && !credentials {
        return Vec::new();
    }
    names.iter().filter(|name| !listed(name.as_str())).collect()
}

fn extend(list: &mut HeaderValue, names: &str) {
    let Ok(text) = list.to_str() else { return };
    let text = text.trim_end_matches([',', ' ', '\t']);
    let extended = if text.is_empty() { names.to_owned() } else { format!("{text},{names}") };
    if let Ok(extended) = HeaderValue::from_str(&extended) {
        *list = extended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &[(&str, &[u8])] = &[("access-control-allow-credentials", b"true")];

    fn allowed(lists: &[&[u8]], more: &[(&str, &[u8])]) -> Vec<Vec<u8>> {
        let mut answer = HeaderMap::new();
        for list in lists {
            answer.append(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_bytes(list).unwrap());
        }
        for (name, value) in more {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            answer.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        allow(&mut answer, &sentry_headers());
        answer.get_all(ACCESS_CONTROL_ALLOW_HEADERS).iter().map(|list| list.as_bytes().to_vec()).collect()
    }

    #[test]
    fn names_join_the_list_that_is_there_and_none_is_listed_twice() {
        type Row<'a> = (&'a [&'a [u8]], &'a [(&'a str, &'a [u8])], &'a [&'a [u8]], &'a str);
        let rows: &[Row<'_>] = &[
            (&[], &[], &[b"sentry-trace,baggage"], "no list: one begins"),
            (&[b""], &[], &[b"sentry-trace,baggage"], "an empty list is filled, without a leading comma"),
            (&[b"content-type"], &[], &[b"content-type,sentry-trace,baggage"], "a list is extended"),
            (&[b"content-type, "], &[], &[b"content-type,sentry-trace,baggage"], "no empty member"),
            (
                &[b"a", b"b"],
                &[],
                &[b"a", b"b,sentry-trace,baggage"],
                "of several fields the last is extended",
            ),
            (&[b"Sentry-Trace,BAGGAGE"], &[], &[b"Sentry-Trace,BAGGAGE"], "case does not matter"),
            (&[b"sentry-trace"], &[], &[b"sentry-trace,baggage"], "only what is missing"),
            (&[b"baggage", b"x"], &[], &[b"baggage", b"x,sentry-trace"], "every field counts"),
            (&[b"x-baggage"], &[], &[b"x-baggage,sentry-trace,baggage"], "part of a name is not the name"),
            (&[b"*"], &[], &[b"*"], "the wildcard covers them"),
            (&[b"x", b" * "], &[], &[b"x", b" * "], "the wildcard covers them from any field"),
            (&[b"*"], CREDENTIALS, &[b"*,sentry-trace,baggage"], "with credentials `*` is literal"),
            (
                &[b"*"],
                &[("access-control-allow-credentials", b"TRUE")],
                &[b"*"],
                "only a lower-case `true` allows credentials",
            ),
            (&[b"\xff"], &[], &[b"\xff", b"sentry-trace,baggage"], "what is not text stays as it is"),
            (&[b"a", b"\xff"], &[], &[b"a,sentry-trace,baggage", b"\xff"], "text beside it is extended"),
        ];
        for (lists, more, expected, reason) in rows {
            assert_eq!(allowed(lists, more), *expected, "{reason}");
        }
    }

    #[test]
    fn allowing_twice_changes_nothing_more() {
        let mut answer = HeaderMap::new();
        allow(&mut answer, &sentry_headers_with_traceparent());
        let once = answer.clone();
        allow(&mut answer, &sentry_headers_with_traceparent());
        assert_eq!(answer, once);
    }

    #[test]
    fn a_full_header_map_is_left_alone() {
        let mut answer = HeaderMap::new();
        for number in 0.. {
            let name = HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
            if answer.try_insert(name, HeaderValue::from_static("1")).is_err() {
                break;
            }
        }
        let full = answer.len();
        allow(&mut answer, &sentry_headers());
        assert_eq!(answer.len(), full);
    }
}
