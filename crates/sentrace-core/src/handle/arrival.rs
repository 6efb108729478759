//! Where an incoming request comes from: from outside, from a layer around this one, or from code of the current transaction
//! that calls a service of its own process.

use crate::decide::recording::Recording;
use crate::handle::current::with_current;
use crate::handle::span::SpanRef;
use crate::record::Record;
use crate::trace::incoming::Incoming;
use crate::trace::state::SharedTrace;

/// A request as a server layer sees it.
#[derive(Debug, Clone, Copy)]
pub struct ArrivingRequest<'a> {
    /// Its method, as it came.
    pub method: &'a str,
    /// The path that the outermost router has seen.
    pub original_path: &'a str,
    /// The path as it is here.
    pub path: &'a str,
}

/// What a request is to the transaction that is current where it arrives.
#[derive(Debug)]
pub enum Arrival {
    /// It comes from outside, and goes on with what came in.
    Outside(Incoming),
    /// It comes from code of the current transaction, and goes on below the current span.
    Below(Incoming),
    /// It has its transaction already, by a layer around this one.
    Again,
}

impl Incoming {
    /// Tells where a request comes from. What runs below a transaction and calls a service of its own process stays in the
    /// transaction's trace, whatever headers it has copied; and a request that passes several layers has one transaction.
    ///
    /// `marked` says whether the request carries the mark of a layer that has opened its transaction; code that copies
    /// requests may have copied that. `request` is only asked where something is current.
    #[inline]
    pub fn arrive<'a>(self, marked: bool, request: impl FnOnce() -> ArrivingRequest<'a>) -> Arrival {
        let arrived = with_current(|current| {
            let trace = current.trace()?;
            Some(self.arrive_below(current, trace, marked, &request()))
        });
        match arrived.flatten() {
            None if marked => Arrival::Again,
            None | Some(Found::Outside) => Arrival::Outside(self),
            Some(Found::CalledFromHere) => Arrival::Below(self),
            Some(Found::Below(below)) => Arrival::Below(below),
            Some(Found::Again) => Arrival::Again,
        }
    }

    #[cold]
    fn arrive_below(
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
        let is_again = if !trace.of_request {
            marked
        } else if trace.is_marked() {
            // It may have been sent on with a copy of the mark.
            marked && live.record.as_deref().is_none_or(|record| passed_on(record, request))
        } else {
            same_caller && live.record.as_deref().is_none_or(|record| is_same(record, request))
        };
        if is_again {
            return Found::Again;
        }
        let is_transaction = trace.of_request || trace.recording != Recording::Off;
        if !is_transaction {
            return Found::Outside;
        }
        // A client layer has put a span of the transaction on it, which is nearer than the current one.
        let called_by =
            caller.filter(|(trace_id, _)| trace.trace_id == *trace_id).map(|(_, span_id)| span_id);
        if called_by.is_some_and(|span_id| live.has_span(span_id)) {
            return Found::CalledFromHere;
        }
        drop(live);
        // Its headers may be copied on, as those of the request that it comes from.
        current.incoming_below().map_or(Found::Outside, |below| Found::Below(below.carrying_what(self)))
    }
}

enum Found {
    Outside,
    CalledFromHere,
    Below(Incoming),
    Again,
}

/// Whether a request of the recorded one's mark may be that one: layers in between rewrite its path, as routers take prefixes
/// off, but do not replace it.
fn passed_on(record: &Record, request: &ArrivingRequest<'_>) -> bool {
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
    let is_cut = path.len() >= SURELY_WHOLE;
    let original = request.original_path;
    method == request.method && (original == path || (is_cut && original.starts_with(path)))
}

/// Records keep paths of this length whole.
const SURELY_WHOLE: usize = 1000;

/// Method and path of the recorded request; both may have been cut.
fn target(record: &Record) -> (&str, &str) {
    (record.arena.get(record.request.method_as_sent()), record.arena.get(record.request.path))
}
