//! Reads envelopes and checks them as Sentry would.

mod auth;
mod bounded;
mod client_report;
mod dsc;
mod fields;
mod findings;
mod headers;
mod links;
mod span;
mod streamed;
mod terms;
mod transaction;

use std::collections::BTreeMap;
use std::sync::Arc;

use sentrace_protocol::EventId;
use sentrace_protocol::envelope::{self, SplitItem};
use serde_json::{Map, Value};

pub(crate) use self::auth::Credentials;
use self::bounded::{Budget, Failure};
use self::findings::Findings;
pub(crate) use self::findings::quoted;
use crate::footprint;
use crate::model::{Discarded, Problem, Transaction};

/// The maximum size of an item. Sentry SDK specification, *Envelopes: Size Limits*.
const MAX_ITEM: usize = 1024 * 1024;
const MAX_CLIENT_REPORT: usize = 4 * 1024;
/// The maximum length of an item type. Longer ones are counted together.
const MAX_KIND: usize = 64;
/// The maximum number of item types. Sentry knows about thirty; further ones are counted together.
const MAX_KINDS: usize = 64;
/// The maximum size of the header of an envelope or item: enough for baggage of 8 KiB, a DSN, and
/// an SDK with its integrations.
const MAX_HEADER: usize = 16 * 1024;
/// The memory that an envelope may take for each of its bytes, and the minimum for small ones.
/// Including its body and a payload as text, that is less than ten times its size.
const MEMORY_PER_BYTE: usize = 6;
const MEMORY_AT_LEAST: usize = 256 * 1024;

/// The content of an envelope.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    pub(crate) project: String,
    pub(crate) event_id: Option<EventId>,
    pub(crate) transaction: Option<Box<Transaction>>,
    /// Parts of streamed transactions: spans, and possibly the segment. Boxed, since a thousand may
    /// arrive at once.
    #[expect(clippy::vec_box, reason = "a vector that grows would hold each twice")]
    pub(crate) streamed: Vec<Box<Transaction>>,
    pub(crate) discarded: Vec<Discarded>,
    pub(crate) items: BTreeMap<String, u64>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) received_at: f64,
}

/// The reason why an envelope is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

/// Reads a decoded body that was sent to a project. Without one (Spotlight), the `dsn` names it.
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
    let mut budget = Budget::new(body.len().saturating_mul(MEMORY_PER_BYTE).saturating_add(MEMORY_AT_LEAST));
    let (header, items) = envelope::split(body);
    let headers = match headers::parse(header, &mut budget) {
        Ok(headers) => Arc::new(headers),
        Err((status, message)) => {
            findings.error("envelope", message);
            return status;
        }
    };
    let mut kinds = Vec::new();
    for item in items.clone() {
        match item {
            Ok(item) => kinds.push(item.kind),
            Err(error) => {
                findings.error("envelope", error.to_string());
                return 400;
            }
        }
    }
    if project.is_none()
        && let Some((_, of_dsn)) = headers.get("dsn").and_then(Value::as_str).and_then(auth::dsn_parts)
    {
        examined.project = of_dsn.chars().take(MAX_KIND).collect();
    }
    if let Err(message) = credentials.check(project, &headers) {
        findings.error("headers", message);
        return 403;
    }
    examined.event_id = headers::check(&headers, &kinds, findings);
    headers::check_mixture(&kinds, &headers, findings);
    let mut status = 200;
    for (index, item) in items.flatten().enumerate() {
        let path = format!("items[{index}]");
        count(&mut examined.items, &item.kind);
        if too_large(&item, &path, findings) {
            status = 413;
            continue;
        }
        read_item(&item, &path, &headers, examined, &mut budget, findings);
        if budget.is_exhausted() {
            let message =
                "has so many small values that it takes several times its size in memory; send fewer values";
            findings.error(path, message);
            return 413;
        }
    }
    if status == 200 && findings.has_errors() { 400 } else { status }
}

fn count(items: &mut BTreeMap<String, u64>, kind: &str) {
    let known = !kind.is_empty() && kind.len() <= MAX_KIND;
    let known = known && (items.len() < MAX_KINDS || items.contains_key(kind));
    *items.entry(if known { kind.to_owned() } else { "?".to_owned() }).or_default() += 1;
}

fn read_item(
    item: &SplitItem<'_>,
    path: &str,
    headers: &Arc<Map<String, Value>>,
    examined: &mut Examined,
    budget: &mut Budget,
    findings: &mut Findings,
) {
    match &*item.kind {
        "transaction" => {
            let about = transaction::Envelope {
                project: &examined.project,
                event_id: examined.event_id,
                headers,
                received_at: examined.received_at,
            };
            let read = transaction::read(item.payload, path, &about, budget, findings);
            // A second one has already been noted as an error.
            examined.transaction = examined.transaction.take().or(read);
        }
        "span" => {
            let about =
                streamed::Envelope { project: &examined.project, headers, received_at: examined.received_at };
            examined.streamed.extend(streamed::read(item, path, &about, budget, findings));
        }
        "client_report" => {
            let payload = bounded::value(item.payload, budget);
            if let Some(payload) = parsed(payload, path, findings) {
                let lost = client_report::read(&payload, path, &examined.project, findings);
                budget.release(footprint::of(&payload));
                let entry = 2 * size_of::<Discarded>() + examined.project.len() + 2 * MAX_KIND;
                if budget.charge(lost.len() * entry) {
                    examined.discarded.extend(lost);
                }
            }
        }
        "" => findings.error(format_args!("{path}.type"), "is missing; every item header needs a type"),
        kind if !terms::is_item(kind) => {
            let message = format!("{} is not an item type that Sentry knows", quoted(kind));
            findings.warning(format_args!("{path}.type"), message);
        }
        _ => {}
    }
}

/// Notes why something could not be parsed. [`read`] notes an exhausted budget.
fn parsed<T>(parsed: Result<T, Failure>, path: &str, findings: &mut Findings) -> Option<T> {
    match parsed {
        Ok(value) => return Some(value),
        Err(Failure::NotJson(error)) => findings.error(path, format!("the payload is not JSON: {error}")),
        Err(Failure::NotObject(kind)) => {
            findings.error(path, format!("{kind} is not an object; send an object"));
        }
        Err(Failure::TooDense) => {}
    }
    None
}

fn too_large(item: &SplitItem<'_>, path: &str, findings: &mut Findings) -> bool {
    let limit = match &*item.kind {
        "transaction" | "event" | "span" | "log" | "trace_metric" => MAX_ITEM,
        "client_report" => MAX_CLIENT_REPORT,
        _ => usize::MAX,
    };
    let (size, header) = (item.payload.len(), item.header.len());
    if size > limit {
        let kind = &item.kind;
        findings.error(path, format!("{size} bytes; a {kind} item may have at most {limit}"));
    } else if header > MAX_HEADER {
        findings.error(
            path,
            format!("the header has {header} bytes; an item header may have at most {MAX_HEADER}"),
        );
    }
    size > limit || header > MAX_HEADER
}

#[cfg(test)]
mod protocol_tests;
#[cfg(test)]
mod tests;
