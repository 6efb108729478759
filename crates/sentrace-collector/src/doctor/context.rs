//! Whether all services of a trace have the same sampling decision and dynamic sampling context.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::view::View;
use crate::ingest::quoted;
use crate::model::{Remark, RemarkKind, Transaction};

/// Finds services that recorded a trace which was not sampled.
pub(super) fn decisions(view: &View<'_>) -> Vec<Remark> {
    let against = view.transactions().filter(|(_, transaction)| sampled(transaction) == Some(false));
    let against: Vec<_> = against.collect();
    let others = view.transactions().find(|(_, transaction)| sampled(transaction) == Some(true));
    let remarks = against.into_iter().map(|(index, transaction)| {
        let what = format!("{} recorded what its context says is not sampled", view.service(index));
        let detail = match others {
            Some((other, _)) => format!("sampled is false here and true in {}", view.service(other)),
            None => "sampled is false".to_owned(),
        };
        view.remark(RemarkKind::DecisionDiffers, transaction.span_id, what, detail)
    });
    remarks.collect()
}

/// Finds members that differ from the first context of the trace.
pub(super) fn contexts(view: &View<'_>) -> Vec<Remark> {
    let Some((first, context)) = view.transactions().find_map(|(index, it)| Some((index, it.dsc.as_ref()?)))
    else {
        return Vec::new();
    };
    let mut seen = BTreeSet::new();
    let mut remarks = Vec::new();
    for (index, transaction) in view.transactions().filter(|(index, _)| *index != first) {
        let (service, reference) = (view.service(index), view.service(first));
        match &transaction.dsc {
            Some(own) => {
                for key in differing(context, own) {
                    let what = format!("{key} is not the same in the contexts of {reference} and {service}");
                    if seen.insert(what.clone()) {
                        let detail = format!("{} and {}", shown(context.get(&key)), shown(own.get(&key)));
                        let kind = RemarkKind::ContextDiffers;
                        remarks.push(view.remark(kind, transaction.span_id, what, detail));
                    }
                }
            }
            // A trace may have several heads, each with or without its own context.
            None if transaction.parent_span_id.is_some() => {
                let what = format!("{service} sends no context where {reference} has one");
                if seen.insert(what.clone()) {
                    remarks.push(view.remark(RemarkKind::ContextDiffers, transaction.span_id, what, ""));
                }
            }
            None => {}
        }
    }
    remarks
}

fn sampled(transaction: &Transaction) -> Option<bool> {
    match transaction.dsc.as_ref()?.get("sampled")? {
        Value::Bool(sampled) => Some(*sampled),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Returns the keys whose values differ. The decision has a separate remark, and a replay may begin
/// during the trace.
fn differing(a: &Map<String, Value>, b: &Map<String, Value>) -> BTreeSet<String> {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let differ =
        |key: &&String| a.get(*key) != b.get(*key) && !["sampled", "replay_id"].contains(&key.as_str());
    keys.into_iter().filter(differ).map(|key| quoted(key).trim_matches('"').to_owned()).collect()
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => quoted(text),
        Some(other) => quoted(&other.to_string()),
    }
}
