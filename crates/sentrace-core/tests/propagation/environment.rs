//! The environment of processes: read at startup, set for children.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use sentrace_core::Options;
use sentrace_core::carriers::env::TracedCommand;
use sentrace_protocol::Value;

use crate::support::{PARENT_ID, SAMPLED, TRACE_ID, client, continued, only, recording};

fn started_with(variables: &[(&str, &str)]) -> Options {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Options::from_vars(|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn the_environments_trace_is_continued_unless_it_is_forbidden() {
    let rows = [
        (None, true, "nothing said"),
        (Some(""), true, "an empty variable is as good as none"),
        (Some("true"), true, "allowed"),
        (Some("1"), true, "allowed"),
        (Some("anything"), true, "only what is false forbids"),
        (Some("false"), false, "forbidden"),
        (Some("FALSE"), false, "in any case"),
        (Some("f"), false, "forbidden"),
        (Some("no"), false, "forbidden"),
        (Some("n"), false, "forbidden"),
        (Some("off"), false, "forbidden"),
        (Some("0"), false, "forbidden"),
        (Some(" 0 "), false, "blanks around it"),
    ];
    for (allowed, expected, reason) in rows {
        let mut variables = vec![("SENTRY_TRACE", SAMPLED), ("SENTRY_BAGGAGE", "sentry-release=parent")];
        variables.extend(allowed.map(|value| ("SENTRY_USE_ENVIRONMENT", value)));
        let (client, capture) = client(started_with(&variables).traces_sample_rate(1.0));
        client.start_transaction("command", "task").finish();
        let captured = only(&capture);
        let parent = captured.transaction.trace.parent_span_id.map(|id| id.to_string());
        assert_eq!(parent.as_deref(), expected.then_some(PARENT_ID), "{reason}");
        let release = captured.dynamic_sampling_context.unwrap().get("release").map(str::to_owned);
        assert_eq!(release.as_deref(), expected.then_some("parent"), "{reason}");
    }
}

/// Returns what a command sets (`Some`) and removes (`None`).
fn changes(command: &Command) -> HashMap<String, Option<String>> {
    let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    command.get_envs().map(|(name, value)| (text(name), value.map(text))).collect()
}

#[test]
fn a_childs_variables_are_the_headers_and_nothing_else_is_touched() {
    let (client, _) = recording();
    let transaction = client.start_transaction("work", "task");
    let mut command = Command::new("send-mail");
    command.arg("--order=7").env("LANG", "C").current_dir("/");
    let span = transaction.enter(|| command.prepare());
    let headers: HashMap<_, _> = span.trace_headers().unwrap().into_iter().collect();
    let expected = HashMap::from([
        ("LANG".to_owned(), Some("C".to_owned())),
        ("SENTRY_TRACE".to_owned(), Some(headers["sentry-trace"].clone())),
        ("SENTRY_BAGGAGE".to_owned(), Some(headers["baggage"].clone())),
    ]);
    assert_eq!(changes(&command), expected);
    assert_eq!(command.get_args().collect::<Vec<_>>(), ["--order=7"]);
    assert_eq!(command.get_current_dir(), Some(std::path::Path::new("/")));
}

#[test]
fn without_a_transaction_a_child_still_gets_the_trace() {
    let (client, _) = client(Options::new());
    let trace = continued(&client, &[("sentry-trace", SAMPLED), ("baggage", "sentry-release=a")]);
    let mut command = Command::new("send-mail");
    let _span = trace.enter(|| command.prepare());
    assert_eq!(changes(&command)["SENTRY_TRACE"].as_deref(), Some(SAMPLED), "passed through");
    assert_eq!(changes(&command)["SENTRY_BAGGAGE"].as_deref(), Some("sentry-release=a"));
}

#[tokio::test]
async fn a_child_of_tokios_command_finds_the_trace() {
    let (client, capture) = recording();
    let transaction = client.start_transaction("work", "task");
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", "echo $SENTRY_TRACE; echo $SENTRY_BAGGAGE; exit 3"]).stdout(Stdio::piped());
    let span = transaction.enter(|| command.as_std_mut().prepare());
    let expected = format!("{}\n{}\n", span.sentry_trace().unwrap(), span.baggage().unwrap());
    let child = command.kill_on_drop(true).spawn().unwrap();
    let output =
        tokio::time::timeout(Duration::from_secs(30), child.wait_with_output()).await.unwrap().unwrap();
    span.set_data("process.exit.code", output.status.code().unwrap());
    span.finish();
    transaction.finish();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let span = only(&capture).transaction.spans.remove(0);
    assert_eq!((&*span.op, span.description.as_deref()), ("subprocess", Some("sh")));
    assert_eq!(span.data.get("process.exit.code"), Some(&Value::from(3)));

    // The child's side.
    let told: Vec<_> = expected.lines().collect();
    let variables = [("SENTRY_TRACE", told[0]), ("SENTRY_BAGGAGE", told[1])];
    let (child, child_capture) = crate::support::client(started_with(&variables).traces_sample_rate(0.0));
    child.start_transaction("send mail", "task").finish();
    assert_eq!(only(&child_capture).transaction.trace.parent_span_id, Some(span.span_id));
}

#[test]
fn a_request_never_joins_the_processs_trace() {
    let (client, _) = client(started_with(&[("SENTRY_TRACE", SAMPLED)]));
    let request = continued(&client, &[]);
    assert_ne!(request.trace_id().unwrap().to_string(), TRACE_ID);
    assert_eq!(client.process_trace().trace_id().unwrap().to_string(), TRACE_ID);
}
