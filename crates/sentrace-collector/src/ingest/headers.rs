//! Checks the headers of an envelope, and the combination of its items.
//!
//! Follows the Sentry SDK specification, *Envelopes* and *Envelope Items*.

use std::borrow::Cow;
use std::collections::BTreeSet;

use sentrace_protocol::EventId;
use serde_json::{Map, Value};

use super::MAX_HEADER;
use super::bounded::{self, Budget, Failure};
use super::fields::Fields;
use super::findings::{Findings, quoted};
use crate::clock;

/// Item types that may be in any envelope, or alone.
const COMPANIONS: [&str; 3] = ["client_report", "session", "sessions"];
const KNOWN: [&str; 5] = ["event_id", "sent_at", "sdk", "dsn", "trace"];

/// Parses the header line of an envelope. The error is the status to refuse it with, and the
/// reason.
pub(super) fn parse(line: &[u8], budget: &mut Budget) -> Result<Map<String, Value>, (u16, String)> {
    if line.len() > MAX_HEADER {
        let rule =
            format!("the header has {} bytes; an envelope header has at most {MAX_HEADER}", line.len());
        return Err((413, rule));
    }
    let wrong = |error: String| {
        let rule = format!("the envelope header at byte 0 is invalid: {error}");
        (400, format!("{rule}; send one JSON object on one line"))
    };
    match bounded::object(line, None, budget) {
        // Sentry refuses it, and a map would hide it.
        Ok(_) if has_sent_at_twice(line) => Err(wrong("`sent_at` is duplicated".to_owned())),
        Ok(headers) => Ok(headers),
        Err(Failure::NotJson(error)) => Err(wrong(error)),
        Err(Failure::NotObject(kind)) => Err(wrong(format!("{kind} is not an object"))),
        Err(Failure::TooDense) => Err((413, "the envelope header has too many values; send fewer".into())),
    }
}

fn has_sent_at_twice(line: &[u8]) -> bool {
    bounded::occurrences(line, "sent_at") > 1
}

/// Checks the headers and reads the event id.
pub(super) fn check(
    headers: &Map<String, Value>,
    kinds: &[Cow<'_, str>],
    findings: &mut Findings,
) -> Option<EventId> {
    let fields = Fields::new(headers, "headers");
    for key in headers.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
        let message = format!("{} is not an envelope header; remove it", quoted(key));
        findings.warning("headers", message);
    }
    // Client reports need no envelope headers, and sentry-python sends sessions without any.
    let companions_only = kinds.iter().all(|kind| COMPANIONS.contains(&&**kind));
    if fields.get("sent_at").is_some() || !companions_only {
        check_sent_at(fields, findings);
    }
    match fields.get("event_id") {
        None => None,
        // Unlike in other fields, an invalid id here makes the header line and thus the envelope
        // invalid.
        Some(_) => fields.id("event_id", findings),
    }
}

/// Checks that an envelope does not mix telemetry of different kinds.
pub(super) fn check_mixture(kinds: &[Cow<'_, str>], headers: &Map<String, Value>, findings: &mut Findings) {
    let events = kinds.iter().filter(|kind| matches!(&***kind, "event" | "transaction" | "feedback")).count();
    if events > 1 {
        let message = "more than one event, transaction or feedback; send each in a separate envelope";
        findings.error("items", message);
    }
    let count = |wanted: &str| kinds.iter().filter(|kind| **kind == *wanted).count();
    if count("span") > 1 {
        findings.error("items", "more than one span item; put all spans of the trace into one");
    }
    if count("span") > 0 && !headers.get("trace").is_some_and(Value::is_object) {
        findings
            .warning("headers.trace", "is missing; spans need the dynamic sampling context of their trace");
    }
    let hosts: BTreeSet<&str> =
        kinds.iter().map(|kind| &**kind).filter(|kind| !COMPANIONS.contains(kind)).collect();
    let attachments = hosts.contains("attachment") && events == 1;
    if hosts.len() > 1 + usize::from(attachments) {
        let kinds: Vec<_> = hosts.into_iter().map(quoted).take(8).collect();
        findings
            .warning("items", format!("{} are in one envelope; send each kind separately", kinds.join(", ")));
    }
    if events > 0 && headers.get("event_id").is_none_or(Value::is_null) {
        findings.warning("headers.event_id", "is missing; it is required with an event or transaction");
    }
}

fn check_sent_at(fields: Fields<'_>, findings: &mut Findings) {
    let path = "headers.sent_at";
    let Some(value) = fields.get("sent_at") else {
        findings.warning(path, "is missing; always send it, since Sentry corrects clocks with it");
        return;
    };
    let text = value.as_str().unwrap_or_default();
    if clock::parse_rfc3339(text).is_none() {
        let value = quoted(&value.to_string());
        findings
            .error(path, format!("{value} is not a time; write RFC 3339, such as 2026-08-20T10:00:00.123Z"));
    } else if !text.ends_with(['Z', 'z']) && !text.ends_with("+00:00") {
        findings.warning(path, format!("{} is not in UTC; end it with Z", quoted(text)));
    }
}
