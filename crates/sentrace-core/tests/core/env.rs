//! Traces of subprocesses.

use std::collections::HashMap;
use std::process::{Command, Stdio};

use sentrace_core::Options;
use sentrace_core::carriers::env::{TracedCommand, variables};
use sentrace_protocol::{SpanStatus, Value};

use crate::support::{PARENT_ID, SENTRY_TRACE, TRACE_ID, only, recording, recording_with};

/// Returns what `prepare` has set on a command; `None` for what the child must not inherit.
fn prepared(command: &Command) -> HashMap<String, Option<String>> {
    let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    command.get_envs().map(|(name, value)| (text(name), value.map(text))).collect()
}

#[test]
fn a_prepared_command_carries_a_span_of_its_own() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let mut command = Command::new("send-mail");
    let span = transaction.enter(|| command.prepare());
    let variables = prepared(&command);
    let expected = span.sentry_trace().unwrap().to_string();
    assert_eq!(variables["SENTRY_TRACE"].as_deref(), Some(&*expected));
    assert_eq!(variables["SENTRY_BAGGAGE"], span.baggage());
    span.finish();
    transaction.finish();
    let spans = only(&capture).transaction.spans;
    assert_eq!((&*spans[0].op, spans[0].description.as_deref()), ("subprocess", Some("send-mail")));
}

#[test]
fn a_trace_without_baggage_leaves_no_older_baggage_to_the_child() {
    let (client, _) = recording();
    let trace = client.continue_trace(&[("sentry-trace", SENTRY_TRACE)]);
    let mut command = Command::new("send-mail");
    // As if this process had been started with a trace itself: children inherit it.
    command.env("SENTRY_BAGGAGE", "sentry-release=of_another_trace");
    let _span = trace.enter(|| command.prepare());
    let variables = prepared(&command);
    assert!(variables["SENTRY_TRACE"].as_deref().unwrap().starts_with(TRACE_ID));
    assert_eq!(variables["SENTRY_BAGGAGE"], None);
}

#[test]
fn where_nothing_is_initialised_commands_stay_as_they_are() {
    let mut command = Command::new("send-mail");
    assert!(command.prepare().is_none());
    assert_eq!(command.get_envs().count(), 0);
}

#[test]
fn a_real_child_finds_the_trace() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let (child, span) = transaction.enter(|| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $SENTRY_TRACE; echo $SENTRY_BAGGAGE"]).stdout(Stdio::piped());
        command.spawn_traced().unwrap()
    });
    let pid = child.id();
    let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let (sentry_trace, baggage) = (span.sentry_trace().unwrap(), span.baggage().unwrap());
    assert_eq!(told, format!("{sentry_trace}\n{baggage}\n"));
    span.finish();
    transaction.finish();
    let span = only(&capture).transaction.spans.remove(0);
    assert_eq!(span.data.get("process.pid"), Some(&Value::from(pid)));

    // The child's side: its own client reads the variables.
    let variables: HashMap<_, _> = [
        ("SENTRY_TRACE", sentry_trace.to_string()),
        ("SENTRY_BAGGAGE", baggage),
        ("SENTRY_RELEASE", "child".into()),
    ]
    .into();
    let options = Options::from_vars(|name| variables.get(name).cloned()).traces_sample_rate(0.0);
    let (child, child_capture) = recording_with(options);
    child.start_transaction("send mail", "task").finish();
    let captured = only(&child_capture);
    assert_eq!(captured.transaction.trace.trace_id, sentry_trace.trace_id);
    assert_eq!(captured.transaction.trace.parent_span_id, Some(span.span_id));
}

#[test]
fn a_command_that_cannot_be_started_says_so() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let failed = transaction.enter(|| Command::new("/no/such/program").spawn_traced().map(drop));
    assert_eq!(failed.unwrap_err().kind(), std::io::ErrorKind::NotFound, "the error is the system's own");
    transaction.finish();
    let span = only(&capture).transaction.spans.remove(0);
    assert_eq!(span.status, Some(SpanStatus::InternalError));
    assert_eq!(span.data.get("error.type"), Some(&Value::from("entity not found")));
}

#[test]
fn variables_are_those_of_the_span() {
    let (client, _) = recording();
    let trace = client.continue_trace(&[("sentry-trace", SENTRY_TRACE), ("baggage", "sentry-release=a")]);
    let transaction = trace.start_transaction("work", "task");
    let pairs: Vec<_> = variables(&transaction).collect();
    let expected = [
        ("SENTRY_TRACE", transaction.sentry_trace().unwrap().to_string()),
        ("SENTRY_BAGGAGE", "sentry-release=a".to_owned()),
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn the_environments_trace_belongs_to_what_runs_outside_requests_only() {
    let vars = |name: &str| (name == "SENTRY_TRACE").then(|| SENTRY_TRACE.to_owned());
    let (client, capture) = recording_with(Options::from_vars(vars).traces_sample_rate(1.0));
    let outside = client.start_transaction("command", "task");
    assert_eq!(outside.trace_id().unwrap().to_string(), TRACE_ID);
    outside.finish();
    assert_eq!(only(&capture).transaction.trace.parent_span_id.unwrap().to_string(), PARENT_ID);

    let none: [(&str, &str); 0] = [];
    let requests = [
        (client.continue_trace(&none[..]), "a request without a trace"),
        (client.start_new_trace(), "a trace that was asked for"),
    ];
    for (request, reason) in requests {
        assert_ne!(request.trace_id().unwrap().to_string(), TRACE_ID, "{reason}");
        request.enter(|| {
            let inside = client.start_transaction("inside", "task");
            assert_eq!(inside.trace_id(), request.trace_id(), "{reason}");
        });
    }
}

#[test]
fn nonsense_in_the_environment_is_as_good_as_absent() {
    for nonsense in ["", " ", "nonsense", "00000000000000000000000000000000-0000000000000000-1"] {
        let vars = |name: &str| name.starts_with("SENTRY_TRACE").then(|| nonsense.to_owned());
        let options = Options::from_vars(|name| if name == "SENTRY_TRACE" { vars(name) } else { None });
        let (client, capture) = recording_with(options.traces_sample_rate(1.0));
        client.start_transaction("command", "task").finish();
        assert_eq!(only(&capture).transaction.trace.parent_span_id, None, "{nonsense:?}");
    }
}
