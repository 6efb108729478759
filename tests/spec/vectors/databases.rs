//! Databases and caches. Statements come through the `tracing` bridge.

use sentrace::testing::CapturedSpan;
use tracing_subscriber::layer::SubscriberExt as _;

use super::recorded::{expect, instrumented, streaming};
use super::{Row, row};

/// The span of a statement, told by the fields of a `tracing` span.
fn statement(system: &str, sql: &str) -> CapturedSpan {
    let _default =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(sentrace::tracing::layer()));
    let (client, capture) = streaming();
    client.start_transaction("work", "task").enter(|| {
        drop(tracing::info_span!(
            "run",
            sentry.op = "db.query",
            db.system.name = system,
            db.query.text = sql
        ));
    });
    let mut spans = capture.take_spans();
    spans.retain(|captured| !captured.span.is_segment);
    spans.remove(0)
}

fn postgres(sql: &str, name: &str, more: &[(&str, &str)]) {
    let captured = statement("postgresql", sql);
    expect(&captured, &[("name", name), ("sentry.op", "db.query"), ("db.query.summary", name)]);
    expect(&captured, more);
}

fn redis(attributes: &[(&'static str, &'static str)]) -> CapturedSpan {
    instrumented("db.query", &[&[("db.system.name", "redis")], attributes].concat())
}

