//! Finds out who set the trace headers that are already on an outgoing call (ADR 28).

use http::header::{Entry, GetAll};
use http::{HeaderMap, HeaderName, HeaderValue};
use sentrace_protocol::{baggage, sentry_trace, traceparent};

use crate::handle::span::SpanRef;
use crate::propagation::ids::is_own;
use crate::propagation::received::{elements, hash, ids};
use crate::propagation::trace_baggage::is_same_trace_id;
use crate::trace::pipeline::Pipeline;

pub(crate) const SENTRY_TRACE: HeaderName = HeaderName::from_static(sentry_trace::HEADER);
pub(crate) const BAGGAGE: HeaderName = HeaderName::from_static(baggage::HEADER);
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static(traceparent::HEADER);

/// Who set a header. Of several values, the greatest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SetBy {
    /// This process, now or for an earlier call. Empty headers count as this.
    Process,
    /// The caller: the request being served carried it.
    Caller,
    /// The application chose the value.
    Application,
}

/// What is known of header values.
pub(crate) struct Provenance<'a> {
    serving: &'a SpanRef,
    /// Of the client that decides about the call.
    pipeline: &'a Pipeline,
}

impl<'a> Provenance<'a> {
    pub(crate) fn new(serving: &'a SpanRef, pipeline: &'a Pipeline) -> Self {
        Self { serving, pipeline }
    }

    /// Returns who set a header with these fields.
    pub(crate) fn of<'v>(&self, fields: impl Iterator<Item = &'v HeaderValue>) -> SetBy {
        let values = fields.flat_map(|field| elements(field.as_bytes()));
        values.map(|value| self.of_value(value)).max().unwrap_or(SetBy::Process)
    }

    fn of_value(&self, value: &[u8]) -> SetBy {
        let ids = ids(value);
        let serving = self.serving.trace();
        let is_the_callers = serving.zip(ids).is_some_and(|(serving, (trace_id, span_id))| {
            trace_id == serving.trace_id && Some(span_id) == serving.parent_span_id
        });
        if is_the_callers {
            return SetBy::Caller;
        }
        if ids.is_some_and(|(_, span_id)| is_own(span_id)) {
            return SetBy::Process;
        }
        let hash = hash(value);
        let is_known = self.pipeline.recent.contains(hash)
            || serving.is_some_and(|serving| {
                serving.received.contains(hash) || serving.pipeline.recent.contains(hash)
            });
        if is_known { SetBy::Caller } else { SetBy::Application }
    }

    /// Removes what the application did not set. Third-party members of `baggage` are kept.
    pub(crate) fn remove_propagated(&self, headers: &mut HeaderMap) {
        if headers.is_empty() {
            return;
        }
        match self.remove(&SENTRY_TRACE, headers) {
            // A task without a context may forward the headers of a request that nothing here
            // knows.
            Some(SetBy::Application) if self.serving.is_none() => {
                headers.remove(SENTRY_TRACE);
                self.remove(&TRACEPARENT, headers);
                remove_sentry_members(headers);
            }
            // The context beside it is the application's, too.
            Some(SetBy::Application) => {
                self.remove(&TRACEPARENT, headers);
                remove_context_of_another_trace(headers);
            }
            // A handler that forwards one of the headers forwards all of them.
            Some(SetBy::Caller) => {
                headers.remove(TRACEPARENT);
                remove_sentry_members(headers);
            }
            Some(SetBy::Process) | None => {
                self.remove(&TRACEPARENT, headers);
                remove_sentry_members(headers);
            }
        }
    }

    /// Removes a header, except for fields that the application set. Returns who set it,
    /// [`SetBy::Application`] if anything is kept.
    pub(crate) fn remove(&self, name: &HeaderName, headers: &mut HeaderMap) -> Option<SetBy> {
        let fields = headers.get_all(name);
        fields.iter().next()?;
        let set_by = self.of(fields.iter());
        if set_by != SetBy::Application {
            headers.remove(name);
        } else if let Some(chosen) = self.chosen(&fields) {
            headers.remove(name);
            for field in chosen {
                let _ = headers.try_append(name, field);
            }
        }
        Some(set_by)
    }

    /// Returns the fields that the application set, if there are others, too.
    fn chosen(&self, fields: &GetAll<'_, HeaderValue>) -> Option<Vec<HeaderValue>> {
        let is_chosen = |field: &&HeaderValue| self.of(std::iter::once(*field)) == SetBy::Application;
        let chosen: Vec<_> = fields.iter().filter(is_chosen).cloned().collect();
        (chosen.len() < fields.iter().count()).then_some(chosen)
    }
}

/// Returns `true` if a request has any of Sentry's trace headers, regardless of who set them.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// headers.insert("baggage", "tenant=7".parse().unwrap());
/// assert!(!sentrace_core::adapter::has_trace_headers(&headers));
/// ```
pub fn has_trace_headers(headers: &HeaderMap) -> bool {
    headers.contains_key(SENTRY_TRACE) || headers.get_all(BAGGAGE).iter().any(has_sentry_members)
}

/// Removes all trace headers from a request, regardless of who set them: `sentry-trace`, `traceparent` and
/// Sentry's members of `baggage`. For requests that are redirected to a host that must not receive
/// them.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// headers.insert("baggage", "tenant=7,sentry-sampled=true".parse().unwrap());
/// sentrace_core::adapter::remove_trace_headers(&mut headers);
/// assert_eq!(headers["baggage"], "tenant=7");
/// ```
pub fn remove_trace_headers(headers: &mut HeaderMap) {
    headers.remove(SENTRY_TRACE);
    headers.remove(TRACEPARENT);
    remove_sentry_members(headers);
}

/// If the application set `sentry-trace`, a context that names another trace is a forwarded one.
#[cold]
pub(crate) fn remove_context_of_another_trace(headers: &mut HeaderMap) {
    let chosen = headers.get(SENTRY_TRACE).and_then(|value| ids(value.as_bytes()));
    let Some((trace_id, _)) = chosen else { return };
    let is_of_another = |field: &HeaderValue| {
        let told = field.to_str().ok().and_then(|field| baggage::decoded_member(field, "trace_id"));
        told.is_some_and(|told| !is_same_trace_id(&told, trace_id))
    };
    if headers.get_all(BAGGAGE).iter().any(is_of_another) {
        remove_sentry_members(headers);
    }
}

/// Removes Sentry's members, and joins the remaining ones in one field.
pub(crate) fn remove_sentry_members(headers: &mut HeaderMap) {
    let Ok(Entry::Occupied(mut fields)) = headers.try_entry(BAGGAGE) else { return };
    if !fields.iter().any(has_sentry_members) {
        return;
    }
    match merged(fields.iter(), "") {
        Some(rest) if !rest.is_empty() => {
            fields.insert(rest);
        }
        _ => {
            fields.remove();
        }
    }
}

/// Returns the existing members, except for Sentry's, and `ours`. The value is sensitive if any
/// existing one is.
pub(crate) fn merged<'v>(fields: impl Iterator<Item = &'v HeaderValue>, ours: &str) -> Option<HeaderValue> {
    let mut is_sensitive = false;
    let fields = fields.inspect(|field| is_sensitive |= field.is_sensitive());
    let text = baggage::merge(fields.map(HeaderValue::as_bytes), ours);
    let mut merged = HeaderValue::try_from(text).ok()?;
    merged.set_sensitive(is_sensitive);
    Some(merged)
}

fn has_sentry_members(field: &HeaderValue) -> bool {
    field.as_bytes().windows(baggage::PREFIX.len()).any(|part| part == baggage::PREFIX.as_bytes())
}
