//! Names that cannot be aggregated.

use std::collections::{BTreeMap, HashMap, HashSet};

use sentrace_protocol::{SpanId, TraceId};

use super::Checkup;
use super::view::View;
use crate::ingest::quoted;
use crate::model::{Remark, RemarkKind};

/// This many names for one kind of work are too many, unless each is used often.
const MANY: usize = 20;
/// The maximum number of names per trace that are compared with other traces.
const MAX_KEPT: usize = 200;
const SQL: [&str; 5] = ["select ", "insert ", "update ", "delete ", "with "];

/// A transaction's name, to compare with those of other traces.
#[derive(Debug)]
pub(super) struct Named {
    service: String,
    op: String,
    name: String,
    place: (TraceId, SpanId),
}

/// The uses of a name.
struct Uses {
    count: usize,
    first: (TraceId, SpanId),
}

/// Finds transactions that are not named after a kind of work.
pub(super) fn check(view: &View<'_>) -> Vec<Remark> {
    let mut seen = HashSet::new();
    let mut remarks = Vec::new();
    for (index, transaction) in view.transactions().filter(|(_, transaction)| !transaction.open) {
        let source = transaction.source.as_deref().unwrap_or("unknown");
        let kind = match source {
            // The router's template is fine whatever it contains.
            "route" | "view" | "component" => continue,
            "url" => RemarkKind::NamedByUrl,
            _ if transaction.name.split(is_separator).any(is_id) => RemarkKind::IdInName,
            _ => continue,
        };
        let service = view.service(index);
        let what = match kind {
            RemarkKind::NamedByUrl => format!("{service} names transactions by their URL"),
            _ => format!("{service} has ids in the names of transactions (source {})", quoted(source)),
        };
        if seen.insert((transaction.name.as_str(), kind)) {
            remarks.push(view.remark(kind, transaction.span_id, what, quoted(&transaction.name)));
        }
    }
    remarks
}

/// Finds database spans whose query contains values that should have been bound.
pub(super) fn queries(view: &View<'_>) -> Vec<Remark> {
    let mut seen = HashSet::new();
    let mut remarks = Vec::new();
    for (node, _) in view.nodes() {
        let is_database = node.op.as_deref().is_some_and(|op| op == "db" || op.starts_with("db."));
        if is_database && has_values(&node.name) && seen.insert(node.service) {
            let what = format!("queries of {} hold values", view.name_of(node.service));
            remarks.push(view.remark(RemarkKind::ValuesInQuery, node.span_id, what, quoted(&node.name)));
        }
    }
    remarks
}

/// Returns the names of a trace, to be compared with those of other traces.
pub(super) fn all(view: &View<'_>) -> Vec<Named> {
    let transactions = view.transactions().filter(|(_, transaction)| {
        !transaction.open && !matches!(transaction.source.as_deref(), Some("route" | "url"))
    });
    let named = transactions.take(MAX_KEPT).map(|(index, transaction)| Named {
        service: view.service(index),
        op: transaction.op.clone().unwrap_or_default(),
        name: transaction.name.clone(),
        place: (view.trace.summary.id, transaction.span_id),
    });
    named.collect()
}

/// Finds operations with too many names across all traces.
pub(super) fn across<'a>(checkups: impl Iterator<Item = &'a Checkup>) -> Vec<Remark> {
    let mut work: BTreeMap<(&str, &str), HashMap<&str, Uses>> = BTreeMap::new();
    for named in checkups.flat_map(|checkup| &checkup.named) {
        let names = work.entry((&named.service, &named.op)).or_default();
        names.entry(&named.name).or_insert(Uses { count: 0, first: named.place }).count += 1;
    }
    let remarks = work.into_iter().filter_map(|((service, op), names)| {
        let total: usize = names.values().map(|uses| uses.count).sum();
        // If there really are many kinds of work, each name is used repeatedly.
        let many = names.len() >= MANY && names.len() * 2 > total;
        let (example, Uses { first: (trace_id, span_id), .. }) =
            names.iter().min_by_key(|(name, _)| **name).filter(|_| many)?;
        let op = if op.is_empty() { "no op".to_owned() } else { format!("op {}", quoted(op)) };
        Some(Remark {
            kind: RemarkKind::ManyNames,
            what: format!("{service} has {} names in {total} transactions ({op})", names.len()),
            detail: format!("one of them is {}", quoted(example)),
            trace_id: *trace_id,
            span_id: Some(*span_id),
            other_trace_id: None,
        })
    });
    remarks.collect()
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '/' | '?' | '&' | '=' | '#' | ':' | ',' | ';' | '(' | ')')
}

/// Returns `true` if a part of a name looks like an id: a number of three or more digits, a UUID, a
/// long hexadecimal number, a long mixture of letters and digits, or an e-mail address.
fn is_id(part: &str) -> bool {
    let part = part.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let hexadecimal = part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match part.len() {
        0..3 => false,
        length if digits == length => true,
        length if hexadecimal && length >= 16 => digits > 0,
        length if length >= 20 => digits >= 4 && part.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        _ => part.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')),
    }
}

/// Returns `true` if a text is SQL with a literal: a quoted string, or a number after `=`.
fn has_values(query: &str) -> bool {
    let start: String = query.trim_start().chars().take(7).collect::<String>().to_ascii_lowercase();
    if !SQL.iter().any(|verb| start.starts_with(verb)) {
        return false;
    }
    let mut quoted = query.split('\'').skip(1).step_by(2);
    let number_follows = |at: usize| {
        let rest = query.get(at..).unwrap_or_default().trim_start();
        rest.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit())
    };
    quoted.any(|literal| !literal.is_empty())
        || query.match_indices('=').any(|(at, sign)| number_follows(at + sign.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_names_that_stand_for_one_thing_are_told_from_those_that_stand_for_many() {
        let rows = [
            ("42", false, "two digits may be a version or a size"),
            ("8812", true, "a number"),
            ("#8812", true, "with a sign before it"),
            ("v2", false, "a version"),
            ("2fa", false, "a word with a digit"),
            ("6fa459ea-ee8a-3ca4-894e-db77e160355e", true, "a UUID"),
            ("0af7651916cd43dd", true, "a span id"),
            ("feedfacedeadbeef", false, "letters alone may be words"),
            ("cus4QyLkX92bPz81mm0a", true, "a mixture of letters and digits"),
            ("internationalization", false, "a long word"),
            ("ada@example.com", true, "an address"),
            ("@handler", false, "a sign alone"),
            ("{id}", false, "a placeholder"),
            ("", false, "nothing"),
        ];
        for (part, expected, reason) in rows {
            assert_eq!(is_id(part), expected, "{part}: {reason}");
        }
    }

    #[test]
    fn literals_in_queries_are_told_from_placeholders() {
        let rows = [
            ("SELECT price FROM cart WHERE id = ?", false, "a placeholder"),
            ("SELECT price FROM cart WHERE id = $1", false, "a numbered placeholder"),
            ("SELECT price FROM cart WHERE id = 42", true, "a number"),
            ("select price from cart where id=-42", true, "a negative number, in lower case"),
            ("UPDATE user SET name = 'Ada'", true, "a text"),
            ("SELECT coalesce(name, '') FROM user", false, "an empty text is nobody's"),
            ("SELECT 1", false, "a probe"),
            ("GET user:42", false, "no SQL"),
            ("é = 1", false, "no SQL either"),
            ("", false, "nothing"),
        ];
        for (query, expected, reason) in rows {
            assert_eq!(has_values(query), expected, "{query}: {reason}");
        }
    }
}
