//! Reads an envelope and says what Sentry would say about it.

mod auth;
mod client_report;
mod dsc;
mod fields;
mod findings;
mod headers;
mod span;
mod streamed;
mod terms;
mod transaction;

use std::collections::BTreeMap;

use sentrace_protocol::EventId;
use sentrace_protocol::envelope::{self, RawItem};
use serde_json::Value;

pub(crate) use self::auth::Credentials;
use self::findings::Findings;
pub(crate) use self::findings::quoted;
use crate::model::{Discarded, Problem, Transaction};

/// The most an item may have. Sentry SDK specification, *Envelopes: Size Limits*.
const MAX_ITEM: usize = 1024 * 1024;
const MAX_CLIENT_REPORT: usize = 4 * 1024;
/// Item types are counted under their name; longer ones are nobody's.
const MAX_KIND: usize = 64;

/// What an envelope holds.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    pub(crate) project: String,
    pub(crate) event_id: Option<EventId>,
    pub(crate) transaction: Option<Transaction>,
    /// What came of streamed transactions: spans, and perhaps themselves.
    pub(crate) streamed: Vec<Transaction>,
    pub(crate) discarded: Vec<Discarded>,
    pub(crate) items: BTreeMap<String, u64>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) received_at: f64,
}

/// Why an envelope is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

/// Reads a decoded body that was sent to a project; without one (Spotlight) the `dsn` names it.
pub(crate) fn examine(
    body: &[u8],
    project: Option<&str>,
    credentials: &Credentials,
    received_at: f64,
) -> Examined {
    let mut examined =
        Examined { project: project.unwrap_or("-").to_owned(), received_at, ..Examined::default() };
    let mut findings = Findings::default();
    let status = read(body, project, credentials, &mut examined, &mut findings);
    if status != 200 {
        examined.refusal = Some(Refusal { status, message: findings.summary() });
    }
    let problems = findings.into_problems();
    if let Some(transaction) = examined.transaction.as_mut().or(examined.streamed.first_mut()) {
        transaction.problems.clone_from(&problems);
    }
    examined.problems = problems;
    examined
}

fn read(
    body: &[u8],
    project: Option<&str>,
    credentials: &Credentials,
    examined: &mut Examined,
    findings: &mut Findings,
) -> u16 {
    let envelope = match envelope::read(body) {
        Ok(envelope) => envelope,
        Err(error) => {
            findings.error("envelope", error.to_string());
            return 400;
        }
    };
    if project.is_none()
        && let Some((_, of_dsn)) =
            envelope.headers.get("dsn").and_then(Value::as_str).and_then(auth::dsn_parts)
    {
        examined.project = of_dsn.chars().take(MAX_KIND).collect();
    }
    if let Err(message) = credentials.check(project, &envelope.headers) {
        findings.error("headers", message);
        return 403;
    }
    let kinds: Vec<&str> = envelope.items.iter().map(RawItem::kind).collect();
    examined.event_id = headers::check(&envelope.headers, &kinds, findings);
    headers::check_mixture(&kinds, &envelope.headers, findings);
    let mut status = 200;
    for (index, (item, kind)) in envelope.items.iter().zip(&kinds).enumerate() {
        let path = format!("items[{index}]");
        let known = !kind.is_empty() && kind.len() <= MAX_KIND;
        *examined.items.entry(if known { (*kind).to_owned() } else { "?".to_owned() }).or_default() += 1;
        if too_large(item, kind, &path, findings) {
            status = 413;
            continue;
        }
        match *kind {
            "transaction" => {
                let about = transaction::Envelope {
                    project: &examined.project,
                    event_id: examined.event_id,
                    headers: &envelope.headers,
                    received_at: examined.received_at,
                };
                let read = json(item, &path, findings)
                    .and_then(|payload| transaction::read(payload, &path, &about, findings));
                // A second one has been noted as an error already.
                examined.transaction = examined.transaction.take().or(read);
            }
            "span" if streamed::is_streamed(item) => {
                let about = streamed::Envelope {
                    project: &examined.project,
                    headers: &envelope.headers,
                    received_at: examined.received_at,
                };
                if let Some(payload) = json(item, &path, findings) {
                    examined.streamed.extend(streamed::read(&item.headers, payload, &path, &about, findings));
                }
            }
            "client_report" => {
                if let Some(payload) = json(item, &path, findings) {
                    let lost = client_report::read(&payload, &path, &examined.project, findings);
                    examined.discarded.extend(lost);
                }
            }
            "" => findings.error(format_args!("{path}.type"), "is missing; every item header has a type"),
            kind if !terms::is_item(kind) => {
                let message = format!("{} is no item type that Sentry knows", quoted(kind));
                findings.warning(format_args!("{path}.type"), message);
            }
            _ => {}
        }
    }
    if status == 200 && findings.has_errors() { 400 } else { status }
}

fn json(item: &RawItem<'_>, path: &str, findings: &mut Findings) -> Option<Value> {
    match serde_json::from_slice(item.payload) {
        Ok(value) => Some(value),
        Err(error) => {
            findings.error(path, format!("the payload is not JSON: {error}"));
            None
        }
    }
}

fn too_large(item: &RawItem<'_>, kind: &str, path: &str, findings: &mut Findings) -> bool {
    let limit = match kind {
        "transaction" | "event" | "span" | "log" | "trace_metric" => MAX_ITEM,
        "client_report" => MAX_CLIENT_REPORT,
        _ => return false,
    };
    let size = item.payload.len();
    if size > limit {
        findings.error(path, format!("{size} bytes; a {kind} item has at most {limit}"));
    }
    size > limit
}

#[cfg(test)]
mod protocol_tests;
#[cfg(test)]
mod tests;
