//! What a record keeps of an outgoing call: one text, written once, of which most values are parts.

use std::ops::Range;

use sentrace_protocol::{http_method, sensitive};

use super::text::MAX_TEXT;
use super::{Arena, DataEntry, Record, RecordedValue, Slot, Text};
use crate::record::outgoing_request::OutgoingRequest;
use crate::util::text::cut;

impl Record {
    /// Adds what is known of a call when it starts. `names` is `true` if its span is named after
    /// it.
    pub(crate) fn describe_call(
        &mut self,
        slot: Slot,
        origin: &'static str,
        names: bool,
        request: &OutgoingRequest<'_>,
    ) {
        let bytes = request.max_bytes();
        self.make_room(bytes);
        let has_room = self.has_room(bytes);
        let Some(span) = slot.of_mut(&mut self.spans) else { return };
        span.origin = Text::Literal(origin);
        span.derives_name = names;
        let port = request.port_or_default();
        if !has_room {
            return self.describe_call_in_full_record(slot, names, port, request);
        }
        let parts = Parts::write(request, &mut self.arena);
        let mut part = |range: Range<usize>| self.arena.share(range);
        if names {
            span.description = part(parts.method.start..parts.path.end);
        }
        let query = request.query.map(|_| part(parts.query));
        let method = part(parts.method);
        let is_known = http_method::known(request.method).is_some();
        let known = [
            ("http.request.method", Some(if is_known { method } else { Text::Literal(http_method::OTHER) })),
            ("server.address", (!parts.host.is_empty()).then(|| part(parts.host))),
            ("url.path", Some(part(parts.path))),
            ("url.query", query),
            ("url.full", Some(part(parts.url))),
        ];
        self.data.reserve(known.len() + 1);
        let mut set = |key, value| self.data.push(DataEntry { slot, key: Text::Literal(key), value });
        if let Some(port) = port {
            set("server.port", RecordedValue::Int(port.into()));
        }
        for (key, text) in known {
            if let Some(text) = text {
                set(key, RecordedValue::Text(text));
            }
        }
        if !is_known {
            self.set_data(slot, "http.request.method_original".into(), request.method.into());
        }
    }

    /// Adds what fits into a full record: the name, and what takes no bytes.
    #[cold]
    fn describe_call_in_full_record(
        &mut self,
        slot: Slot,
        names: bool,
        port: Option<u16>,
        request: &OutgoingRequest<'_>,
    ) {
        if let Some(port) = port {
            self.set_data(slot, "server.port".into(), port.into());
        }
        if names {
            self.set_description(slot, &request.name());
        }
        self.leave_out(PARTS);
    }
}

/// The number of values that describe a call, besides its port.
const PARTS: u32 = 5;

/// The ranges of a call's parts: `METHOD scheme://host:port/path?query`, without secrets.
struct Parts {
    method: Range<usize>,
    host: Range<usize>,
    path: Range<usize>,
    query: Range<usize>,
    url: Range<usize>,
}

impl Parts {
    fn write(request: &OutgoingRequest<'_>, arena: &mut Arena) -> Self {
        let (mut method, mut host, mut path, mut query, mut url) = (0..0, 0..0, 0..0, 0..0, 0..0);
        arena.write(|text| {
            method.start = text.len();
            text.push_str(http_method::in_names(request.method));
            method.end = text.len();
            text.push(' ');
            url.start = text.len();
            request.push_scheme(text);
            host.start = text.len();
            text.push_str(cut(request.host, MAX_TEXT));
            host.end = text.len();
            request.push_port(text);
            path.start = text.len();
            text.push_str(cut(request.path, MAX_TEXT));
            path.end = text.len();
            query = path.end..path.end;
            if let Some(asked) = request.query {
                text.push('?');
                query.start = text.len();
                push_query(cut(asked, MAX_TEXT), text);
                query.end = text.len();
            }
            url.end = text.len();
            if request.has_credentials {
                // The name has no credentials, so this URL is a separate text.
                let (scheme, rest) = (url.start..host.start, host.start..url.end);
                url.start = text.len();
                text.extend_from_within(scheme);
                text.push_str("[Filtered]:[Filtered]@");
                text.extend_from_within(rest);
                url.end = text.len();
            }
        });
        Self { method, host, path, query, url }
    }
}

/// Most queries have nothing to hide, which a search finds without parsing them.
#[inline]
fn push_query(query: &str, text: &mut String) {
    if query.as_bytes().contains(&b'%') || sensitive::fast_path::may_have_sensitive_parameters(query) {
        push_without_secrets(query, text);
    } else {
        text.push_str(query);
    }
}

#[cold]
fn push_without_secrets(query: &str, text: &mut String) {
    sensitive::filter_query_into(query, sensitive::is_sensitive_parameter, text);
}
