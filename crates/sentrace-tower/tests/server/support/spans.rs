//! What a recorded transaction says, and what handlers hold.

use std::time::Duration;

use sentrace_core::testing::CapturedTransaction;
use sentrace_core::{Span, current_span};
use sentrace_protocol::Value;

/// From the transaction's start to its end.
pub(crate) fn duration(captured: &CapturedTransaction) -> Duration {
    captured.transaction.timestamp.0 - captured.transaction.start_timestamp.0
}

pub(crate) fn time_to_first_byte(captured: &CapturedTransaction) -> Duration {
    match captured.transaction.trace.data.get("http.request.time_to_first_byte") {
        Some(Value::Float(seconds)) => Duration::from_secs_f64(*seconds),
        other => panic!("no time to first byte: {other:?}"),
    }
}

/// A text of the transaction's data.
pub(crate) fn data<'a>(captured: &'a CapturedTransaction, key: &str) -> Option<&'a str> {
    match captured.transaction.trace.data.get(key)? {
        Value::Str(text) => Some(text),
        other => panic!("{key} is no text: {other:?}"),
    }
}

/// A whole number of the transaction's data.
pub(crate) fn number(captured: &CapturedTransaction, key: &str) -> Option<i64> {
    match captured.transaction.trace.data.get(key)? {
        Value::Int(number) => Some(*number),
        other => panic!("{key} is no whole number: {other:?}"),
    }
}

/// All that would be sent, dynamic sampling context included.
pub(crate) fn captured_json(captured: &CapturedTransaction) -> String {
    let transaction = serde_json::to_string(&captured.transaction).expect("transactions are JSON");
    let context = serde_json::to_string(&captured.dynamic_sampling_context).expect("contexts are JSON");
    transaction + &context
}

/// What a handler may hold: dropped early or late, it speaks to the span that is current then.
pub(crate) struct SetsDataOnDrop {
    _span: Span,
}

impl SetsDataOnDrop {
    pub(crate) fn new() -> Self {
        Self { _span: current_span().start_span("task", "held by the handler") }
    }
}

impl Drop for SetsDataOnDrop {
    fn drop(&mut self) {
        current_span().set_data("dropped.in", "the transaction");
    }
}
