//! What JSON takes in memory, rather too much than too little.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// An element of an array, while the array grows: the old buffer and one of twice its size.
pub(crate) const ELEMENT: usize = 3 * size_of::<Value>();
/// The first node of a B-tree has room for eleven members and is allocated as a whole.
const NODE: usize = 11 * (size_of::<String>() + size_of::<Value>()) + 16;
const IN_NODE: usize = 11;
/// Further nodes are at least five elevenths full, and others stand above them.
const FURTHER: usize = NODE / 4;

/// Bytes that one more member of an object takes, without what it owns.
pub(crate) fn member(before: usize) -> usize {
    match before {
        0 => NODE,
        1..IN_NODE => 0,
        _ => FURTHER,
    }
}

/// Bytes that a value owns, without itself.
pub(crate) fn of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(|value| ELEMENT + of(value)).sum(),
        Value::Object(members) => of_map(members),
    }
}

/// Bytes that an object owns.
pub(crate) fn of_map(members: &Map<String, Value>) -> usize {
    let nodes = if members.is_empty() { 0 } else { NODE + members.len().saturating_sub(IN_NODE) * FURTHER };
    nodes + members.iter().map(|(key, value)| key.len() + of(value)).sum::<usize>()
}

/// Bytes that a map of texts owns, as tags are.
pub(crate) fn of_texts(texts: &BTreeMap<String, String>) -> usize {
    let members = texts.iter().enumerate();
    members.map(|(before, (key, text))| member(before) + key.len() + text.len()).sum()
}
