//! The parts of an outgoing HTTP request that are recorded.

use std::fmt::Write as _;

use sentrace_protocol::url::default_port;
use sentrace_protocol::{Value, http_method};

use super::MAX_TEXT;
use super::span_name::Attributes;
use crate::util::text::cut;

/// Longest scheme that is shown, in bytes.
const MAX_SCHEME: usize = 64;

/// The parts of an outgoing HTTP request that are recorded. Adapters create it from their own
/// types, with `..Default::default()`: fields may be added.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutgoingRequest<'a> {
    /// `GET`, in upper case. A method that is not [known](http_method) is recorded as `_OTHER` and
    /// named `HTTP`.
    pub method: &'a str,
    /// `http` or `https`, or empty if unknown. Then it is shown as `http` before a host, and no
    /// port is derived from it.
    pub scheme: &'a str,
    /// The host, with an IPv6 address in brackets, or empty if unknown.
    pub host: &'a str,
    /// The port, if the URL has one.
    pub port: Option<u16>,
    /// The raw path.
    pub path: &'a str,
    /// The query without its `?`.
    pub query: Option<&'a str>,
    /// Whether the URL has credentials before its host. They are never shown.
    pub has_credentials: bool,
}

impl<'a> OutgoingRequest<'a> {
    fn scheme(&self) -> &'a str {
        if self.scheme.is_empty() { "http" } else { self.scheme }
    }

    /// Appends `scheme://`, unless neither scheme nor host is known.
    pub(crate) fn push_scheme(&self, into: &mut String) {
        if !(self.scheme.is_empty() && self.host.is_empty()) {
            into.push_str(cut(self.scheme(), MAX_SCHEME));
            into.push_str("://");
        }
    }

    pub(crate) fn port_or_default(&self) -> Option<u16> {
        self.port.or_else(|| default_port(self.scheme))
    }

    /// Appends `:port`, if the URL has one.
    pub(crate) fn push_port(&self, into: &mut String) {
        if let Some(port) = self.port {
            // Writing into a string cannot fail.
            let _ = write!(into, ":{port}");
        }
    }

    /// Returns how many bytes a record takes of it at most; some parts are recorded several times.
    pub(crate) fn max_bytes(&self) -> usize {
        let parts = [self.method, self.scheme, self.host, self.path, self.query.unwrap_or_default()];
        4 * parts.iter().map(|part| part.len().min(MAX_TEXT)).sum::<usize>()
    }

    /// Returns `METHOD scheme://host:port/path`, without the query, which would make too many
    /// names.
    pub(crate) fn name(&self) -> String {
        let mut name = [http_method::in_names(self.method), " "].concat();
        self.push_scheme(&mut name);
        name.push_str(self.host);
        self.push_port(&mut name);
        name.push_str(self.path);
        name
    }
}

/// Those that are known when the span starts.
impl Attributes for OutgoingRequest<'_> {
    fn attribute(&self, key: &str) -> Option<Value<'_>> {
        let known = http_method::known(self.method);
        let text = match key {
            "http.request.method" => known.unwrap_or(http_method::OTHER),
            "http.request.method_original" if known.is_none() => self.method,
            "url.domain" | "server.address" => self.host,
            "url.path" => self.path,
            "url.scheme" if !self.host.is_empty() => self.scheme(),
            "server.port" => return Some(self.port_or_default()?.into()),
            _ => "",
        };
        (!text.is_empty()).then(|| text.into())
    }
}
