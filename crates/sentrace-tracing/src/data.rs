//! The fields of a span as its data, each by its type.

use std::error::Error;
use std::fmt;

use sentrace_core::{SpanRef, Transaction};
use sentrace_protocol::sensitive::{FILTERED, is_sensitive_field};
use sentrace_protocol::sql::{Dialect, parameterise};
use sentrace_protocol::{SpanStatus, TransactionSource, Value};
use tracing::field::{Field, Visit};

use crate::keys::key;
use crate::text::{filtered, shown, with_text};

/// How many causes of an error are told.
const MAX_CAUSES: usize = 16;

/// Records fields on a span, at its start and later.
pub(crate) struct Data<'a> {
    pub(crate) span: &'a SpanRef,
    /// The transaction whose own span it is, if it is one.
    pub(crate) transaction: Option<&'a Transaction>,
    /// Whether the span starts with these fields, which have been asked for its name and kind already.
    pub(crate) starting: bool,
    /// Whether somebody named the span.
    pub(crate) named: bool,
    /// Whether the span told the statement that it runs.
    pub(crate) statement: bool,
    /// Whose SQL that is, as far as the span told.
    pub(crate) dialect: Dialect,
}

impl<'a> Data<'a> {
    pub(crate) fn new(span: &'a SpanRef, transaction: Option<&'a Transaction>) -> Self {
        Self { span, transaction, starting: false, named: false, statement: false, dialect: Dialect::Unknown }
    }

    /// Sets what is a number: behind the name of a secret it may be one.
    fn set<'v, V: Into<Value<'v>> + ToString>(&self, field: &Field, value: V) {
        match field.name().strip_prefix("tags.") {
            Some(tag) if is_sensitive_field(tag) => self.span.set_tag(tag, FILTERED),
            Some(tag) => self.span.set_tag(tag, value.to_string()),
            None if is_sensitive_field(field.name()) => self.span.set_data(key(field.name()), FILTERED),
            None => self.span.set_data(key(field.name()), value),
        }
    }

    fn set_text(&self, field: &Field, value: &str) {
        match field.name().strip_prefix("tags.") {
            Some(tag) => self.span.set_tag(tag, shown(tag, value)),
            None => self.span.set_data(key(field.name()), shown(field.name(), value)),
        }
    }

    fn rename(&mut self, name: &str) {
        if name.is_empty() {
            return;
        }
        self.named = true;
        if self.starting {
            return;
        }
        let name = &*filtered(name);
        match self.transaction {
            Some(transaction) => transaction.set_name(name, TransactionSource::Custom),
            None => self.span.set_description(name),
        }
    }

    /// Records a statement that may be formatted by `Debug`: then it is in double quotes, which names are for some databases.
    #[cold]
    fn record_formatted(&mut self, field: &Field, text: &str) {
        let inner = text.strip_prefix("Some(").and_then(|text| text.strip_suffix(')')).unwrap_or(text);
        if inner.starts_with('"') {
            return self.record_str(field, &unquoted(inner));
        }
        let dialect = self.dialect;
        let word = text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        if word.starts_with(['(', '{']) || word.starts_with(" {") {
            // A type around it. What is in double quotes there is no name.
            self.dialect = Dialect::Unknown;
        }
        self.record_str(field, text);
        self.dialect = dialect;
    }

    fn run(&mut self, sql: &str) {
        let sql = parameterise(sql, self.dialect);
        self.statement = true;
        if sql.is_empty() {
            return;
        }
        // A statement tells more than the name of the code that runs it.
        if !self.named && self.transaction.is_none() {
            self.span.set_derived_description(&sql);
        }
        if self.transaction.is_none() {
            // That it ended does not say that the statement succeeded.
            self.span.leave_status_unset();
        }
        self.span.set_data("db.query.text", sql);
    }
}

impl Visit for Data<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "sentry.op" if !self.starting && !value.is_empty() => self.span.set_op(value.to_owned()),
            "sentry.name" | "otel.name" => self.rename(value),
            "sentry.op" | "sentry.trace" | "sentry.baggage" | "sentry.transaction" => {}
            "sentry.status" => {
                if let Ok(status) = value.parse() {
                    self.span.set_status(status);
                }
            }
            "otel.status_code" if value.eq_ignore_ascii_case("error") => {
                self.span.set_status(SpanStatus::InternalError);
            }
            "otel.status_code" if value.eq_ignore_ascii_case("ok") => self.span.set_status(SpanStatus::Ok),
            "otel.status_code" => {}
            "otel.status_description" => self.span.set_data("error.message", filtered(value)),
            "db.statement" | "db.query.text" if !value.is_empty() => self.run(value),
            "db.statement" | "db.query.text" => self.span.set_data("db.query.text", value),
            "otel.kind" => self.span.set_data("sentry.kind", filtered(&value.to_ascii_lowercase())),
            "sql" => self.span.set_data("sql", parameterise(value, self.dialect)),
            "db.system" | "db.system.name" => {
                self.dialect = Dialect::of_system(value);
                self.set_text(field, value);
            }
            name if name.starts_with("db.query.parameter.") => self.span.set_data(field.name(), FILTERED),
            _ => self.set_text(field, value),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name().strip_prefix("tags.") {
            _ if field.name() == "sentry.transaction" => {}
            // Whether there is a secret is none.
            Some(tag) => self.span.set_tag(tag, value.to_string()),
            None => self.span.set_data(field.name(), value),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        with_text(format_args!("{value}"), |text| self.record_str(field, text));
        let mut causes = Vec::new();
        let mut cause = value.source();
        while let Some(error) = cause.filter(|_| causes.len() < MAX_CAUSES) {
            causes.push(with_text(format_args!("{error}"), |text| shown(field.name(), text).into_owned()));
            cause = error.source();
        }
        if !causes.is_empty() {
            self.span.set_data([field.name(), ".chain"].concat(), causes);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        with_text(format_args!("{value:?}"), |text| match field.name() {
            "db.statement" | "db.query.text" | "sql" => self.record_formatted(field, text),
            _ => self.record_str(field, text),
        });
    }
}

/// The text that `Debug` wrote in double quotes, perhaps cut.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().skip(1);
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n' | 'r' | 't') => out.push('\n'),
                Some(escaped) => out.push(escaped),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}
