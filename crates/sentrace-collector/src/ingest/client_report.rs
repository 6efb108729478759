//! Reads client reports. Follows the Sentry SDK specification, *Client Reports* 1.20.

use serde_json::Value;

use super::fields::{Fields, kind};
use super::findings::{Findings, quoted};
use super::terms;
use crate::model::Discarded;

/// The maximum length of reasons and categories.
const MAX_WORD: usize = 64;

/// Reads a report. Invalid entries are noted and skipped.
pub(super) fn read(payload: &Value, path: &str, project: &str, findings: &mut Findings) -> Vec<Discarded> {
    let Value::Object(object) = payload else {
        findings.error(path, format!("{} is not an object; send a client report", kind(payload)));
        return Vec::new();
    };
    let fields = Fields::new(object, path);
    if fields.get("timestamp").is_some() {
        fields.timestamp("timestamp", findings);
    }
    let entries = match fields.get("discarded_events") {
        None => return Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(other) => {
            findings.error(fields.path("discarded_events"), format!("{} is not an array", kind(other)));
            return Vec::new();
        }
    };
    let read = entries.iter().enumerate();
    read.filter_map(|(index, entry)| {
        let path = fields.path(&format!("discarded_events[{index}]"));
        entry_of(entry, &path, project, findings)
    })
    .collect()
}

fn entry_of(entry: &Value, path: &str, project: &str, findings: &mut Findings) -> Option<Discarded> {
    let Value::Object(object) = entry else {
        findings.error(path, format!("{} is not an object", kind(entry)));
        return None;
    };
    let fields = Fields::new(object, path);
    let reason = word(fields, "reason", terms::is_reason, findings);
    let category = word(fields, "category", terms::is_category, findings);
    let quantity = fields.get("quantity").and_then(Value::as_u64);
    if quantity.is_none() {
        findings.error(fields.path("quantity"), "is not an integer; send how many were lost");
    }
    Some(Discarded::new(project, &reason?, &category?, quantity?))
}

fn word(
    fields: Fields<'_>,
    key: &str,
    is_known: impl Fn(&str) -> bool,
    findings: &mut Findings,
) -> Option<String> {
    let word = fields.string(key, findings).filter(|word| !word.is_empty() && word.len() <= MAX_WORD);
    match &word {
        None => findings.error(fields.path(key), format!("is missing or not a word; send a {key}")),
        Some(word) if !is_known(word) => {
            let message =
                format!("{} is not a {key} that Sentry knows; use one from the specification", quoted(word));
            findings.warning(fields.path(key), message);
        }
        Some(_) => {}
    }
    word
}
