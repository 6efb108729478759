use serde_json::json;

use super::*;
use crate::clock;
use crate::fixture::{assembled, remarks, span, transaction};
use crate::model::{
    Counts, Diagnosis, Discarded, Problem, ReportedProblem, Reports, Severity, Trace, Transaction,
};

const HOSTILE: &str = "</q></summary><script>alert(1)</script>\"' onload=x & <img src=x>";

/// A transaction that says something hostile wherever it can.
fn hostile() -> Transaction {
    let text = || Some(HOSTILE.to_owned());
    let mut transaction = transaction("shop", 1).below(99).with(span(HOSTILE, 2));
    transaction.name = HOSTILE.into();
    transaction.project = HOSTILE.into();
    (transaction.op, transaction.status, transaction.origin) = (text(), text(), text());
    (transaction.release, transaction.environment, transaction.server_name) = (text(), text(), text());
    transaction.data = json!({ HOSTILE: HOSTILE }).as_object().cloned().unwrap();
    transaction.dsc = Some(transaction.data.clone().into());
    transaction.envelope = transaction.data.clone().into();
    transaction.payload = json!({ HOSTILE: [HOSTILE] }).into();
    transaction.request = Some(json!({ "url": HOSTILE, "headers": { HOSTILE: HOSTILE } }));
    transaction.response = Some(json!(HOSTILE));
    transaction.tags.insert(HOSTILE.into(), HOSTILE.into());
    transaction.spans[0].description = text();
    transaction.spans[0].status = text();
    transaction.problems.push(problem());
    transaction
}

fn problem() -> Problem {
    Problem { severity: Severity::Error, path: HOSTILE.into(), message: HOSTILE.into() }
}

fn doctor_of(trace: &Trace) -> String {
    doctor(&Diagnosis::of(remarks(trace)), 1)
}

fn page_of(transactions: Vec<Transaction>) -> String {
    let assembled = assembled(transactions);
    let remarks = remarks(&assembled);
    trace(&assembled, remarks)
}

fn list(traces: Vec<crate::model::TraceSummary>) -> List {
    let problem = ReportedProblem {
        received_at: 0.0,
        project: HOSTILE.into(),
        trace_id: None,
        event_id: None,
        problem: problem(),
    };
    List {
        traces,
        reports: Reports { discarded: vec![Discarded::new(HOSTILE, HOSTILE, HOSTILE, 1)], items: vec![] },
        latest: vec![problem],
        problems: 1,
        counts: Counts::default(),
        dsn: HOSTILE.into(),
        now: clock::now(),
    }
}

#[test]
fn whatever_a_span_is_called_stays_text() {
    let assembled = assembled(vec![hostile()]);
    let pages = [
        trace(&assembled, remarks(&assembled)),
        list(vec![assembled.summary.clone()]).render(),
        missing(HOSTILE),
        doctor_of(&assembled),
    ];
    for page in pages {
        assert!(page.contains("&lt;script&gt;"), "the name is shown");
        for tag in ["<script", "<img src=x", "</q>"] {
            assert!(!page.contains(tag), "{tag} came through");
        }
        assert!(!page.contains("\" onload") && !page.contains("\"' onload"), "an attribute was left");
    }
}

#[test]
fn pages_need_nothing_that_their_policy_forbids() {
    let assembled = assembled(vec![transaction("shop", 1).with(span("db", 2))]);
    for page in [
        trace(&assembled, remarks(&assembled)),
        list(vec![assembled.summary.clone()]).render(),
        missing("x"),
        doctor_of(&assembled),
    ] {
        for forbidden in ["<script", "style=\"", "<style", "javascript:", "src=\"http", "href=\"http"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn only_the_list_reloads_itself() {
    assert!(!trace(&assembled(vec![transaction("shop", 1)]), vec![]).contains("http-equiv"));
    assert!(list(vec![]).render().contains("http-equiv=\"refresh\""));
}

#[test]
fn a_trace_shows_its_marks_its_sampling_context_and_the_way_to_its_parent() {
    let mut shop = transaction("shop", 1).with(span("http.client", 2).below(1));
    shop.dsc = json!({ "public_key": "the-key" }).as_object().cloned().map(Into::into);
    let api = transaction("api", 3).below(2).at(-20.0, 30.0).status("internal_error");
    let orphan = transaction("mail", 4).below(77);
    let page = page_of(vec![shop, api, orphan]);
    for shown in [
        "✕ internal_error",
        "⚠ clock −30.0 ms",
        "⚠ orphan",
        "⚠ Missing parents",
        "⚠ Clocks that disagree",
        "Synchronise the clocks",
        "href=\"#span-0000000000000104\"",
        "the-key",
        "href=\"#span-0000000000000102\"",
        "000000000000014d (not received)",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn the_doctor_shows_each_oddity_once_with_the_way_to_its_places_and_what_to_do() {
    let odd = |number: u8| {
        let mut odd = assembled(vec![Transaction { release: None, ..transaction("shop", 1) }]);
        odd.summary.id = sentrace_protocol::TraceId::from_bytes([number; 16]).unwrap();
        remarks(&odd)
    };
    let page = doctor(&Diagnosis::of((1..=9).flat_map(odd)), 9);
    for shown in
        ["No release", "9×", "and 6 more", "Why it matters", "Set SENTRY_RELEASE", "01#span-0000000000000101"]
    {
        assert!(page.contains(shown), "{shown}");
    }
    assert_eq!(page.matches("reports no release").count(), 1);
    assert!(doctor(&[], 9).contains("Nothing odd") && doctor(&[], 0).contains("No traces yet"));
    assert!(list(vec![]).render().contains("href=\"/doctor\""));
}

#[test]
fn a_streamed_span_shows_its_own_data_apart_from_what_all_repeat() {
    let mut shop = transaction("shop", 1);
    (shop.streamed, shop.event_id) = (true, None);
    shop.data = json!({ "http.route": "/cart", "sentry.op": "http.server" }).as_object().cloned().unwrap();
    let page = page_of(vec![shop]);
    assert!(page.contains("a streamed span") && !page.contains("event id"));
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is shown"));
    assert!(
        place("http.route") < place("Sentry attributes") && place("Sentry attributes") < place("sentry.op")
    );
}

#[test]
fn a_payload_is_cut_where_a_character_ends() {
    let mut long = transaction("shop", 1);
    long.payload = json!("é".repeat(100_000)).into();
    assert!(page_of(vec![long]).contains("has it in full"));
}

#[test]
fn links_lead_to_the_linked_span_on_its_own_page() {
    use crate::model::SpanLink;

    let link = |trace_id: sentrace_protocol::TraceId| {
        let json = json!({"trace_id": trace_id, "span_id": "53995c3f42cd8ad8", "sampled": false,
            "attributes": {"sentry.link.type": "message_origin", HOSTILE: HOSTILE}});
        serde_json::from_value::<SpanLink>(json).unwrap()
    };
    let mut linked = transaction("shop", 1).with(span("queue.process", 2));
    let other = "11111111111111111111111111111111".parse().unwrap();
    linked.links.push(link(other));
    linked.spans[0].links.push(link(linked.trace_id));
    let page = page_of(vec![linked]);
    for part in [
        "href=\"/traces/11111111111111111111111111111111#span-53995c3f42cd8ad8\"",
        "href=\"#span-53995c3f42cd8ad8\"",
        "message_origin",
        "(not sampled)",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script"), "attributes stay text");
}
