//! The HTTP request of a transaction, as bytes of the record.

use sentrace_protocol::sensitive;

use super::{Arena, Text, cut};
use crate::data_collection::DataCollection;
use crate::request::RequestParts;

/// Bounds of what is copied from one request, in bytes and header fields.
const MAX_PATH: usize = 2048;
const MAX_QUERY: usize = 2048;
const MAX_HEADER_VALUE: usize = 1024;
const MAX_HEADERS: usize = 64;

#[derive(Debug)]
pub(crate) struct RequestRecord {
    pub(crate) method: Text,
    pub(crate) scheme: Text,
    pub(crate) host: Text,
    pub(crate) path: Text,
    pub(crate) query: Option<Text>,
    pub(crate) route: Text,
    pub(crate) protocol_version: Text,
    pub(crate) headers: Vec<(Text, Text)>,
}

impl Default for RequestRecord {
    fn default() -> Self {
        Self {
            method: Text::EMPTY,
            scheme: Text::EMPTY,
            host: Text::EMPTY,
            path: Text::EMPTY,
            query: None,
            route: Text::EMPTY,
            protocol_version: Text::EMPTY,
            headers: Vec::new(),
        }
    }
}

impl RequestRecord {
    /// Whether a request was recorded at all.
    pub(crate) fn is_some(&self) -> bool {
        self.method != Text::EMPTY
    }

    pub(crate) fn clear(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        *self = Self { headers, ..Self::default() };
    }

    pub(crate) fn each_text(&mut self, each: &mut dyn FnMut(&mut Text)) {
        let Self { method, scheme, host, path, query, route, protocol_version, headers } = self;
        [method, scheme, host, path, route, protocol_version].into_iter().for_each(&mut *each);
        query.iter_mut().for_each(&mut *each);
        for (name, value) in headers {
            each(name);
            each(value);
        }
    }

    /// Copies what may be shown; a value that may not is never copied.
    pub(crate) fn copy(
        &mut self,
        arena: &mut Arena,
        request: &dyn RequestParts,
        collection: &DataCollection,
    ) {
        self.method = arena.copy(cut(request.method(), 32));
        self.scheme = arena.copy(cut(request.scheme(), 32));
        self.host = arena.copy(cut(request.host(), 256));
        self.path = arena.copy(cut(request.path(), MAX_PATH));
        self.route = request.route().map_or(Text::EMPTY, |route| arena.copy(cut(route, MAX_PATH)));
        self.protocol_version = Text::Literal(request.protocol_version());
        self.query = match (request.query(), collection.query()) {
            (Some(query), Some(hidden)) if !query.is_empty() => {
                let query = cut(query, MAX_QUERY);
                Some(arena.write(|buffer| sensitive::filter_query_into(query, hidden, buffer)))
            }
            _ => None,
        };
        if let Some(hidden) = collection.headers() {
            let headers = &mut self.headers;
            request.for_each_header(&mut |name, value| {
                if headers.len() < MAX_HEADERS && !is_trace_header(name) {
                    headers.push((arena.copy(cut(name, 256)), header_value(arena, name, value, &hidden)));
                }
            });
        }
    }
}

/// The trace's own headers are in the trace context already.
fn is_trace_header(name: &str) -> bool {
    matches!(name, "sentry-trace" | "baggage" | "traceparent" | "tracestate")
}

fn header_value(arena: &mut Arena, name: &str, value: &[u8], hidden: impl Fn(&str) -> bool) -> Text {
    if hidden(name) {
        return Text::Literal(sensitive::FILTERED);
    }
    // Cut first: what is not UTF-8 at the end only is the cut's doing.
    let value = &value[..value.len().min(MAX_HEADER_VALUE)];
    let Ok(value) =
        std::str::from_utf8(value).or_else(|error| std::str::from_utf8(&value[..error.valid_up_to()]))
    else {
        return Text::EMPTY;
    };
    // A URL in a header (`referer`, `x-original-url`) has secrets of its own.
    match name {
        "host" => arena.copy(value.rsplit('@').next().unwrap_or_default()),
        _ if is_url(value) => copy_url(arena, value, hidden),
        _ => arena.copy(value),
    }
}

/// Whether the value is a URL with anything in it that may have to be hidden.
fn is_url(value: &str) -> bool {
    (value.starts_with('/') || value.starts_with("http"))
        && value.bytes().fold(false, |any, byte| any | matches!(byte, b'?' | b'@' | b'#'))
}

fn copy_url(arena: &mut Arena, url: &str, hidden: impl Fn(&str) -> bool) -> Text {
    let parts = sensitive::split_url(url);
    arena.write(|buffer| {
        buffer.push_str(&parts.without_query);
        if let Some(query) = parts.query {
            buffer.push('?');
            sensitive::filter_query_into(query, hidden, buffer);
        }
    })
}
