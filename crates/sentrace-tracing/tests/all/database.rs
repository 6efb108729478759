//! Queries of real databases, without a line of code about tracing.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, EntityTrait};
use sentrace_core::testing::CapturedTransaction;
use sentrace_protocol::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, SqlitePool};
use tracing::{Instrument, info_span};

use crate::support::{recording, sampled, seconds, subscribe_everywhere};

const PRICE: &str = "SELECT price FROM cart WHERE id = ?";

async fn pool() -> SqlitePool {
    subscribe_everywhere();
    // One connection: each has a database of its own.
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE cart (id INTEGER PRIMARY KEY, price REAL); INSERT INTO cart VALUES (1, 12.5), (2, 7)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool
}

/// What `run` leaves in a transaction, in a bound span as the server layer opens them.
async fn record(run: impl Future<Output = ()>) -> CapturedTransaction {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let run = async { run.instrument(sentrace_tracing::bound_span()).await };
    transaction.scope(run).await;
    transaction.finish();
    capture.expect_transaction("work")
}

#[tokio::test]
async fn a_query_is_a_span() {
    let pool = pool().await;
    let captured = record(async {
        let price: f64 = sqlx::query_scalar(PRICE).bind(1).fetch_one(&pool).await.unwrap();
        assert_eq!(price, 12.5);
        sqlx::query("UPDATE cart SET price = 'free' WHERE id < 10").execute(&pool).await.unwrap();
    })
    .await;
    let select = captured.expect_span(PRICE);
    assert_eq!((&*select.op, &*select.origin), ("db.query", "auto.db.sqlx"));
    assert_eq!(select.parent_span_id, Some(captured.transaction.trace.span_id));
    let rows: [(&str, Value<'_>); 7] = [
        ("db.system.name", "sqlite".into()),
        ("db.query.text", PRICE.into()),
        ("db.query.summary", "SELECT cart".into()),
        ("db.operation.name", "SELECT".into()),
        ("sentry.kind", "client".into()),
        ("db.rows_returned", 1.into()),
        ("db.rows_affected", 0.into()),
    ];
    for (key, expected) in rows {
        assert_eq!(select.data.get(key), Some(&expected), "{key}");
    }
    let update = captured.expect_span("UPDATE cart SET price = ? WHERE id < ?");
    assert_eq!(update.data.get("db.rows_affected"), Some(&2.into()));
    let within = captured.transaction.start_timestamp..=captured.transaction.timestamp;
    for span in [select, update] {
        assert!(within.contains(&span.start_timestamp) && within.contains(&span.timestamp), "{span:?}");
    }
}

#[tokio::test]
async fn a_short_statement_is_told_whole() {
    let pool = pool().await;
    let captured = record(async {
        sqlx::query("SELECT id FROM cart").fetch_all(&pool).await.unwrap();
    })
    .await;
    let span = captured.expect_span("SELECT id FROM cart");
    assert_eq!(span.data.get("db.rows_returned"), Some(&2.into()));
}

#[tokio::test]
async fn a_query_takes_the_time_that_it_took() {
    const SLOW: &str =
        "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n";
    let pool = pool().await;
    let captured = record(async {
        sqlx::query(SLOW).bind(1).bind(300_000).fetch_one(&pool).await.unwrap();
    })
    .await;
    let span = captured.transaction.spans.first().unwrap();
    assert!(seconds(span) > 0.005, "{} s", seconds(span));
    let began = span.start_timestamp.0 >= captured.transaction.start_timestamp.0;
    assert!(began, "it began after its transaction");
}

#[tokio::test]
async fn a_query_is_below_the_span_it_was_sent_from() {
    let pool = pool().await;
    let captured = record(async {
        let load = async { sqlx::query(PRICE).bind(1).fetch_all(&pool).await.unwrap() };
        load.instrument(info_span!("load")).await;
    })
    .await;
    assert_eq!(captured.expect_span(PRICE).parent_span_id, Some(captured.expect_span("load").span_id));
}

#[tokio::test]
async fn a_span_that_told_its_statement_is_the_span_of_the_query() {
    let pool = pool().await;
    let captured = record(async {
        // As SeaORM opens them with its feature `tracing-spans`.
        let span = info_span!("orm", db.system = "sqlite", db.statement = tracing::field::Empty);
        span.record("db.statement", PRICE);
        sqlx::query(PRICE).bind(1).fetch_all(&pool).instrument(span).await.unwrap();
    })
    .await;
    let span = captured.expect_span(PRICE);
    assert_eq!(span.op, "db");
    assert_eq!(span.data.get("db.rows_returned"), Some(&1.into()));
    assert_eq!(captured.transaction.spans.len(), 1);
}

#[tokio::test]
async fn queries_of_several_requests_at_a_time_find_their_own() {
    let pool = pool().await;
    let requests = (0..8).map(|_| {
        record(async {
            for _ in 0..5 {
                sqlx::query(PRICE).bind(2).fetch_all(&pool).await.unwrap();
            }
        })
    });
    for captured in futures_util::future::join_all(requests).await {
        assert_eq!(captured.transaction.spans.len(), 5);
    }
}

#[tokio::test]
async fn a_query_that_fails_is_told_too_and_is_not_ok() {
    let pool = pool().await;
    let captured = record(async {
        sqlx::query("INSERT INTO cart (id) VALUES (?)").bind(1).execute(&pool).await.unwrap_err();
        // sqlx tells of a failed query after its answer; the next one on the connection comes after that.
        sqlx::query("SELECT id FROM cart").fetch_all(&pool).await.unwrap();
    })
    .await;
    assert_eq!(captured.expect_span("INSERT INTO cart (id) VALUES (?)").status, None);
}

#[tokio::test]
async fn queries_of_a_request_that_is_not_sampled_are_counted() {
    let pool = pool().await;
    let (client, capture) = sampled(0.0);
    let transaction = client.start_transaction("work", "task");
    let query = async {
        let span = sentrace_tracing::bound_span();
        sqlx::query(PRICE).bind(1).fetch_all(&pool).instrument(span).await.unwrap();
    };
    transaction.scope(query).await;
    assert_eq!(client.losses().take().iter().map(|lost| lost.quantity).sum::<u64>(), 1);
    transaction.finish();
    assert_eq!(capture.take().len(), 0);
}

#[tokio::test]
async fn a_database_in_a_file_and_another_level_make_no_difference() {
    subscribe_everywhere();
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.db"))
        .create_if_missing(true)
        .log_statements("info".parse().unwrap());
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let captured = record(async {
        sqlx::query("SELECT 1 AS one").fetch_one(&pool).await.unwrap();
    })
    .await;
    captured.expect_span("SELECT ? AS one");
}

mod cart {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "cart")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) price: f64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

async fn sea_orm() -> DatabaseConnection {
    subscribe_everywhere();
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let database = Database::connect(options).await.unwrap();
    database.execute_unprepared("CREATE TABLE cart (id INTEGER PRIMARY KEY, price REAL)").await.unwrap();
    database.execute_unprepared("INSERT INTO cart VALUES (1, 12.5)").await.unwrap();
    database
}

#[tokio::test]
async fn a_query_of_seaorm_is_a_span() {
    let database = sea_orm().await;
    let captured = record(async {
        let cart = cart::Entity::find_by_id(1).one(&database).await.unwrap().unwrap();
        assert_eq!(cart.price, 12.5);
    })
    .await;
    let select = captured
        .expect_span(r#"SELECT "cart"."id", "cart"."price" FROM "cart" WHERE "cart"."id" = ? LIMIT ?"#);
    assert_eq!(select.op, "db.query");
    assert_eq!(select.data.get("db.system.name"), Some(&"sqlite".into()));
    assert_eq!(select.data.get("db.rows_returned"), Some(&1.into()));
    assert_eq!(captured.transaction.spans.len(), 1);
}
