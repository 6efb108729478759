use sentrace_protocol::TraceId;
use serde_json::json;

use super::*;
use crate::fixture::{assembled, id, span, transaction};
use crate::model::{RemarkKind, Transaction};
use RemarkKind as Kind;

fn trace_id(number: u8) -> TraceId {
    TraceId::from_bytes([number; 16]).unwrap()
}

/// What is odd where each list of transactions is a trace.
fn remarks(traces: Vec<Vec<Transaction>>) -> Vec<Remark> {
    let checkups: Vec<_> = (1..)
        .zip(traces)
        .map(|(number, transactions)| {
            let mut trace = assembled(transactions);
            trace.summary.id = trace_id(number);
            Checkup::of(&trace)
        })
        .collect();
    examine(checkups.iter())
}

/// Kinds, what and details, one line each.
fn lines(remarks: &[Remark]) -> Vec<(Kind, String)> {
    let line = |remark: &Remark| (remark.kind, format!("{}: {}", remark.what, remark.detail));
    remarks.iter().map(line).collect()
}

fn source(source: &str, transaction: Transaction) -> Transaction {
    Transaction { source: Some(source.into()), ..transaction }
}

fn named(name: &str, transaction: Transaction) -> Transaction {
    Transaction { name: name.into(), ..transaction }
}

fn context(members: serde_json::Value, transaction: Transaction) -> Transaction {
    Transaction { dsc: members.as_object().cloned().map(Into::into), ..transaction }
}

fn shop() -> Transaction {
    transaction("shop", 1).with(span("http.client", 2).below(1))
}

fn api() -> Transaction {
    transaction("api", 3).below(2).at(20.0, 50.0)
}