const LOCAL: [(&str, &str); 2] = [("server.address", "h"), ("server.port", "1")];

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(21, "a quoted table", || {
            let sql = r#"SELECT * FROM "User" WHERE id = $1"#;
            postgres(sql, r#"SELECT "User""#, &[("db.query.text", sql), ("db.operation.name", "SELECT")]);
        }),
        row(22, "a literal", || {
            let text = "SELECT * FROM users WHERE id = ?";
            postgres("SELECT * FROM users WHERE id = 1", "SELECT users", &[("db.query.text", text)]);
        }),
        row(23, "a join, in lower case", || {
            let sql = "select name from users u join orders o on u.id=o.uid";
            postgres(sql, "select users orders", &[("db.operation.name", "select")]);
        }),
        row(24, "no table", || postgres("SELECT NOW()", "SELECT", &[])),
        row(25, "values", || {
            let sql = "INSERT INTO users (id, name) VALUES (1, 'bob')";
            postgres(sql, "INSERT users", &[]);
        }),
        row(26, "two operations", || postgres("INSERT INTO a SELECT * FROM b", "INSERT a SELECT b", &[])),
        row(27, "a schema, and a list", || {
            let text = "DELETE FROM public.users WHERE id IN (?)";
            postgres(
                "DELETE FROM public.users WHERE id IN (1,2,3)",
                "DELETE public.users",
                &[("db.query.text", text)],
            );
        }),
        row(28, "a table that is made", || {
            let sql = "CREATE TABLE IF NOT EXISTS foo (id int)";
            postgres(sql, "CREATE TABLE foo", &[("db.operation.name", "CREATE")]);
        }),
        row(29, "WITH", || {
            let sql = "WITH t AS (SELECT * FROM a) SELECT * FROM t";
            postgres(sql, "WITH", &[("db.operation.name", "SELECT")]);
        }),
        row(30, "a query within", || postgres("SELECT * FROM (SELECT id FROM c) x", "SELECT SELECT c", &[])),
        row(31, "two tables", || postgres("SELECT * FROM a, b WHERE a.id=b.id", "SELECT a b", &[])),
        row(32, "PRAGMA, BEGIN, CALL", || {
            expect(&statement("sqlite", "PRAGMA table_info(users)"), &[("name", "PRAGMA table_info")]);
            postgres("BEGIN", "BEGIN", &[]);
            postgres("CALL p(1)", "CALL", &[("db.query.text", "CALL p(?)")]);
        }),
        row(33, "no statement", || {
            expect(&instrumented("db.query", &[("db.system.name", "postgresql")]), &[("name", "postgresql")]);
        }),
        row(34, "a comment, an escaped quote and a negative number", || {
            postgres("-- c\nSELECT * FROM t WHERE x='o''brien' AND y=-1.5e3", "SELECT t", &[]);
        }),
        row(
            35,
            "JavaScript's summary, and not Python's statement, because a name must be of low cardinality",
            || {
                postgres(
                    "SELECT a FROM t WHERE b = 7",
                    "SELECT t",
                    &[("db.query.text", "SELECT a FROM t WHERE b = ?")],
                );
            },
        ),
        row(36, "a command of Redis", || {
            let local = [("server.address", "localhost"), ("server.port", "6379")];
            let set = redis(&[&[("db.operation.name", "SET")], &local[..]].concat());
            expect(
                &set,
                &[("name", "SET localhost:6379"), ("sentry.op", "db.query"), ("sentry.kind", "client")],
            );
        }),
        row(37, "Redis without a port", || {
            let get = redis(&[("db.operation.name", "get"), ("server.address", "/run/redis.sock")]);
            expect(&get, &[("name", "redis")]);
        }),
        row(38, "a function of Redis", || {
            let call = redis(&[("db.operation.name", "FCALL"), ("db.stored_procedure.name", "myfn")]);
            expect(&call, &[("name", "FCALL myfn")]);
        }),
        row(
            39,
            "AUTH; the text is JavaScript's where code sets it, and the bridge shows the command alone",
            || {
                let auth = redis(&[&[("db.operation.name", "AUTH")], &LOCAL[..]].concat());
                expect(&auth, &[("name", "AUTH h:1")]);
                expect(&statement("redis", "AUTH pw"), &[("db.query.text", "AUTH")]);
            },
        ),
        row(40, "reading from a cache", || {
            let get = instrumented("cache.get", &[("cache.operation", "get")]);
            expect(&get, &[("name", "cache.get"), ("sentry.kind", "client")]);
        }),
        row(41, "writing to a cache", || {
            expect(&instrumented("cache.put", &[]), &[("name", "cache.put")]);
            expect(&instrumented("cache.remove", &[]), &[("name", "cache.remove")]);
        }),
        row(42, "a command that is no operation of a cache", || {
            let hget = redis(&[&[("db.operation.name", "hget")], &LOCAL[..]].concat());
            expect(&hget, &[("name", "hget h:1"), ("sentry.op", "db.query")]);
        }),
        row(43, "MongoDB", || {
            let system = ("db.system.name", "mongodb");
            let text = ("db.query.text", r#"{"find":"?","filter":{"id":"?"}}"#);
            let find = [system, text, ("db.operation.name", "find"), ("db.collection.name", "users")];
            expect(&instrumented("db", &find), &[("name", "find users"), ("db.query.summary", "")]);
            expect(&instrumented("db", &[system, ("db.namespace", "shop")]), &[("name", "shop")]);
        }),
        row(85, "literals of other forms", || {
            let sql = "SELECT x FROM t WHERE a=true AND b=0xFF AND c=$1 AND e = -5;";
            postgres(sql, "SELECT t", &[]);
            postgres("SELECT x FROM t WHERE id IN ($1, $2)", "SELECT t", &[]);
        }),
        row(86, "unions, EXPLAIN, indexes, OR REPLACE, and a dollar quote", || {
            postgres("(SELECT a FROM t1) UNION (SELECT b FROM t2)", "SELECT t1 SELECT t2", &[]);
            postgres("EXPLAIN SELECT a FROM t", "EXPLAIN", &[]);
            postgres("DROP INDEX IF EXISTS i1", "DROP INDEX i1", &[]);
            expect(&statement("sqlite", "INSERT OR REPLACE INTO t VALUES (1)"), &[("name", "INSERT t")]);
            postgres("SELECT $$s$$ FROM t", "SELECT t", &[("db.query.text", "SELECT ? FROM t")]);
        }),
    ]
}
