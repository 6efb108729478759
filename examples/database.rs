//! Queries as spans without any code: sqlx emits an event for each, which the layer records.
//!
//! `cargo run --example database` starts a service with a SQLite database, asks it for a price, and
//! prints the trace: both queries are in it, with their statements without values, rows and times.
//! It is the same with sqlx's other databases, and with `sea-orm`, whose queries are sqlx's.

use std::error::Error;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Router, routing::get};
use sentrace::prelude::*;
use sentrace::tracing::SentryRequestSpanLayer;
use sentrace_collector::{Collector, waterfall};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::net::TcpListener;
use tracing_subscriber::{filter::LevelFilter, fmt, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let collector = Collector::start("127.0.0.1:0").await?; // stands in for Sentry
    let options = Options::new().dsn(collector.dsn("1")).release("prices@1.0.0").traces_sample_rate(1.0);
    let _sentrace = sentrace::init(options)?;

    // sqlx emits events for queries at DEBUG. The log does not need them, but the other layer does.
    tracing_subscriber::registry()
        .with(fmt::layer().with_filter(LevelFilter::INFO))
        .with(sentrace::tracing::layer().with_filter(LevelFilter::DEBUG))
        .init();

    // One connection, because each has its own in-memory database.
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::raw_sql("CREATE TABLE prices (id INTEGER, price REAL); INSERT INTO prices VALUES (7, 12.5)")
        .execute(&pool)
        .await?;

    // SQLite's queries run on a thread of sqlx. The span that this layer opens for each request
    // connects them to the request.
    let app = Router::new()
        .route("/prices/{id}", get(price))
        .with_state(pool)
        .layer(SentryRequestSpanLayer::new())
        .layer(SentryTracingLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, app).into_future());

    reqwest::get(format!("{url}/prices/7")).await?;

    collector.wait_for(|store| !store.traces().is_empty(), Duration::from_secs(5)).await;
    for trace in collector.traces().iter().filter_map(|trace| collector.trace(trace.id)) {
        println!("{}", waterfall::render(&trace, waterfall::Options::default()));
    }
    Ok(())
}

async fn price(Path(id): Path<u64>, State(pool): State<SqlitePool>) -> Result<String, StatusCode> {
    let failed = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let price: Option<f64> = sqlx::query_scalar("SELECT price FROM prices WHERE id = ?")
        .bind(id as i64)
        .fetch_optional(&pool)
        .await
        .map_err(failed)?;
    let price = price.ok_or(StatusCode::NOT_FOUND)?;
    sqlx::query("UPDATE prices SET price = price + 0.5 WHERE id = ?")
        .bind(id as i64)
        .execute(&pool)
        .await
        .map_err(failed)?;
    Ok(format!("{price:.2}"))
}
