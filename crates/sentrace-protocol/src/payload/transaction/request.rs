//! The HTTP exchange that a transaction answered.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// The request that a transaction answered.
///
/// What may be reported of it is decided before: see [`sensitive`](crate::sensitive).
///
/// Sentry SDK specification, *Request Interface*.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: Cow<'a, str>,
    /// The URL without credentials, query and fragment.
    pub url: Cow<'a, str>,
    /// The query without its `?`.
    pub query_string: Option<Cow<'a, str>>,
    /// Names and values. Values of equal names are joined by `, `; names are equal in either case.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Request<'_> {
    /// The same request, borrowing from nothing.
    pub fn into_owned(self) -> Request<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Request {
            method: owned(self.method),
            url: owned(self.url),
            query_string: self.query_string.map(owned),
            headers: self.headers.into_iter().map(|(name, value)| (owned(name), owned(value))).collect(),
        }
    }
}

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", &self.method)?;
        map.serialize_entry("url", &self.url)?;
        if let Some(query) = &self.query_string {
            map.serialize_entry("query_string", query)?;
        }
        if !self.headers.is_empty() {
            map.serialize_entry("headers", &Headers(&self.headers))?;
        }
        map.end()
    }
}

/// What was answered, for `contexts.response`.
///
/// Sentry SDK specification, *Contexts Interface*, response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ResponseContext {
    /// The HTTP status code.
    pub status_code: u16,
}

impl ResponseContext {
    /// Creates the context of a response with this status code.
    pub fn new(status_code: u16) -> Self {
        Self { status_code }
    }
}

struct Headers<'a>(&'a [(Cow<'a, str>, Cow<'a, str>)]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A stable sort brings equal names together and keeps their values in order, however many there are.
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by(|(a, _), (b, _)| compare_names(a, b));
        let mut map = serializer.serialize_map(None)?;
        for same in sorted.chunk_by(|(a, _), (b, _)| a.eq_ignore_ascii_case(b)) {
            match same {
                [(name, value)] => map.serialize_entry(name, value)?,
                [(name, _), ..] => {
                    let values: Vec<&str> = same.iter().map(|(_, value)| &**value).collect();
                    map.serialize_entry(name, &values.join(", "))?;
                }
                [] => {}
            }
        }
        map.end()
    }
}

fn compare_names(a: &str, b: &str) -> Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_header_names_are_joined_in_order() {
        let request = Request {
            method: "GET".into(),
            url: "https://shop.example/".into(),
            query_string: Some("page=2".into()),
            headers: [("b", "1"), ("Via", "x"), ("a", "2"), ("via", "y"), ("VIA", "z")]
                .map(|(name, value)| (name.into(), value.into()))
                .to_vec(),
        };
        let json = serde_json::json!({
            "method": "GET", "url": "https://shop.example/", "query_string": "page=2",
            "headers": {"a": "2", "b": "1", "Via": "x, y, z"},
        });
        assert_eq!(serde_json::to_value(&request).unwrap(), json);
        assert_eq!(serde_json::to_value(request.into_owned()).unwrap(), json);
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let request = Request { method: "GET".into(), url: "/".into(), ..Request::default() };
        assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"method":"GET","url":"/"}"#);
    }
}
