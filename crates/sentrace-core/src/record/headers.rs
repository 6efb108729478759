//! The header fields of a request as received, in one buffer. They are interpreted on the worker.

use std::borrow::Cow;

use sentrace_protocol::sensitive;
use sentrace_protocol::sensitive::fast_path::{ValueKind, WellKnownHeader, is_bare_url, well_known_header};

use crate::record::data_collection::HeaderRules;
use crate::util::text::cut;

/// Limits of what is copied from one request, in bytes and header fields.
const MAX_NAME: usize = 256;
const MAX_VALUE: usize = 1024;
const MAX_FIELDS: usize = 64;
/// How much of a URL is searched for secrets, in bytes.
const MAX_URL: usize = 8 * 1024;
/// Buffers that grew beyond this are not kept for reuse.
const MAX_KEPT: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Headers {
    bytes: Vec<u8>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    /// A name that needs no copy.
    known: Option<&'static WellKnownHeader>,
    /// Where name and value end in the buffer. They start where the previous field ends.
    name_end: u32,
    value_end: u32,
    hidden: bool,
}

impl Headers {
    /// Copies a field. Returns `true` if that is the host, and shown. A value that must not be
    /// shown is never copied.
    #[inline]
    pub(super) fn push(&mut self, name: &str, value: &[u8], rules: HeaderRules<'_>) -> bool {
        if self.fields.len() >= MAX_FIELDS {
            return false;
        }
        let known = well_known_header(name);
        let (hidden, may_be_url) = match known {
            Some(WellKnownHeader { value: ValueKind::Trace, .. }) => return false,
            Some(known) => {
                let hidden = rules.hides_well_known(known);
                if hidden && rules.cookies.is_some() && known.name == "cookie" {
                    self.push_cookies(value, rules);
                    return false;
                }
                (hidden, matches!(known.value, ValueKind::Url | ValueKind::Host))
            }
            None => {
                self.bytes.extend_from_slice(&name.as_bytes()[..name.len().min(MAX_NAME)]);
                (rules.hide(name), is_like_url(value))
            }
        };
        let is_host = known.is_some_and(|known| known.value == ValueKind::Host);
        let name_end = self.bytes.len() as u32;
        if !hidden {
            if may_be_url && !is_bare_url(value) {
                self.push_without_secrets(value, is_host, rules);
            } else {
                self.bytes.extend_from_slice(&value[..value.len().min(MAX_VALUE)]);
            }
        }
        self.fields.push(Field { known, name_end, value_end: self.bytes.len() as u32, hidden });
        is_host && !hidden
    }

    /// Copies a field whose value may be shown.
    pub(super) fn push_shown(&mut self, name: &str, value: &str) {
        if self.fields.len() < MAX_FIELDS {
            self.bytes.extend_from_slice(cut(name, MAX_NAME).as_bytes());
            let name_end = self.bytes.len() as u32;
            self.bytes.extend_from_slice(cut(value, MAX_VALUE).as_bytes());
            let value_end = self.bytes.len() as u32;
            self.fields.push(Field { known: None, name_end, value_end, hidden: false });
        }
    }

    #[cold]
    fn push_without_secrets(&mut self, value: &[u8], is_host: bool, rules: HeaderRules<'_>) {
        if is_host {
            let host = value.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
            self.bytes.extend_from_slice(&host[..host.len().min(MAX_VALUE)]);
        } else {
            let shown = filter_url(value, rules);
            self.bytes.extend_from_slice(cut(&shown, MAX_VALUE).as_bytes());
        }
    }

    /// Returns names and values in order. Text ends before the first byte that is not UTF-8.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.fields.iter().map(|field| field.value_end));
        starts.zip(&self.fields).map(|(start, field)| {
            let value =
                if field.hidden { sensitive::FILTERED } else { self.text(field.name_end, field.value_end) };
            let name = field.known.map_or_else(|| self.text(start, field.name_end), |known| known.name);
            (name, value)
        })
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_KEPT);
        self.fields.clear();
    }

    /// Returns how many bytes it holds in memory besides itself, approximately.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.fields.capacity() * size_of::<Field>()
    }

    fn text(&self, start: u32, end: u32) -> &str {
        valid(self.bytes.get(start as usize..end as usize).unwrap_or_default())
    }
}

/// Copies the header fields of one request into its record.
#[derive(Debug)]
pub struct HeaderRecorder<'a> {
    headers: &'a mut Headers,
    rules: HeaderRules<'a>,
    has_host: bool,
}

impl<'a> HeaderRecorder<'a> {
    pub(super) fn new(headers: &'a mut Headers, rules: HeaderRules<'a>) -> Self {
        Self { headers, rules, has_host: false }
    }

    /// Adds a field: its lower-case name and its raw value.
    #[inline]
    pub fn push(&mut self, name: &str, value: &[u8]) {
        self.has_host |= self.headers.push(name, value, self.rules);
    }

    /// Returns `true` if the field `host` was added and is shown.
    pub(super) fn has_host(&self) -> bool {
        self.has_host
    }
}

/// Few values of less known fields start like this, and only those are searched.
#[inline]
fn is_like_url(value: &[u8]) -> bool {
    matches!(value, [b'/', ..] | [b'h' | b'H', b't' | b'T', ..])
}

/// Filters a URL in a header (`referer`, `x-original-url`), which has secrets of its own.
fn filter_url(value: &[u8], rules: HeaderRules<'_>) -> String {
    let parts = sensitive::split_url(valid(&value[..value.len().min(MAX_URL)]));
    let mut shown = match parts.without_query {
        Cow::Borrowed(url) => url.to_owned(),
        Cow::Owned(url) => url,
    };
    if let Some(query) = parts.query {
        shown.push('?');
        sensitive::filter_query_into(query, |name| rules.hide_parameter(name), &mut shown);
    }
    shown
}

fn valid(bytes: &[u8]) -> &str {
    let cut_short = |error: std::str::Utf8Error| std::str::from_utf8(&bytes[..error.valid_up_to()]);
    std::str::from_utf8(bytes).or_else(cut_short).unwrap_or_default()
}