#[test]
fn one_trace_alone_shows_what_is_odd_in_it() {
    let mut open = shop();
    open.open = true;
    let query = |text: &str| {
        let mut query = span("db.query", 2).below(1);
        query.description = Some(text.into());
        transaction("shop", 1).with(query)
    };
    let upgraded = |op: &str, status: u16| {
        let mut upgraded = transaction("shop", 1).op(op).at(0.0, 600_000.0);
        upgraded.data.insert("http.response.status_code".into(), status.into());
        upgraded
    };
    let of_tracing = |parent_ms: f64, ms: f64| {
        let mut kept = span("default", 3).below(2).at(1.0, ms);
        kept.origin = Some("auto.tracing".into());
        transaction("shop", 1).at(0.0, 300.0).with(span("default", 2).below(1).at(1.0, parent_ms)).with(kept)
    };
    let sampled = |text: &str| json!({ "sampled": text });
    let rate = |text: &str| json!({ "sample_rate": text, "replay_id": text });
    type Row = (Vec<Transaction>, Vec<(Kind, &'static str)>, &'static str);
    let rows: Vec<Row> = vec![
        (vec![shop(), api()], vec![], "a trace as it should be"),
        (
            vec![transaction("shop", 1), transaction("api", 3).below(99).at(20.0, 10.0)],
            vec![(
                Kind::Orphan,
                r#""GET /api" of "api" names a parent that was not received: its parent is 0000000000000163"#,
            )],
            "a parent that never came",
        ),
        (
            vec![transaction("shop", 1).below(1)],
            vec![(Kind::BrokenTree, r#"the parents of "GET /shop" of "shop" lead back to it: "#)],
            "its own parent",
        ),
        (
            vec![transaction("shop", 1).with(span("task", 1).below(1))],
            vec![(
                Kind::BrokenTree,
                r#""span 1" of "shop" has the id of another span: the id is 0000000000000101"#,
            )],
            "an id twice",
        ),
        (
            vec![shop(), api().at(-4.0, 50.0)],
            vec![(
                Kind::ClockSkew,
                r#"spans of "api" start before those of "shop" that they belong to: by 14.0 ms: the clock of "api" is at least so far behind"#,
            )],
            "a clock that is behind",
        ),
        (
            vec![shop(), api().at(20.0, 380.0)],
            vec![(
                Kind::ClockSkew,
                r#"requests to "api" end after "shop", which waited for them: by 300 ms: the clock of "api" may be so far ahead"#,
            )],
            "a clock that is ahead",
        ),
        (
            vec![
                shop()
                    .with(span("task", 4).below(1).at(-30.0, 10.0))
                    .with(span("task", 5).below(1).at(-60.0, 10.0)),
            ],
            vec![(Kind::ClockSkew, r#"spans of "shop" start before their parents: by 60.0 ms"#)],
            "the worst of a service's own",
        ),
        (
            vec![open],
            vec![
                (
                    Kind::Orphan,
                    r#""span 2" of "shop" names a parent that was not received: its parent is 0000000000000101"#,
                ),
                (Kind::Unfinished, r#"spans of "GET /shop" of "shop" came without it: 1 of them"#),
            ],
            "a streamed transaction that has not come",
        ),
        (
            vec![transaction("shop", 1).with(span("task", 2).below(1).at(10.0, 3_000.0))],
            vec![(
                Kind::Unfinished,
                r#""span 2" of "shop" ends after its transaction "GET /shop": by 2.91 s"#,
            )],
            "a span that outlives its transaction",
        ),
        (
            vec![
                transaction("shop", 1)
                    .at(0.0, 400_000.0)
                    .with(span("task", 2).below(1).at(1.0, 390_000.0))
                    .with(span("task", 3).below(2).at(2.0, 5.0)),
            ],
            vec![(Kind::TooLong, r#""span 2" of "shop" takes very long: 6 min 30 s"#)],
            "a long span, and not what waits for it",
        ),
        (
            vec![of_tracing(1.0, 200.0)],
            vec![(
                Kind::TooLong,
                r#""span 3" of "shop" lasts far beyond its parent "span 2": by 199 ms: a task or a pooled connection keeps the `tracing` span in which it began"#,
            )],
            "a span that a pooled connection keeps",
        ),
        (vec![of_tracing(1.0, 90.0)], vec![], "a span that is kept for a moment"),
        (vec![of_tracing(50.0, 250.0)], vec![], "a span that goes on a little longer than its parent took"),
        (vec![upgraded("websocket.server", 200)], vec![], "long by its operation"),
        (vec![upgraded("http.server", 101)], vec![], "long by its upgrade"),
        (
            vec![upgraded("http.server", 200)],
            vec![(Kind::TooLong, r#""GET /shop" of "shop" takes very long: 10 min 0 s"#)],
            "a long request",
        ),
        (
            vec![source("url", named("GET /users/8812", transaction("shop", 1)))],
            vec![(Kind::NamedByUrl, r#""shop" names transactions by their URL: "GET /users/8812""#)],
            "a URL",
        ),
        (
            vec![source("task", named("send invoice 8812", transaction("shop", 1)))],
            vec![(
                Kind::IdInName,
                r#""shop" has ids in the names of transactions (source "task"): "send invoice 8812""#,
            )],
            "an id in a task",
        ),
        (
            vec![source("route", named("GET /2024/report", transaction("shop", 1)))],
            vec![],
            "a number in a route stands in the program",
        ),
        (
            vec![query("SELECT name FROM user WHERE id = 42")],
            vec![(
                Kind::ValuesInQuery,
                r#"queries of "shop" hold values: "SELECT name FROM user WHERE id = 42""#,
            )],
            "a value in a query",
        ),
        (vec![query("SELECT name FROM user WHERE id = ?")], vec![], "a placeholder in a query"),
        (
            vec![context(sampled("true"), shop()), context(sampled("false"), api())],
            vec![(
                Kind::DecisionDiffers,
                r#""api" recorded what its context says is not sampled: sampled is false here and true in "shop""#,
            )],
            "one decision for, one against",
        ),
        (
            vec![context(sampled("false"), shop())],
            vec![(
                Kind::DecisionDiffers,
                r#""shop" recorded what its context says is not sampled: sampled is false"#,
            )],
            "recorded against the decision",
        ),
        (
            vec![context(rate("0.5"), shop()), context(rate("0.25"), api())],
            vec![(
                Kind::ContextDiffers,
                r#"sample_rate is not the same in the contexts of "shop" and "api": "0.5" and "0.25""#,
            )],
            "two rates; a replay may differ",
        ),
        (
            vec![context(rate("0.5"), shop()), api()],
            vec![(Kind::ContextDiffers, r#""api" sends no context where "shop" has one: "#)],
            "a context that got lost",
        ),
        (
            vec![Transaction { release: None, environment: Some(" ".into()), ..transaction("shop", 1) }],
            vec![
                (Kind::MissingRelease, r#""project 1" reports no release: "#),
                (Kind::MissingEnvironment, r#""project 1" reports no environment: "#),
            ],
            "nobody knows which version that is, nor where",
        ),
    ];
    for (transactions, expected, reason) in rows {
        let found = lines(&remarks(vec![transactions]));
        let expected: Vec<_> = expected.into_iter().map(|(kind, line)| (kind, line.to_owned())).collect();
        assert_eq!(found, expected, "{reason}");
    }
}

/// A call from 10 ms to 90 ms.
fn call(data: serde_json::Value, description: &str) -> Transaction {
    let mut call = span("http.client", 2).below(1);
    call.data = data.as_object().cloned().unwrap();
    call.description = Some(description.into());
    transaction("shop", 1).with(call)
}

#[test]
fn a_call_that_was_answered_in_another_trace_is_a_gap() {
    let by_data = || {
        let data = json!({
            "http.request.method": "GET", "url.path": "/stock/7", "server.address": "api.test", "server.port": 8080,
        });
        call(data, "GET http://api.test:8080/stock/7")
    };
    let by_name = || call(json!({}), "get https://api.test/stock/7?x=1");
    let requested = |method: &str, url: &str| {
        let mut api = transaction("api", 3).at(20.0, 50.0);
        api.request = Some(json!({ "method": method, "url": url }));
        api
    };
    let api = || requested("GET", "http://10.0.0.7/stock/7");
    let grpc = |name: &str| {
        let mut call = span("grpc.client", 2).below(1);
        call.description = Some(name.into());
        transaction("shop", 1).with(call)
    };
    let answered = transaction("stock", 4).below(2).at(20.0, 50.0);
    type Row = (Vec<Vec<Transaction>>, usize, &'static str);
    let rows: Vec<Row> = vec![
        (vec![vec![by_data()], vec![api()]], 1, "method, path and time agree"),
        (vec![vec![api()], vec![by_data()]], 1, "whichever came first"),
        (vec![vec![by_name()], vec![api()]], 1, "the name says where it went"),
        (
            vec![
                vec![by_data()],
                vec![source("url", named("GET /stock/7", transaction("api", 3).at(20.0, 50.0)))],
            ],
            1,
            "the name says what was asked for",
        ),
        (
            vec![vec![grpc("shop.Stock/Get")], vec![named("/shop.Stock/Get", api().op("grpc.server"))]],
            1,
            "gRPC",
        ),
        (vec![vec![by_data(), answered], vec![api()]], 0, "it was answered in its own trace"),
        (vec![vec![by_data()], vec![requested("POST", "/stock/7")]], 0, "another method"),
        (vec![vec![by_data()], vec![requested("GET", "/stock/8")]], 0, "another path"),
        (vec![vec![by_data()], vec![api().at(-70.0, 10.0)]], 0, "before the call"),
        (vec![vec![by_data()], vec![api().at(200.0, 10.0)]], 0, "after the call"),
        (vec![vec![by_data()], vec![api().below(99)]], 0, "it came with another caller's headers"),
        (vec![vec![by_data()], vec![api()], vec![by_data()]], 1, "one request answers one call"),
        (vec![vec![by_data()], vec![api()], vec![by_data()], vec![api().at(30.0, 9.0)]], 2, "two answer two"),
        (
            vec![vec![transaction("shop", 1).with(span("http.client", 2))], vec![api()]],
            0,
            "a call to nowhere",
        ),
    ];
    for (traces, expected, reason) in rows {
        let gaps: Vec<_> =
            remarks(traces).into_iter().filter(|remark| remark.kind == Kind::PropagationGap).collect();
        assert_eq!(gaps.len(), expected, "{reason}: {gaps:?}");
        for gap in gaps {
            assert_eq!(gap.span_id, Some(id(2)), "{reason}: at the call");
            assert_ne!(gap.other_trace_id, Some(gap.trace_id), "{reason}");
        }
    }
    let gap = remarks(vec![vec![by_data()], vec![api()]]).remove(0);
    assert_eq!(
        gap.what,
        r#"calls of "shop" are answered by "api" at "api.test:8080" in traces of their own"#
    );
    assert_eq!((gap.detail.as_str(), gap.other_trace_id), (r#""GET /stock/7""#, Some(trace_id(2))));
}

#[test]
fn names_are_many_when_hardly_any_comes_again() {
    let work = |names: usize, times: usize, of: &str| {
        let traces = (0..names * times).map(|number| {
            let name = format!("sync of {}", (b'a' + (number % names) as u8) as char);
            vec![source(of, named(&name, transaction("shop", 1)))]
        });
        traces.collect::<Vec<_>>()
    };
    let rows = [
        (work(20, 1, "task"), 1, "each comes once"),
        (work(19, 1, "task"), 0, "too few to say"),
        (work(20, 3, "task"), 0, "each comes again and again"),
        (work(20, 1, "route"), 0, "as many as there are routes"),
    ];
    for (traces, expected, reason) in rows {
        let found = remarks(traces);
        assert_eq!(
            found.iter().filter(|remark| remark.kind == Kind::ManyNames).count(),
            expected,
            "{reason}"
        );
    }
}

#[test]
fn remarks_are_bounded_whatever_comes() {
    let spans = (0..10_000_u32).map(|number| {
        let mut odd = span("db", 2).below(99);
        odd.span_id =
            sentrace_protocol::SpanId::from_bytes((u64::from(number) + 1_000).to_be_bytes()).unwrap();
        odd.description = Some("SELECT 'x' ".repeat(1_000));
        odd
    });
    let odd = spans.fold(transaction("shop", 1), Transaction::with);
    let found = remarks(vec![vec![odd]]);
    assert!(found.len() <= 8 * MAX_EACH, "{}", found.len());
    assert!(found.iter().all(|remark| remark.what.len() < 300 && remark.detail.len() < 300));
}
