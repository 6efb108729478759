//! The HTTP request of a transaction, as bytes of the record.

use std::net::IpAddr;

use sentrace_protocol::sensitive;

use super::headers::Headers;
use super::{Arena, Text, cut};
use crate::data_collection::DataCollection;
use crate::request::RequestParts;

/// Bounds of what is copied from one request, in bytes.
const MAX_PATH: usize = 2048;
const MAX_QUERY: usize = 2048;

#[derive(Debug)]
pub(crate) struct RequestRecord {
    pub(crate) method: Text,
    pub(crate) scheme: Text,
    pub(crate) host: Text,
    pub(crate) path: Text,
    pub(crate) query: Option<Text>,
    pub(crate) route: Text,
    pub(crate) protocol_version: Text,
    pub(crate) headers: Headers,
    pub(crate) client_address: Option<IpAddr>,
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
            headers: Headers::default(),
            client_address: None,
        }
    }
}

impl RequestRecord {
    /// Notes the template of the route, which a router has told.
    pub(crate) fn set_route(&mut self, arena: &mut Arena, route: &str) {
        self.route = arena.copy(cut(route, MAX_PATH));
    }

    /// Whether a request was recorded at all.
    pub(crate) fn is_some(&self) -> bool {
        self.method != Text::EMPTY
    }

    pub(crate) fn clear(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        *self = Self { headers, ..Self::default() };
    }

    /// About how many bytes it holds in memory besides itself.
    pub(crate) fn capacity(&self) -> usize {
        self.headers.capacity()
    }

    pub(crate) fn each_text(&mut self, each: &mut dyn FnMut(&mut Text)) {
        let Self {
            method,
            scheme,
            host,
            path,
            query,
            route,
            protocol_version,
            headers: _,
            client_address: _,
        } = self;
        [method, scheme, host, path, route, protocol_version].into_iter().for_each(&mut *each);
        query.iter_mut().for_each(&mut *each);
    }

    /// Copies what may be shown; a value that may not is never copied.
    pub(crate) fn copy(
        &mut self,
        arena: &mut Arena,
        request: &dyn RequestParts,
        collection: &DataCollection,
        personal: bool,
    ) {
        self.method = arena.copy(cut(request.method(), 32));
        self.scheme = arena.copy(cut(request.scheme(), 32));
        self.host = arena.copy(cut(request.host(), 256));
        self.path = arena.copy(cut(request.path(), MAX_PATH));
        self.route = request.route().map_or(Text::EMPTY, |route| arena.copy(cut(route, MAX_PATH)));
        self.protocol_version = Text::Literal(request.protocol_version());
        self.query = match (request.query(), collection.query(personal)) {
            (Some(query), Some(hidden)) if !query.is_empty() => {
                let query = cut(query, MAX_QUERY);
                Some(if collection.shows_all_of(query, personal) {
                    arena.copy(query)
                } else {
                    arena.write(|buffer| sensitive::filter_query_into(query, hidden, buffer))
                })
            }
            _ => None,
        };
        if let Some(hidden) = collection.headers(personal) {
            request.for_each_header(&mut |name, value| self.headers.push(name, value, &hidden));
        }
        if personal {
            self.client_address = request.client_address();
        }
    }
}
