//! Statements as sqlx's events tell of them, without a database.

use sentrace_core::testing::CapturedTransaction;
use sentrace_protocol::SpanStatus;
use sentrace_tracing::{TracingLayer, layer};
use tracing::{Level, info_span};

use crate::support::{record, record_with, sampled, subscribe};

fn tell(summary: &str, statement: &str) {
    tracing::event!(
        target: "sqlx::query",
        Level::DEBUG,
        summary,
        db.statement = statement,
        rows_affected = 0_u64,
        elapsed_secs = 0.001_f64
    );
}

fn told(layer: TracingLayer, statement: &str) -> CapturedTransaction {
    record_with(layer, || tell("x", statement))
}

fn shown(layer: TracingLayer, statement: &str) -> String {
    let captured = told(layer, statement);
    captured.transaction.spans[0].description.as_deref().unwrap_or_default().to_owned()
}

#[test]
fn no_literal_is_recorded_under_any_backslash_rule() {
    for sql in [
        r"SELECT * FROM f WHERE dir = 'C:\' AND pw = 'hush'",
        r"SELECT '\', 'hush@example.test' FROM orders",
        r"SELECT * FROM u WHERE name LIKE '%x%' ESCAPE '\' AND mail = 'hush'",
        r"INSERT INTO f VALUES ('C:\dir\', 'hush', 'x')",
        r"SELECT 'it\'s', 'hush'",
        r"SELECT E'it\'s', 'hush'",
        "SELECT a # it's\n FROM b WHERE c = 'hush'",
        "SELECT regexp_replace(a, '\\d+\\', 'hush')",
    ] {
        let shown = shown(layer(), sql);
        assert!(!shown.contains("hush"), "{sql} -> {shown}");
        assert!(shown.starts_with("SELECT") || shown.starts_with("INSERT"), "{sql} -> {shown}");
    }
}

#[test]
fn the_database_of_the_layer_decides_what_double_quotes_are() {
    let names = r#"SELECT "t"."name", "mail" FROM "t""#;
    assert_eq!(shown(layer().database_system("postgresql"), names), names);
    assert_eq!(shown(layer(), names), r#"SELECT "t"."name", ? FROM "t""#);
    for system in ["mysql", "sqlite"] {
        let sql = r#"SELECT * FROM users WHERE mail = "hush@example.test" AND a = ?"#;
        assert_eq!(
            shown(layer().database_system(system), sql),
            "SELECT * FROM users WHERE mail = ? AND a = ?"
        );
    }
}

#[test]
fn the_span_of_a_statement_tells_its_database() {
    let sql = r#"SELECT "mail" FROM t"#;
    for (system, expected) in
        [("postgresql", sql), ("mysql", "SELECT ? FROM t"), ("clickhouse", "SELECT ? FROM t")]
    {
        let captured = record(|| {
            // Wherever it is told, and also when the statement comes later.
            drop(info_span!("first", db.system = system, db.statement = sql));
            drop(info_span!("last", db.statement = sql, db.system.name = system));
            let span = info_span!("later", db.system = system, db.query.text = tracing::field::Empty);
            span.record("db.query.text", sql);
        });
        for span in &captured.transaction.spans {
            assert_eq!(span.description.as_deref(), Some(expected), "{system}");
        }
    }
}

#[test]
fn a_statement_may_be_formatted_in_any_way() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "it is formatted")]
    struct Statement(&'static str);

    let sql = "SELECT \"mail\"\nFROM t WHERE a = 'hush' AND b = '\\'";
    let captured = record(|| {
        drop(info_span!("a", db.system = "postgresql", db.statement = sql));
        drop(info_span!("b", db.system = "postgresql", db.statement = %sql));
        drop(info_span!("c", db.system = "postgresql", db.statement = ?sql));
        drop(info_span!("d", db.system = "postgresql", db.statement = ?Some(sql)));
        drop(info_span!("e", db.system = "postgresql", db.statement = ?Statement(sql)));
        drop(info_span!("f", db.system = "postgresql", sql = ?sql, n = 1));
    });
    let spans = &captured.transaction.spans;
    for span in spans {
        assert!(!format!("{:?} {:?}", span.description, span.data).contains("hush"), "{span:?}");
    }
    for span in &spans[..4] {
        let expected = "SELECT \"mail\" FROM t WHERE a = ? AND b = ?";
        assert_eq!(span.description.as_deref(), Some(expected));
    }
}

#[test]
fn pool_pings_are_no_spans() {
    let pings = [("/* SQLx ping */", ""), ("", "/* ping */"), ("", ""), (" ; ", "-- ping")];
    let captured = record(|| {
        for (summary, statement) in pings {
            tell(summary, statement);
        }
        tell("SELECT 1", "");
    });
    let shown: Vec<_> = captured.transaction.spans.iter().map(|span| span.description.as_deref()).collect();
    assert_eq!(shown, [Some("SELECT ?")]);

    let (client, _capture) = sampled(0.0);
    let _default = subscribe(layer());
    let transaction = client.start_transaction("work", "task");
    transaction.enter(|| {
        for (summary, statement) in pings {
            tell(summary, statement);
        }
        assert_eq!(client.losses().take().len(), 0, "nothing was lost");
        tell("SELECT 1", "");
        assert_eq!(client.losses().take().len(), 1, "a query was");
    });
}

#[test]
fn lists_of_any_length_have_one_description() {
    for (system, separator) in [("postgresql", ", "), ("sqlite", ","), ("mysql", " ,\n ")] {
        let mut descriptions: Vec<_> = [1, 2, 50, 20_000]
            .map(|length| {
                let values = (0..length).map(|value| value.to_string()).collect::<Vec<_>>().join(separator);
                shown(layer().database_system(system), &format!("SELECT a FROM b WHERE c IN ({values})"))
            })
            .to_vec();
        descriptions.dedup();
        assert_eq!(descriptions, ["SELECT a FROM b WHERE c IN (?)"], "{system}");
    }
}

#[test]
fn a_statement_of_ten_megabytes_takes_no_longer_than_a_long_one() {
    let sql = format!("INSERT INTO t VALUES ('{}')", "hush ".repeat(2 * 1024 * 1024));
    let began = std::time::Instant::now();
    assert_eq!(shown(layer(), &sql), "INSERT INTO t VALUES (?");
    assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
}

#[test]
fn a_query_has_no_status_unless_somebody_tells() {
    let captured = record(|| {
        tell("x", "SELECT a FROM b");
        drop(info_span!("a", db.statement = "SELECT c FROM d"));
        drop(info_span!("b", db.statement = "SELECT e FROM f", otel.status_code = "ok"));
        drop(info_span!("c", otel.status_code = "error", db.statement = "SELECT g FROM h"));
        drop(info_span!("d", db.system = "sqlite"));
    });
    let rows = [
        ("SELECT a FROM b", None),
        ("SELECT c FROM d", None),
        ("SELECT e FROM f", Some(SpanStatus::Ok)),
        ("SELECT g FROM h", Some(SpanStatus::InternalError)),
        ("d", Some(SpanStatus::Ok)),
    ];
    for (description, expected) in rows {
        assert_eq!(captured.expect_span(description).status, expected, "{description}");
    }
}

#[test]
fn numbered_places_tell_the_database_also_in_lists() {
    let captured = told(layer(), "SELECT a FROM b WHERE c IN ($1, $2)");
    assert_eq!(captured.transaction.spans[0].data.get("db.system.name"), Some(&"postgresql".into()));
}
