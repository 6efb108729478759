//! Options from the settings of the official client.

use std::sync::atomic::AtomicBool;

use sentrace_core::{Options, diagnostics};
use sentry_core::{Client, TracesSamplingStrategy};

/// Creates options from the settings of the official client: DSN, release, environment, server name, organisation, strict
/// continuation, proxy and shutdown timeout.
///
/// Sample rates and propagation targets are not copied: only one of the two SDKs records traces, and it is this one. Leave
/// `traces_sample_rate` and `traces_sampler` of the official client unset; otherwise there is a warning.
///
/// ```no_run
/// use sentrace_core::Origin;
///
/// let sentry = sentry::init(sentry::ClientOptions::new().release("shop@1.4.0"));
/// let options = sentrace_sentry::options_from(&sentry)
///     .traces_sample_rate(0.25)
///     .tracing_origins([Origin::host("api.example.com")]);
/// // let _sentrace = sentrace::init(options)?;
/// # drop(options);
/// ```
pub fn options_from(client: &Client) -> Options {
    let of = client.options();
    warn_of_two_recorders(&of.traces_sampling_strategy);
    let mut options = Options::new()
        .strict_trace_continuation(of.strict_trace_continuation)
        .shutdown_timeout(of.shutdown_timeout);
    if let Some(release) = &of.release {
        options = options.release(&**release);
    }
    if let Some(environment) = &of.environment {
        options = options.environment(&**environment);
    }
    if let Some(server_name) = &of.server_name {
        options = options.server_name(&**server_name);
    }
    if let Some(org_id) = of.org_id {
        options = options.org_id(org_id.to_string());
    }
    let Some(dsn) = &of.dsn else { return options };
    let proxy = if dsn.scheme().to_string() == "https" { &of.https_proxy } else { &of.http_proxy };
    if let Some(proxy) = proxy {
        options = options.proxy(&**proxy);
    }
    options.dsn(dsn.to_string())
}

/// If both record, each request is recorded and paid for twice, in unrelated traces.
fn warn_of_two_recorders(strategy: &TracesSamplingStrategy) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if let Some(option) = records_traces(strategy) {
        diagnostics::warn_once(
            &WARNED,
            format_args!(
                "the official `sentry` client records traces, too ({option}): each request may be reported twice; \
                 leave traces_sample_rate and traces_sampler unset in its ClientOptions"
            ),
        );
    }
}

/// Returns the option that makes the official client record traces, if there is one.
fn records_traces(strategy: &TracesSamplingStrategy) -> Option<String> {
    match strategy {
        TracesSamplingStrategy::FixedRate(rate) if *rate > 0.0 => Some(format!("traces_sample_rate {rate}")),
        TracesSamplingStrategy::Function(_) => Some("it has a traces_sampler".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use sentry::ClientOptions;

    use super::*;

    #[test]
    fn what_the_official_client_knows_is_taken_over() {
        let official = ClientOptions::new()
            .dsn("https://key@o7.ingest.example.com/42")
            .release("shop@1.4.0")
            .environment("staging")
            .server_name("shop-1")
            .https_proxy("http://proxy.example.com:3128");
        let options = options_from(&official.into());
        let dsn = options.delivery().dsn.unwrap();
        assert_eq!((dsn.public_key(), dsn.project_id(), dsn.org_id()), ("key", "42", Some("7")));
        assert_eq!(options.delivery().proxy, Some("http://proxy.example.com:3128"));
        let (client, capture) =
            sentrace_core::testing::Capture::client(options.traces_sample_rate(1.0)).unwrap();
        client.start_transaction("work", "task").finish();
        let transaction = capture.expect_transaction("work").transaction;
        assert_eq!(transaction.release.as_deref(), Some("shop@1.4.0"));
        assert_eq!(transaction.environment.as_deref(), Some("staging"));
        assert_eq!(transaction.server_name.as_deref(), Some("shop-1"));
    }

    #[test]
    fn an_official_client_that_records_traces_is_warned_about_once() {
        static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
        diagnostics::set_handler(|_, message| SAID.lock().unwrap().push(message.to_owned()));
        let said = || SAID.lock().unwrap().iter().filter(|it| it.contains("traces_sample_rate")).count();
        let table = [
            (ClientOptions::new(), None, "tracing is off there"),
            (ClientOptions::new().traces_sample_rate(0.0), None, "nothing is recorded there"),
            (ClientOptions::new().traces_sample_rate(0.5), Some("0.5"), "a rate"),
            (ClientOptions::new().traces_sampler(|_| 1.0), Some("traces_sampler"), "a function"),
        ];
        for (official, expected, reason) in table {
            let named = records_traces(&official.traces_sampling_strategy);
            assert_eq!(named.is_some(), expected.is_some(), "{reason}");
            assert!(
                expected.is_none_or(|expected| named.is_some_and(|it| it.contains(expected))),
                "{reason}"
            );
            let before = said();
            options_from(&official.into());
            assert!(expected.is_some() || said() == before, "{reason}");
        }
        assert_eq!(said(), 1, "once for the process");
    }

    #[test]
    fn a_disabled_client_leaves_tracing_without_a_project() {
        let options = options_from(&ClientOptions::new().https_proxy("http://proxy.example.com:3128").into());
        assert!(options.delivery().dsn.is_none());
        assert!(options.validated().is_ok());
    }

    #[test]
    fn the_proxy_is_that_of_the_scheme() {
        let official = || ClientOptions::new().https_proxy("http://tls.example.com:1");
        let plain = official().dsn("http://key@example.com/1");
        assert_eq!(options_from(&plain.into()).delivery().proxy, None, "there is none for http");
        let secure = official().dsn("https://key@example.com/1");
        assert_eq!(options_from(&secure.into()).delivery().proxy, Some("http://tls.example.com:1"));
    }
}
