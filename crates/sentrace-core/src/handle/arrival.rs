//! Classifies incoming requests: from another process, from the current transaction, or already traced by an outer layer.

use crate::decide::recording::Recording;
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::record::Record;
use crate::trace::incoming::IncomingTrace;
use crate::trace::state::SharedTrace;

/// The parts of a request that [`IncomingTrace::classify`] compares.
#[derive(Debug, Clone, Copy)]
pub struct ArrivingRequest<'a> {
    /// The method as it was received.
    pub method: &'a str,
    /// The path before any router rewrote it.
    pub original_path: &'a str,
    /// The path as this layer sees it.
    pub path: &'a str,
}

/// How an incoming request relates to the current transaction.
#[derive(Debug)]
pub enum Arrival {
    /// It comes from another process and continues the incoming trace.
    External(IncomingTrace),
    /// It comes from code of the current transaction and continues below the current span.
    Internal(IncomingTrace),
    /// An outer layer has already opened its transaction.
    AlreadyTraced,
}

impl IncomingTrace {
    /// Returns how a request relates to the current transaction.
    ///
    /// Code that runs in a transaction and calls a service of its own process stays in the transaction's trace, whatever
    /// headers it has copied. A request that passes several layers has one transaction.
    ///
    /// `marked` is `true` if the request carries the mark of a layer that has opened its transaction; code that copies
    /// requests may have copied the mark. `request` is only called if a trace is current.
    #[inline]
    pub fn classify<'a>(self, marked: bool, request: impl FnOnce() -> ArrivingRequest<'a>) -> Arrival {
        let found = with_current(|current| {
            let trace = current.trace()?;
            Some(self.classify_in(current, trace, marked, &request()))
        });
        match found.flatten() {
            None if marked => Arrival::AlreadyTraced,
            None | Some(Found::Outside) => Arrival::External(self),
            Some(Found::CalledFromHere) => Arrival::Internal(self),
            Some(Found::Below(below)) => Arrival::Internal(below),
            Some(Found::Again) => Arrival::AlreadyTraced,
        }
    }

    #[cold]
    fn classify_in(
        &self,
        current: &SpanRef,
        trace: &SharedTrace,
        marked: bool,
        request: &ArrivingRequest<'_>,
    ) -> Found {
        let caller = self.caller();
        let same_caller = caller.is_some_and(|(trace_id, span_id)| {
            trace.trace_id == trace_id && trace.parent_span_id == Some(span_id)
        });
        let live = trace.live();
        let is_again = if !trace.is_request {
            marked
        } else if trace.is_marked() {
            // The request may be another one with a copy of the mark.
            marked && live.record.as_deref().is_none_or(|record| may_be_rewritten(record, request))
        } else {
            same_caller && live.record.as_deref().is_none_or(|record| is_same(record, request))
        };
        if is_again {
            return Found::Again;
        }
        let is_transaction = trace.is_request || trace.recording != Recording::NotTraced;
        if !is_transaction {
            return Found::Outside;
        }
        // A client layer has added headers of a span of this transaction, which is closer than the current span.
        let called_by =
            caller.filter(|(trace_id, _)| trace.trace_id == *trace_id).map(|(_, span_id)| span_id);
        if called_by.is_some_and(|span_id| live.has_span(span_id)) {
            return Found::CalledFromHere;
        }
        drop(live);
        // Handlers may forward its headers, like those of the request that it comes from.
        current.incoming_below().map_or(Found::Outside, |below| Found::Below(below.with_received_of(self)))
    }
}

enum Found {
    Outside,
    CalledFromHere,
    Below(IncomingTrace),
    Again,
}

/// Returns `true` if a marked request may be the recorded one: layers in between rewrite its path, as routers strip
/// prefixes, but do not replace it.
fn may_be_rewritten(record: &Record, request: &ArrivingRequest<'_>) -> bool {
    if !record.request.is_some() {
        return true;
    }
    let (method, path) = target(record);
    let is_rewritten = |other: &str| {
        path.starts_with(other) || path.ends_with(other) || other.starts_with(path) || other.ends_with(path)
    };
    method == request.method && is_rewritten(request.original_path) && is_rewritten(request.path)
}

fn is_same(record: &Record, request: &ArrivingRequest<'_>) -> bool {
    if !record.request.is_some() {
        return true;
    }
    let (method, path) = target(record);
    let is_cut = path.len() >= NEVER_SHORTENED;
    let original = request.original_path;
    method == request.method && (original == path || (is_cut && original.starts_with(path)))
}

/// Records never shorten paths of this length.
const NEVER_SHORTENED: usize = 1000;

/// Returns method and path of the recorded request; either may have been shortened.
fn target(record: &Record) -> (&str, &str) {
    (record.arena.get(record.request.method_as_sent()), record.arena.get(record.request.path))
}
