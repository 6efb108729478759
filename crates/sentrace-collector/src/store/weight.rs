//! Estimates what a transaction takes in memory, so that the sum can be bounded.

use serde_json::{Map, Value};

use crate::model::Transaction;

/// The node of a map, its share of an allocation and of the allocator.
const ENTRY: usize = 96;

/// Bytes a transaction takes. The payload counts twice: once as it came, once as typed fields.
pub(super) fn of(transaction: &Transaction) -> usize {
    let fixed = size_of::<Transaction>() + transaction.spans.len() * size_of::<crate::model::Span>();
    // Streamed spans have their data nowhere else.
    let spans = transaction.spans.iter().filter(|_| transaction.streamed).map(|span| map(&span.data));
    let problems =
        transaction.problems.iter().map(|problem| problem.path.len() + problem.message.len() + ENTRY);
    fixed
        + 2 * value(&transaction.payload)
        + 2 * map(&transaction.envelope)
        + problems.sum::<usize>()
        + spans.sum::<usize>()
}

fn value(json: &Value) -> usize {
    size_of::<Value>()
        + match json {
            Value::String(text) => text.capacity(),
            Value::Array(values) => values.iter().map(value).sum(),
            Value::Object(members) => map(members),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

fn map(members: &Map<String, Value>) -> usize {
    members.iter().map(|(key, member)| ENTRY + key.capacity() + value(member)).sum()
}
