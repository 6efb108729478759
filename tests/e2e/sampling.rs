//! Sampling decisions across services.

use sentrace::Options;
use sentrace_tests::{Ingest, plain_http};

use crate::three_services::chain;

type SetUp = fn(Options) -> Options;

const ALL: SetUp = |options| options.traces_sample_rate(1.0);
const NONE: SetUp = |options| options.traces_sample_rate(0.0);
const OFF: SetUp = |options| options;

async fn transactions_of(set_ups: [SetUp; 3], incoming: Option<&str>) -> (Ingest, Vec<String>) {
    let ingest = Ingest::start();
    let mut services = Vec::new();
    for (name, set_up) in ["front", "middle", "back"].into_iter().zip(set_ups) {
        services.push(ingest.project_with(name, set_up));
    }
    let base = chain(&services[0], &services[1], &services[2]).await;
    let mut request = plain_http().build().unwrap().get(format!("{base}/cart/7"));
    if let Some(decision) = incoming {
        request = request
            .header("sentry-trace", format!("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331{decision}"));
    }
    request.send().await.unwrap().error_for_status().unwrap();
    for service in &services {
        service.flush().await;
    }
    let traces = ingest.traces(0).await;
    assert!(traces.len() <= 1, "never two traces: {traces:#?}");
    let mut names = Vec::new();
    if let Some(trace) = traces.first() {
        let trace = ingest.read(trace.id.to_string()).await;
        names = trace.summary.services.iter().map(|service| service.name.clone()).collect();
        names.sort_unstable();
    }
    (ingest, names)
}

#[tokio::test]
async fn the_heads_decision_is_inherited_whatever_rates_follow() {
    type Row = ([SetUp; 3], Option<&'static str>, &'static [&'static str], &'static str);
    let rows: [Row; 8] = [
        ([ALL, NONE, NONE], None, &["back", "front", "middle"], "sampled by the head, rates of 0 below"),
        ([NONE, ALL, ALL], None, &[], "unsampled by the head, rates of 1 below"),
        ([NONE, NONE, NONE], Some("-1"), &["back", "front", "middle"], "sampled by the caller"),
        ([ALL, ALL, ALL], Some("-0"), &[], "unsampled by the caller, all the way down"),
        ([OFF, ALL, NONE], None, &["back", "middle"], "open at the head, decided by the next"),
        ([OFF, NONE, ALL], None, &[], "open at the head, decided against by the next"),
        ([ALL, OFF, NONE], None, &["back", "front"], "a service without tracing passes the decision on"),
        ([OFF, OFF, ALL], Some(""), &["back"], "open from the caller to the last"),
    ];
    for (set_ups, incoming, expected, reason) in rows {
        let (ingest, services) = transactions_of(set_ups, incoming).await;
        assert_eq!(services, expected, "{reason}");
        ingest.assert_no_problems();
    }
}

#[tokio::test]
async fn unsampled_traces_are_reported_as_lost_by_each_service_that_decided() {
    let (ingest, services) = transactions_of([NONE, ALL, ALL], None).await;
    assert!(services.is_empty());
    let reports = ingest.reports();
    assert_eq!(reports.lost("transaction"), 3);
    assert_eq!(reports.lost("span"), 7, "three transactions, two calls, two spans by hand");
    assert!(reports.discarded.iter().all(|discarded| discarded.reason == "sample_rate"), "{reports:?}");
}
