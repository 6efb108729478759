//! sqlx's queries as `db.query` spans.
//!
//! sqlx tells of a query when it is done, in one event: `db.statement`, or `summary` alone where the statement has
//! four words or fewer, how many rows there were, and how long it took.

mod system;

use std::fmt;
use std::time::{Duration, Instant};

use sentrace_core::SpanRef;
use sentrace_core::adapter::InstrumentedSpan;
use sentrace_protocol::sql::{self, Dialect};
use tracing::Event;
use tracing::field::{Field, Visit};

/// Where sqlx's events come from.
const TARGET: &str = "sqlx::query";
const ORIGIN: &str = "auto.db.sqlx";

/// Whether an event tells of a query.
pub(crate) fn is_query(event: &Event<'_>) -> bool {
    event.metadata().target() == TARGET
}

/// What sqlx told of a query.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Without literals.
    sql: String,
    dialect: Dialect,
    system: Option<&'static str>,
    rows_affected: Option<u64>,
    rows_returned: Option<u64>,
    elapsed: Option<Duration>,
}

impl Query {
    /// `system` is the database, if it is known. `None` for events that tell of no statement, as a pool's pings.
    pub(crate) fn of(event: &Event<'_>, system: Option<&'static str>) -> Option<Self> {
        let system = system.or_else(system::of_thread);
        let dialect = system.map(Dialect::of_system).unwrap_or_default();
        let mut query = Self { system, dialect, ..Self::default() };
        event.record(&mut query);
        (!query.sql.is_empty()).then_some(query)
    }

    /// Whether an event tells of a statement; asked where the statement itself is not needed.
    pub(crate) fn is_told_by(event: &Event<'_>) -> bool {
        let mut told = Told(false);
        event.record(&mut told);
        told.0
    }

    /// Adds the span that the query was, below `parent`.
    pub(crate) fn record_below(&self, parent: &SpanRef) {
        let now = Instant::now();
        let start = self.elapsed.and_then(|elapsed| now.checked_sub(elapsed)).unwrap_or(now);
        let attributes = [
            ("db.query.text", self.sql.as_str().into()),
            ("db.system.name", self.system.unwrap_or_default().into()),
        ];
        let known = 1 + usize::from(self.system.is_some());
        let span = InstrumentedSpan {
            attributes: &attributes[..known],
            start: Some(start),
            ..InstrumentedSpan::new("db.query", ORIGIN, &self.sql)
        }
        .start(parent);
        // sqlx tells of queries that failed, too, but not that they did.
        span.leave_status_unset();
        self.record_rows(&span);
    }

    /// Adds what a span does not know that somebody else opened for this query.
    pub(crate) fn record_rows(&self, span: &SpanRef) {
        if let Some(rows) = self.rows_affected {
            span.set_data("db.rows_affected", rows);
        }
        if let Some(rows) = self.rows_returned {
            span.set_data("db.rows_returned", rows);
        }
    }
}

impl Visit for Query {
    fn record_str(&mut self, field: &Field, value: &str) {
        // The statement comes after its summary, and is empty where that is all of it.
        if is_statement(field) && !sql::is_empty(value) {
            self.sql.clear();
            self.sql.push_str(&sql::parameterise(value, self.dialect));
            self.system = self.system.or_else(|| system::of_sql(value));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows_affected" => self.rows_affected = Some(value),
            "rows_returned" => self.rows_returned = Some(value),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.elapsed = Duration::try_from_secs_f64(value).ok();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Whether there was a statement.
struct Told(bool);

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 |= is_statement(field) && !sql::is_empty(value);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

fn is_statement(field: &Field) -> bool {
    matches!(field.name(), "summary" | "db.statement")
}
