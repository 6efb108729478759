//! The HTTP request of a transaction, as bytes of the record.

use std::net::IpAddr;

use sentrace_protocol::http_method;
use sentrace_protocol::sensitive::{self, FILTERED};

use super::headers::{HeaderRecorder, Headers};
use super::{Arena, Share, Text};
use crate::record::data_collection::DataCollection;
use crate::record::request_parts::RequestParts;
use crate::util::text::cut;

/// Limits of what is copied from one request, in bytes.
const MAX_METHOD: usize = 32;
const MAX_HOST: usize = 256;
const MAX_PATH: usize = 2048;
const MAX_QUERY: usize = 2048;

#[derive(Debug)]
pub(crate) struct RequestRecord {
    /// A known method, or [`http_method::OTHER`].
    pub(crate) method: Text,
    /// An unknown method, as received.
    pub(crate) method_original: Text,
    pub(crate) scheme: Text,
    host: Host,
    pub(crate) path: Text,
    pub(crate) query: Option<Text>,
    pub(crate) route: Text,
    pub(crate) protocol_version: Text,
    pub(crate) headers: Headers,
    pub(crate) client_address: Option<IpAddr>,
}

/// Where the host is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    Copied(Text),
    /// Among the header fields.
    Field,
}

/// A text that the arena already has.
#[derive(Clone, Copy)]
pub(crate) struct InternedText<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: Text,
}

impl InternedText<'_> {
    /// Reuses the text if it is the same slice. Comparing the contents would cost as much as a
    /// copy.
    fn get_or_copy(self, arena: &mut Arena, text: &str) -> Text {
        if std::ptr::eq(self.text, text) && text.len() <= MAX_PATH {
            self.at
        } else {
            arena.copy(cut(text, MAX_PATH))
        }
    }
}

impl Default for RequestRecord {
    fn default() -> Self {
        Self {
            method: Text::EMPTY,
            method_original: Text::EMPTY,
            scheme: Text::EMPTY,
            host: Host::Copied(Text::EMPTY),
            path: Text::EMPTY,
            query: None,
            route: Text::EMPTY,
            protocol_version: Text::EMPTY,
            headers: Headers::default(),
            client_address: None,
        }
    }
}

impl RequestRecord {
    /// Sets the route's template.
    pub(crate) fn set_route(&mut self, arena: &mut Arena, route: &str) {
        self.route = arena.copy_for(Share::Name, cut(route, MAX_PATH));
    }

    /// Returns host and port, as the client wrote them.
    pub(crate) fn host<'a>(&'a self, arena: &'a Arena) -> &'a str {
        match self.host {
            Host::Copied(host) => arena.get(host),
            Host::Field => cut(self.header("host"), MAX_HOST),
        }
    }

    /// Returns the value of a header field that is shown, or an empty string.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(recorded, _)| *recorded == name);
        found.map(|(_, value)| value).filter(|value| *value != FILTERED).unwrap_or_default()
    }

    /// Returns what represents the method in names.
    pub(crate) fn method_in_names(&self) -> Text {
        match self.method {
            Text::Literal(http_method::OTHER) => Text::Literal(http_method::OTHER_IN_NAMES),
            known => known,
        }
    }

    /// Returns the method as received.
    pub(crate) fn method_as_sent(&self) -> Text {
        if self.method_original == Text::EMPTY { self.method } else { self.method_original }
    }

    #[cold]
    fn copy_other_method(&mut self, arena: &mut Arena, method: &str) {
        self.method = Text::Literal(http_method::OTHER);
        self.method_original = arena.copy(cut(method, MAX_METHOD));
    }

    /// Returns `true` if a request was recorded.
    pub(crate) fn is_some(&self) -> bool {
        self.method != Text::EMPTY
    }

    pub(crate) fn clear(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        *self = Self { headers, ..Self::default() };
    }

    /// Returns how many bytes it holds in memory besides itself, approximately.
    pub(crate) fn capacity(&self) -> usize {
        self.headers.capacity()
    }

    pub(crate) fn for_each_text(&mut self, each: &mut dyn FnMut(&mut Text)) {
        let Self {
            method,
            method_original,
            scheme,
            host,
            path,
            query,
            route,
            protocol_version,
            headers: _,
            client_address: _,
        } = self;
        [method, method_original, scheme, path, route, protocol_version].into_iter().for_each(&mut *each);
        if let Host::Copied(host) = host {
            each(host);
        }
        query.iter_mut().for_each(&mut *each);
    }

    /// Copies the parts that may be shown; others are never copied. `name` is the transaction's,
    /// which may share its text with path or route.
    pub(crate) fn copy(
        &mut self,
        arena: &mut Arena,
        request: &dyn RequestParts,
        name: InternedText<'_>,
        collection: &DataCollection,
        personal: bool,
    ) {
        let method = request.method();
        match http_method::known(method) {
            Some(known) => self.method = Text::Literal(known),
            None => self.copy_other_method(arena, method),
        }
        self.scheme = match request.scheme() {
            "http" => Text::Literal("http"),
            "https" => Text::Literal("https"),
            other => arena.copy(cut(other, 32)),
        };
        self.path = name.get_or_copy(arena, request.path());
        self.route = request.route().map_or(Text::EMPTY, |route| name.get_or_copy(arena, route));
        self.protocol_version = Text::Literal(request.protocol_version());
        self.query = match (request.query(), collection.query(personal)) {
            (Some(query), Some(hidden)) if !query.is_empty() => {
                let query = cut(query, MAX_QUERY);
                Some(if collection.shows_all_of(query) {
                    arena.copy(query)
                } else {
                    copy_without_secrets(arena, query, hidden)
                })
            }
            _ => None,
        };
        let mut has_host = false;
        if let Some(rules) = collection.headers(personal) {
            let mut recorder = HeaderRecorder::new(&mut self.headers, rules);
            request.record_headers(&mut recorder);
            has_host = recorder.has_host();
        } else if let Some(rules) = collection.only_cookies(personal) {
            request.for_each_header(&mut |name, value| {
                if name == "cookie" {
                    self.headers.push_cookies(value, rules);
                }
            });
        }
        self.host = if has_host && request.has_host_in_header() {
            Host::Field
        } else {
            Host::Copied(match request.port() {
                None => arena.copy(cut(request.host(), MAX_HOST)),
                Some(port) => copy_with_port(arena, request.scheme(), request.host(), port),
            })
        };
        if personal {
            self.client_address = request.client_address();
        }
    }
}

/// The port is part of the host, unless the host has one or it is the scheme's default.
#[cold]
fn copy_with_port(arena: &mut Arena, scheme: &str, host: &str, port: u16) -> Text {
    let host = cut(host, MAX_HOST);
    let name = host.rsplit_once(']').map_or(host, |(_, after)| after);
    let is_default = matches!((scheme, port), ("http", 80) | ("https", 443));
    if host.is_empty() || is_default || name.contains(':') {
        return arena.copy(host);
    }
    arena.copy(&format!("{host}:{port}"))
}

#[cold]
fn copy_without_secrets(arena: &mut Arena, query: &str, hidden: impl Fn(&str) -> bool) -> Text {
    arena.write(|buffer| sensitive::filter_query_into(query, hidden, buffer))
}
