//! Checks the dynamic sampling context, the envelope header `trace`.
//!
//! Follows the Sentry SDK specification, *Dynamic Sampling Context*: all values are strings, and
//! `trace_id` and `public_key` are required.

use std::sync::Arc;

use sentrace_protocol::TraceId;
use serde_json::{Map, Value};

use super::fields::{Fields, kind, read_id};
use super::findings::{Findings, quoted};

const PATH: &str = "headers.trace";

/// Reads the header. Returns `None` if it is missing or not an object.
pub(super) fn read(
    headers: &Map<String, Value>,
    trace_id: Option<TraceId>,
    findings: &mut Findings,
) -> Option<Arc<Map<String, Value>>> {
    let dsc = Fields::new(headers, "headers").object("trace", findings)?;
    check_ids(dsc, trace_id, findings);
    for (key, value) in dsc {
        if !value.is_string() {
            let message = format!("{} is not a string; all values of the context are strings", kind(value));
            findings.warning(format_args!("{PATH}.{}", quoted(key).trim_matches('"')), message);
        }
    }
    check_sampling(dsc, findings);
    Some(Arc::new(dsc.clone()))
}

fn check_ids(dsc: &Map<String, Value>, trace_id: Option<TraceId>, findings: &mut Findings) {
    let path = format!("{PATH}.trace_id");
    match dsc.get("trace_id").map(read_id::<TraceId>) {
        None => findings.warning(path, "is missing; without it Sentry ignores the context"),
        Some(Err(message)) => findings.warning(path, message),
        Some(Ok((own, remark))) => {
            if let Some(trace_id) = trace_id.filter(|trace_id| *trace_id != own) {
                findings.warning(&path, format!("{own} differs from the trace of the item, {trace_id}"));
            }
            if let Some(remark) = remark {
                findings.warning(&path, remark);
            }
        }
    }
    let key = dsc.get("public_key").and_then(Value::as_str).unwrap_or_default();
    if key.is_empty() {
        let message = "is missing; without it Sentry ignores the context";
        findings.warning(format_args!("{PATH}.public_key"), message);
    }
}

fn check_sampling(dsc: &Map<String, Value>, findings: &mut Findings) {
    let rate = number(dsc, "sample_rate", findings, "0 to 1", |rate| (0.0..=1.0).contains(&rate));
    let rand = number(dsc, "sample_rand", findings, "0 to below 1", |rand| (0.0..1.0).contains(&rand));
    let sampled = match dsc.get("sampled").and_then(Value::as_str) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => {
            findings.warning(
                format_args!("{PATH}.sampled"),
                format!("{} is neither true nor false", quoted(other)),
            );
            None
        }
        None => None,
    };
    if let (Some(rate), Some(rand), Some(sampled)) = (rate, rand, sampled)
        && (rand < rate) != sampled
    {
        let message =
            format!("sampled is {sampled}, which contradicts sample_rand {rand} and sample_rate {rate}");
        findings.warning(format_args!("{PATH}.sampled"), message);
    }
}

fn number(
    dsc: &Map<String, Value>,
    key: &str,
    findings: &mut Findings,
    range: &str,
    is_valid: impl Fn(f64) -> bool,
) -> Option<f64> {
    let text = dsc.get(key)?.as_str()?;
    let number = text.parse().ok().filter(|number| is_valid(*number));
    if number.is_none() {
        findings
            .warning(format_args!("{PATH}.{key}"), format!("{} is not a number from {range}", quoted(text)));
    }
    number
}
