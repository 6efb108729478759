//! Fields that are secrets, or hold some.

use std::collections::BTreeMap;
use std::error::Error;
use std::{fmt, io};

use sentrace_protocol::Value;
use tracing::field::Empty;
use tracing::{Span, error, info_span, instrument};

use crate::support::{record, record_with};

/// Opens spans; a table keeps several.
type Open = fn() -> Span;

#[derive(Debug)]
#[expect(dead_code, reason = "it is formatted")]
struct Login {
    user: &'static str,
    password: Option<&'static str>,
    api_key: u64,
}

#[derive(Debug)]
#[expect(dead_code, reason = "it is formatted")]
struct Password(&'static str);

#[derive(Debug)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GET https://me:hush@example.test/?token=hush failed")
    }
}

impl Error for Failed {}

#[test]
fn arguments_that_are_secrets_are_filtered() {
    #[instrument]
    fn login(user: &str, password: &str, api_key: String, pin_token: u64, authenticated: bool, creds: Login) {
    }

    let captured = record(|| {
        let creds = Login { user: "eve", password: Some("hush"), api_key: 1234 };
        login("eve", "hush", "hush".to_owned(), 1234, true, creds);
    });
    let span = captured.expect_span("login");
    let rows: [(&str, Value<'_>); 6] = [
        ("user", "eve".into()),
        ("password", "[Filtered]".into()),
        ("api_key", "[Filtered]".into()),
        ("pin_token", "[Filtered]".into()),
        ("authenticated", true.into()),
        ("creds", "Login { user: \"eve\", password: [Filtered], api_key: [Filtered] }".into()),
    ];
    for (name, expected) in rows {
        assert_eq!(span.data.get(name), Some(&expected), "{name}");
    }
}

#[test]
fn no_field_shows_a_secret() {
    let headers =
        || BTreeMap::from([("host", "a.test"), ("authorization", "Bearer hush"), ("x-api-key", "hush")]);
    let rows: [(Open, &str); _] = [
        (|| info_span!("s", authorization = "Bearer hush"), "a header by name"),
        (|| info_span!("s", header = "Bearer hush"), "a header by its value"),
        (|| info_span!("s", header = ?Some("Bearer hush")), "a header that may be there"),
        (|| info_span!("s", http.request.header.cookie = "a=hush"), "OpenTelemetry's name"),
        (|| info_span!("s", http.url = "https://u:hush@h.test/?token=hush"), "a URL"),
        (|| info_span!("s", url = %"https://h.test/?X-Amz-Signature=hush&page=2"), "a presigned URL"),
        (|| info_span!("s", uri = %"/reset?code=hush"), "a path with a query, as tower-http's spans have it"),
        (|| info_span!("s", url.query = "token=hush"), "a query"),
        (|| info_span!("s", database = "postgres://u:hush@db/shop"), "another scheme"),
        (|| info_span!("s", note = "sent eyJhbGciOiJIUzI1NiJ9.hush.hush to b"), "a JSON Web Token"),
        (|| info_span!("s", body = r#"{"password": "hush", "n": 1}"#), "JSON"),
        (|| info_span!("s", body = "user=eve&password=hush"), "a form"),
        (|| info_span!("s", entered = ?Password("hush")), "a type"),
        (|| info_span!("s", error = &Failed as &(dyn Error + 'static)), "an error"),
        (|| info_span!("s", error = &io::Error::other(Failed) as &(dyn Error + 'static)), "its cause"),
        (|| info_span!("s", tags.session = "hush"), "a tag"),
        (|| info_span!("s", tags.url = "https://u:hush@h.test"), "a tag that is a URL"),
        (|| info_span!("s", otel.name = "GET https://u:hush@h.test"), "a name"),
        (|| info_span!("s", otel.status_description = "no https://u:hush@h.test"), "a status"),
        (|| info_span!("s", db.query.parameter.id = "hush"), "a value bound to a query"),
        (|| info_span!("s", sql = "SELECT 'hush'"), "a statement by another name"),
        (|| info_span!("s", db.statement = "SELECT 'hush'"), "a statement"),
        (|| info_span!("s", db.statement = %"SELECT \"hush\""), "a statement with odd quotes"),
        (
            || info_span!("s", db.system = "mysql", db.statement = r#"SELECT "hush", 'it\'s', "hush""#),
            "of MySQL",
        ),
        (
            || info_span!("s", db.statement = "SET session hush", db.system = "redis"),
            "a command that is not SQL",
        ),
        (
            || {
                let span = info_span!("s", password = Empty, url = Empty);
                span.record("password", "hush");
                span.record("url", "https://u:hush@h.test");
                span
            },
            "fields that come later",
        ),
        (
            || {
                let span = info_span!("s");
                span.in_scope(|| error!(error = %Failed, "no https://u:hush@h.test, password: \"hush\""));
                span
            },
            "an event",
        ),
    ];
    for (open, reason) in rows {
        let captured = record(|| drop(open()));
        let span = &captured.transaction.spans[0];
        let shown = format!("{:?} {:?} {:?}", span.description, span.data, span.tags);
        assert!(!shown.contains("hush"), "{reason}: {shown}");
        assert!(
            shown.contains("[Filtered]") || shown.contains('?') || shown.contains("SET"),
            "{reason}: {shown}"
        );
    }
    let captured = record(|| drop(info_span!("s", headers = ?headers())));
    let shown = r#"{"authorization": [Filtered], "host": "a.test", "x-api-key": [Filtered]}"#;
    assert_eq!(captured.transaction.spans[0].data.get("headers"), Some(&shown.into()));
}

#[test]
fn names_of_transactions_are_filtered_too() {
    let (client, capture) = crate::support::recording();
    let _default = crate::support::subscribe(sentrace_tracing::layer().client(client));
    drop(info_span!("job", sentry.transaction = "import https://u:hush@h.test/"));
    let name = &capture.take().remove(0).transaction.name;
    assert_eq!(name, "import https://[Filtered]:[Filtered]@h.test/");
}

#[test]
fn what_is_no_secret_stays() {
    let captured = record_with(sentrace_tracing::layer(), || {
        drop(info_span!(
            "s",
            cache.key = "cart:7",
            gen_ai.usage.input_tokens = 7,
            error = "invalid token: eof",
            user = "eve"
        ));
    });
    let rows: [(&str, Value<'_>); 4] = [
        ("cache.key", "cart:7".into()),
        ("gen_ai.usage.input_tokens", 7.into()),
        ("error", "invalid token: eof".into()),
        ("user", "eve".into()),
    ];
    for (name, expected) in rows {
        assert_eq!(captured.transaction.spans[0].data.get(name), Some(&expected), "{name}");
    }
}
