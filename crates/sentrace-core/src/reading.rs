//! What the headers of a carrier say, where several may say it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use sentrace_protocol::{Carrier, SentryTrace, TraceHeader, Traceparent, traceparent};

use crate::baggage::Baggage;
use crate::diagnostics::debug_once;

/// What `sentry-trace` says.
pub(crate) struct SentryTraceRead {
    /// The one value, or what several say together.
    pub(crate) agreed: Option<SentryTrace>,
    /// Whether there was any value.
    pub(crate) came: bool,
}

/// One `sentry-trace`, or several that say the same. All `baggage` is taken along unread.
pub(crate) fn sentry_trace(carrier: &(impl Carrier + ?Sized), baggage: &mut Baggage) -> SentryTraceRead {
    let mut read = Agreement::Nothing;
    carrier.get_trace(&mut |header, value| match header {
        TraceHeader::SentryTrace => read.hear_sentry_trace(value),
        TraceHeader::Baggage => baggage.add_unread(value),
    });
    SentryTraceRead { came: !matches!(read, Agreement::Nothing), agreed: read.agreed() }
}

impl Agreement<SentryTrace> {
    /// Proxies join the values of repeated headers by commas.
    fn hear_sentry_trace(&mut self, value: &[u8]) {
        static SAID: AtomicBool = AtomicBool::new(false);
        if let Some(trace) = SentryTrace::parse_opt(value) {
            self.hear(trace);
        } else {
            let parts = value.split(|byte| *byte == b',').filter(|part| !part.trim_ascii().is_empty());
            let heard = parts.map(SentryTrace::parse).try_for_each(|part| match part {
                Ok(trace) => {
                    self.hear(trace);
                    ControlFlow::Continue(())
                }
                Err(error) => ControlFlow::Break(error),
            });
            if let ControlFlow::Break(error) = heard {
                debug_once(&SAID, format_args!("{error}; what comes like this begins a new trace"));
                *self = Agreement::Broken;
            }
        }
    }
}

/// One `traceparent`, or several that say the same (W3C Trace Context level 1, *traceparent Header*).
pub(crate) fn traceparent(carrier: &(impl Carrier + ?Sized)) -> Option<SentryTrace> {
    static SAID: AtomicBool = AtomicBool::new(false);
    let mut read = Agreement::Nothing;
    carrier.get_all(traceparent::HEADER, &mut |value| match Traceparent::parse_opt(value) {
        Some(parent) => read.hear(SentryTrace {
            trace_id: parent.trace_id,
            span_id: parent.parent_id,
            sampled: Some(parent.sampled),
        }),
        None => {
            if let Err(error) = Traceparent::parse(value) {
                debug_once(&SAID, format_args!("{error}; what comes like this begins a new trace"));
            }
            read = Agreement::Broken;
        }
    });
    read.agreed()
}

/// What all values of a header say together.
enum Agreement<T> {
    Nothing,
    Unanimous(T),
    Broken,
}

impl<T: PartialEq + fmt::Debug> Agreement<T> {
    fn hear(&mut self, value: T) {
        match self {
            Self::Nothing => *self = Self::Unanimous(value),
            Self::Unanimous(earlier) if *earlier == value => {}
            Self::Unanimous(earlier) => {
                static SAID: AtomicBool = AtomicBool::new(false);
                debug_once(
                    &SAID,
                    format_args!(
                        "a header came twice, as {earlier:?} and as {value:?}; what comes like this begins a new trace"
                    ),
                );
                *self = Self::Broken;
            }
            Self::Broken => {}
        }
    }

    fn agreed(self) -> Option<T> {
        match self {
            Self::Unanimous(value) => Some(value),
            Self::Nothing | Self::Broken => None,
        }
    }
}
