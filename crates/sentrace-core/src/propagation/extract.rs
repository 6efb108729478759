//! Reads trace headers of a carrier, which may occur several times.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use sentrace_protocol::{Carrier, SentryTrace, TraceHeader, Traceparent, traceparent};

use crate::diagnostics::debug_once;
use crate::propagation::trace_baggage::TraceBaggage;

/// The `sentry-trace` of a carrier.
pub(crate) struct SentryTraceRead {
    /// The only value, or what several agree on.
    pub(crate) value: Option<SentryTrace>,
    /// Whether there was any value.
    pub(crate) is_present: bool,
    /// Whether several values differ although they agree on trace and decision.
    pub(crate) differ: bool,
}

/// Reads `sentry-trace`, and copies all `baggage` unread.
///
/// Several values are accepted if they have the same trace and decision. The last one counts, which
/// is the nearest caller's.
pub(crate) fn sentry_trace(carrier: &(impl Carrier + ?Sized), baggage: &mut TraceBaggage) -> SentryTraceRead {
    let mut read = Agreement::Nothing;
    carrier.get_trace(&mut |header, value| match header {
        TraceHeader::SentryTrace => read.add_sentry_trace(value),
        TraceHeader::Baggage => baggage.add_unread(value),
        _ => {}
    });
    SentryTraceRead {
        is_present: !matches!(read, Agreement::Nothing),
        differ: matches!(read, Agreement::Unanimous { differ: true, .. }),
        value: read.value(),
    }
}

impl Agreement<SentryTrace> {
    /// Proxies join repeated headers with commas.
    fn add_sentry_trace(&mut self, value: &[u8]) {
        static REPORTED: AtomicBool = AtomicBool::new(false);
        let agrees = |earlier: &SentryTrace, later: &SentryTrace| {
            (earlier.trace_id, earlier.sampled) == (later.trace_id, later.sampled)
        };
        if let Some(trace) = SentryTrace::parse_opt(value) {
            self.add(trace, agrees);
        } else {
            let parts = value.split(|byte| *byte == b',').filter(|part| !part.trim_ascii().is_empty());
            let heard = parts.map(SentryTrace::parse).try_for_each(|part| match part {
                Ok(trace) => {
                    self.add(trace, agrees);
                    ControlFlow::Continue(())
                }
                Err(error) => ControlFlow::Break(error),
            });
            if let ControlFlow::Break(error) = heard {
                debug_once(&REPORTED, format_args!("{error}; what comes like this begins a new trace"));
                *self = Agreement::Broken;
            }
        }
    }
}

/// Reads one `traceparent`, or several equal ones (W3C Trace Context level 1, *traceparent
/// Header*).
pub(crate) fn traceparent(carrier: &(impl Carrier + ?Sized)) -> Option<SentryTrace> {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    let mut read = Agreement::Nothing;
    carrier.get_all(traceparent::HEADER, &mut |value| match Traceparent::parse_opt(value) {
        Some(parent) => {
            let parent = SentryTrace {
                trace_id: parent.trace_id,
                span_id: parent.parent_id,
                sampled: Some(parent.sampled),
            };
            read.add(parent, SentryTrace::eq);
        }
        None => {
            if let Err(error) = Traceparent::parse(value) {
                debug_once(&REPORTED, format_args!("{error}; what comes like this begins a new trace"));
            }
            read = Agreement::Broken;
        }
    });
    read.value()
}

/// What the values of a header have in common.
enum Agreement<T> {
    Nothing,
    Unanimous { last: T, differ: bool },
    Broken,
}

impl<T: PartialEq + fmt::Debug> Agreement<T> {
    fn add(&mut self, value: T, agrees: impl FnOnce(&T, &T) -> bool) {
        match self {
            Self::Nothing => *self = Self::Unanimous { last: value, differ: false },
            Self::Unanimous { last, differ } if agrees(last, &value) => {
                *differ |= *last != value;
                *last = value;
            }
            Self::Unanimous { last: earlier, .. } => {
                static REPORTED: AtomicBool = AtomicBool::new(false);
                debug_once(
                    &REPORTED,
                    format_args!(
                        "a header came twice and says two things, {earlier:?} and {value:?}; what comes like this begins a new \
                         trace"
                    ),
                );
                *self = Self::Broken;
            }
            Self::Broken => {}
        }
    }

    fn value(self) -> Option<T> {
        match self {
            Self::Unanimous { last, .. } => Some(last),
            Self::Nothing | Self::Broken => None,
        }
    }
}
