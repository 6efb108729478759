//! Checks that the traces are complete, by the JSON of the collector: by what was received, not by
//! what was printed or assembled.

use std::collections::HashSet;

use sentrace::protocol::SpanId;
use sentrace_collector::model::{ReportedProblem, Reports};
use sentrace_collector::{Store, Trace, Transaction};

use crate::customer::Visit;
use crate::payments::{self, Payments};
use crate::script::{Expected, Scene};
use crate::show::times;
use crate::{Error, ingest, outgoing};

/// Returns `true` if all transactions of a visit have been received.
pub(crate) fn has_arrived(visit: &Visit, store: &Store) -> bool {
    store.summary(visit.trace_id).is_some_and(|trace| trace.transactions > visit.scene.expected.len())
}

/// Returns everything that differs from what is expected.
pub(crate) async fn all(
    collector: &str,
    visits: &[Visit],
    payments: &Payments,
) -> Result<Vec<String>, Error> {
    let http = outgoing::builder().build()?;
    let mut complaints = Vec::new();
    for visit in visits {
        let url = format!("{collector}/api/traces/{}", visit.trace_id);
        let answer = http.get(url).send().await?;
        let found = if answer.status().is_success() {
            trace(visit, &answer.json().await?)
        } else {
            vec!["nothing of it was received".to_owned()]
        };
        let of_visit =
            |text| format!("trace {} ({} {}): {text}", visit.trace_id, visit.scene.method, visit.scene.path);
        complaints.extend(found.into_iter().map(of_visit));
    }
    let reports: Reports = http.get(format!("{collector}/api/reports")).send().await?.json().await?;
    complaints.extend(
        reports.discarded.iter().map(|lost| {
            format!("{} lost {} {}: {}", lost.project, lost.quantity, lost.category, lost.reason)
        }),
    );
    let problems: Vec<ReportedProblem> =
        http.get(format!("{collector}/api/problems")).send().await?.json().await?;
    complaints.extend(problems.iter().map(|reported| format!("{}: {}", reported.project, reported.problem)));
    if payments.calls() == 0 {
        complaints.push(format!("{} was never called", payments::HOST));
    }
    if payments.traced_calls() > 0 {
        complaints.push(format!("{} got trace headers {}", payments::HOST, times(payments.traced_calls())));
    }
    Ok(complaints)
}

fn trace(visit: &Visit, trace: &Trace) -> Vec<String> {
    let mut complaints = Vec::new();
    if visit.status != visit.scene.status {
        complaints.push(format!("the customer got {} instead of {}", visit.status, visit.scene.status));
    }
    expected(visit.scene, trace, &mut complaints);
    parents(trace, &mut complaints);
    for transaction in &trace.transactions {
        sampling(visit, trace, transaction, &mut complaints);
    }
    complaints
}

/// Checks that exactly the expected transactions were received.
fn expected(scene: &Scene, trace: &Trace, complaints: &mut Vec<String>) {
    let mut missing: Vec<Expected> = vec![("storefront", scene.page_name, "ok")];
    missing.extend(scene.expected);
    for transaction in &trace.transactions {
        let (name, status) =
            (transaction.name.as_str(), transaction.status.as_deref().unwrap_or("no status"));
        let found = missing.iter().position(|(service, expected_name, expected_status)| {
            let release = ingest::release(service);
            transaction.release.as_ref() == Some(&release)
                && transaction.project == *service
                && (*expected_name, *expected_status) == (name, status)
        });
        match found {
            Some(index) => _ = missing.swap_remove(index),
            None => {
                complaints.push(format!("{name} ({status}) of {} is not expected", transaction.project));
            }
        }
    }
    for (service, name, status) in missing {
        complaints.push(format!("{name} ({status}) of {service} is missing"));
    }
}

/// Checks that every parent was received. The page has no parent.
fn parents(trace: &Trace, complaints: &mut Vec<String>) {
    let spans: Vec<Link<'_>> = trace.transactions.iter().flat_map(|transaction| links(transaction)).collect();
    let received: HashSet<SpanId> = spans.iter().map(|link| link.id).collect();
    let lost = |link: &Link<'_>| {
        let parent = link.parent.filter(|parent| !received.contains(parent))?;
        Some(format!("{parent}, the parent of {}, was not received", link.name))
    };
    complaints.extend(spans.iter().filter_map(lost));
    let beginnings = spans.iter().filter(|link| link.parent.is_none()).count();
    if beginnings != 1 {
        complaints.push(format!("{beginnings} spans have no parent, only the page may have none"));
    }
}

struct Link<'a> {
    id: SpanId,
    parent: Option<SpanId>,
    name: &'a str,
}

/// A transaction and its spans.
fn links(transaction: &Transaction) -> impl Iterator<Item = Link<'_>> {
    let own = Link { id: transaction.span_id, parent: transaction.parent_span_id, name: &transaction.name };
    let spans = transaction.spans.iter().map(|span| Link {
        id: span.span_id,
        parent: span.parent_span_id,
        name: span.description.as_deref().unwrap_or("a span"),
    });
    [own].into_iter().chain(spans)
}

/// Checks that trace, decision and dynamic sampling context are the same from the page to the last
/// process.
fn sampling(visit: &Visit, trace: &Trace, transaction: &Transaction, complaints: &mut Vec<String>) {
    let mut complain =
        |what: String| complaints.push(format!("{} of {}: {what}", transaction.name, transaction.project));
    if transaction.trace_id != visit.trace_id {
        complain(format!("it belongs to trace {}", transaction.trace_id));
    }
    if transaction.dsc != trace.transactions.first().and_then(|first| first.dsc.clone()) {
        complain("its dynamic sampling context is another".to_owned());
    }
    let context = |key| transaction.dsc.as_ref().and_then(|dsc| dsc.get(key)?.as_str()).unwrap_or("nothing");
    let storefront = ingest::release("storefront");
    let trace_id = visit.trace_id.to_string();
    for (key, wanted) in [
        ("trace_id", &*trace_id),
        ("sampled", "true"),
        ("release", &*storefront),
        ("transaction", visit.scene.page_name),
    ] {
        if context(key) != wanted {
            complain(format!("its sampling context has {key} {} instead of {wanted}", context(key)));
        }
    }
}
