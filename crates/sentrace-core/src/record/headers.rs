//! The header fields of a request as they came, one behind the other; what they mean is read on the worker.

use std::borrow::Cow;

use sentrace_protocol::sensitive;

use super::cut;

/// Bounds of what is copied from one request, in bytes and header fields.
const MAX_NAME: usize = 256;
const MAX_VALUE: usize = 1024;
const MAX_FIELDS: usize = 64;
/// How much of a URL is searched for secrets, in bytes.
const MAX_URL: usize = 8 * 1024;
/// A buffer that grew beyond this for one request is not kept for the next ones.
const MAX_KEPT: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Headers {
    bytes: Vec<u8>,
    fields: Vec<Field>,
}

/// How far a field's name and value reach in the bytes; they begin where the field before ends.
#[derive(Debug, Clone, Copy)]
struct Field {
    name_end: u32,
    value_end: u32,
    hidden: bool,
}

impl Headers {
    /// Copies a field. A value that may not be shown is never copied.
    pub(crate) fn push(&mut self, name: &str, value: &[u8], hidden: impl Fn(&str) -> bool) {
        if self.fields.len() >= MAX_FIELDS || is_trace_header(name) {
            return;
        }
        self.bytes.extend_from_slice(&name.as_bytes()[..name.len().min(MAX_NAME)]);
        let name_end = self.bytes.len() as u32;
        let hides = hidden(name);
        if !hides {
            match secrets_in(name, value) {
                None => self.bytes.extend_from_slice(&value[..value.len().min(MAX_VALUE)]),
                Some(Secrets::Userinfo) => {
                    let host = value.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
                    self.bytes.extend_from_slice(&host[..host.len().min(MAX_VALUE)]);
                }
                Some(Secrets::Url) => {
                    let shown = filter_url(value, hidden);
                    self.bytes.extend_from_slice(cut(&shown, MAX_VALUE).as_bytes());
                }
            }
        }
        self.fields.push(Field { name_end, value_end: self.bytes.len() as u32, hidden: hides });
    }

    /// Names and values, in their order. What is no UTF-8 ends before the first byte that is none.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.fields.iter().map(|field| field.value_end));
        starts.zip(&self.fields).map(|(start, field)| {
            let value =
                if field.hidden { sensitive::FILTERED } else { self.text(field.name_end, field.value_end) };
            (self.text(start, field.name_end), value)
        })
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_KEPT);
        self.fields.clear();
    }

    /// About how many bytes it holds in memory besides itself.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.fields.capacity() * size_of::<Field>()
    }

    fn text(&self, start: u32, end: u32) -> &str {
        valid(self.bytes.get(start as usize..end as usize).unwrap_or_default())
    }
}

/// The trace's own headers are in the trace context already.
fn is_trace_header(name: &str) -> bool {
    matches!(name, "sentry-trace" | "baggage" | "traceparent" | "tracestate")
}

enum Secrets {
    Userinfo,
    Url,
}

/// What of the value may have to be hidden though the name is harmless.
fn secrets_in(name: &str, value: &[u8]) -> Option<Secrets> {
    // Few values begin like that, and only those are looked through.
    let url = matches!(value, [b'/', ..] | [b'h' | b'H', b't' | b'T', ..]);
    // Without an early exit the compiler turns this into vector instructions.
    if url && value.iter().fold(false, |any, byte| any | matches!(byte, b'?' | b'@' | b'#')) {
        return Some(Secrets::Url);
    }
    (name == "host" && value.contains(&b'@')).then_some(Secrets::Userinfo)
}

/// A URL in a header (`referer`, `x-original-url`) has secrets of its own.
fn filter_url(value: &[u8], hidden: impl Fn(&str) -> bool) -> String {
    let parts = sensitive::split_url(valid(&value[..value.len().min(MAX_URL)]));
    let mut shown = match parts.without_query {
        Cow::Borrowed(url) => url.to_owned(),
        Cow::Owned(url) => url,
    };
    if let Some(query) = parts.query {
        shown.push('?');
        sensitive::filter_query_into(query, hidden, &mut shown);
    }
    shown
}

fn valid(bytes: &[u8]) -> &str {
    let cut_short = |error: std::str::Utf8Error| std::str::from_utf8(&bytes[..error.valid_up_to()]);
    std::str::from_utf8(bytes).or_else(cut_short).unwrap_or_default()
}
