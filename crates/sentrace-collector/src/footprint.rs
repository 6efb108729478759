//! Estimates how much memory JSON takes. Estimates are rather too high than too low.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Bytes of an array element while the array grows: the old buffer and a new one of twice its size.
pub(crate) const ELEMENT: usize = 3 * size_of::<Value>();
/// Bytes of the first node of a B-tree, which has room for eleven members and is allocated as a
/// whole.
const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 16;
const IN_NODE: usize = 11;
/// Bytes per member of further nodes, which are at least five elevenths full and have nodes above
/// them.
const FURTHER: usize = NODE / 4;

/// Returns the bytes that one more member of an object takes, excluding what it owns.
pub(crate) fn member(before: usize) -> usize {
    match before {
        0 => NODE,
        1..IN_NODE => 0,
        _ => FURTHER,
    }
}

/// Returns the bytes that a value owns, excluding itself.
pub(crate) fn of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| ELEMENT + of(value)).sum(),
        Value::Object(members) => of_map(members),
    }
}

/// Returns the bytes that an object owns.
pub(crate) fn of_map(members: &Map<String, Value>) -> usize {
    let nodes = if members.is_empty() { 0 } else { NODE + members.len().saturating_sub(IN_NODE) * FURTHER };
    nodes + members.iter().map(|(key, value)| key.len() + of(value)).sum::<usize>()
}

/// Returns the bytes that a map of strings owns, such as tags.
pub(crate) fn of_texts(texts: &BTreeMap<String, String>) -> usize {
    let members = texts.iter().enumerate();
    members.map(|(before, (key, text))| member(before) + key.len() + text.len()).sum()
}
