//! Which traces are continued: `strict_trace_continuation` and `org_id`.

use sentrace_core::Options;

use crate::support::{UNSAMPLED, carried, client, context_of, continued, is_the_callers};

/// How this service knows its own organization.
#[derive(Debug, Clone, Copy)]
enum Own {
    Unknown,
    Dsn(&'static str),
    Option(&'static str),
    Both { dsn: &'static str, option: &'static str },
}

impl Own {
    fn options(self) -> Options {
        let dsn = |host: &str| Options::new().dsn(format!("https://key@{host}/1"));
        let hosted = |org_id: &str| dsn(&format!("o{org_id}.ingest.test"));
        match self {
            Self::Unknown => dsn("ingest.test"),
            Self::Dsn(org_id) => hosted(org_id),
            Self::Option(org_id) => dsn("ingest.test").org_id(org_id),
            Self::Both { dsn, option } => hosted(dsn).org_id(option),
        }
        .traces_sample_rate(1.0)
    }
}

fn is_continued(incoming: Option<&str>, own: Own, strict: bool) -> bool {
    let (client, capture) = client(own.options().strict_trace_continuation(strict));
    let baggage = incoming.map_or("sentry-release=theirs".to_owned(), |org_id| {
        format!("sentry-release=theirs,sentry-org_id={org_id}")
    });
    let trace = continued(&client, &[("sentry-trace", UNSAMPLED), ("baggage", &baggage)]);
    let is_continued = is_the_callers(&trace);
    let transaction = trace.start_transaction("work", "task");
    // The caller's decision and baggage are accepted or rejected with its trace.
    assert_eq!(transaction.sampled(), Some(!is_continued));
    assert_eq!(transaction.baggage().as_deref() == Some(&*baggage), is_continued);
    transaction.finish();
    assert_eq!(capture.take().len(), usize::from(!is_continued));
    is_continued
}

#[test]
fn traces_go_on_by_the_table() {
    let rows = [
        (Some("1"), Own::Dsn("1"), false, true, "the same"),
        (None, Own::Dsn("1"), false, true, "theirs is unknown"),
        (Some("1"), Own::Unknown, false, true, "ours is unknown"),
        (None, Own::Unknown, false, true, "both are unknown"),
        (Some("1"), Own::Dsn("2"), false, false, "different, always refused"),
        (Some("1"), Own::Dsn("1"), true, true, "the same, strict"),
        (None, Own::Dsn("1"), true, false, "theirs is unknown, strict"),
        (Some("1"), Own::Unknown, true, false, "ours is unknown, strict"),
        (None, Own::Unknown, true, true, "both are unknown, strict"),
        (Some("1"), Own::Dsn("2"), true, false, "different, strict"),
    ];
    for (incoming, own, strict, expected, reason) in rows {
        assert_eq!(is_continued(incoming, own, strict), expected, "{reason}");
    }
}

#[test]
fn strictness_is_off_unless_it_is_asked_for() {
    let (client, _) = client(Options::new().org_id("1"));
    let trace = continued(&client, &[("sentry-trace", UNSAMPLED), ("baggage", "sentry-release=theirs")]);
    assert!(is_the_callers(&trace), "theirs is unknown");
}

#[test]
fn the_option_goes_before_the_dsn() {
    let rows = [
        (Own::Option("1"), true, "the option alone"),
        (Own::Both { dsn: "2", option: "1" }, true, "the option is the caller's"),
        (Own::Both { dsn: "1", option: "2" }, false, "the DSN is the caller's"),
        (Own::Both { dsn: "1", option: "" }, true, "an empty option is as good as unset"),
    ];
    for (own, expected, reason) in rows {
        assert_eq!(is_continued(Some("1"), own, true), expected, "{reason}");
    }
}

#[test]
fn organisations_are_compared_as_they_are_meant() {
    let rows = [
        ("%31", Own::Option("1"), true, "percent-encoded"),
        ("our%20own", Own::Option("our own"), true, "what needs encoding"),
        (" 1 ;p=1", Own::Option("1"), true, "blanks and properties"),
        ("", Own::Option("1"), false, "an empty one is none, and strict asks for one"),
        ("%zz", Own::Option("1"), false, "what cannot be decoded is none"),
    ];
    for (incoming, own, expected, reason) in rows {
        assert_eq!(is_continued(Some(incoming), own, true), expected, "{reason}");
    }
}

#[test]
fn ours_goes_out_with_traces_that_begin_here() {
    let rows = [
        (Own::Dsn("7"), Some("7")),
        (Own::Option("8"), Some("8")),
        (Own::Both { dsn: "7", option: "8" }, Some("8")),
        (Own::Option("our own"), Some("our own")),
        (Own::Unknown, None),
    ];
    for (own, expected) in rows {
        let (client, _) = client(own.options());
        assert_eq!(context_of(&carried(&client.start_new_trace())).get("org_id"), expected, "{own:?}");
    }
}
