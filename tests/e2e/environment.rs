//! Environments in which a service has to start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

use sentrace_tests::Ingest;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
const RATE: &str = "SENTRY_TRACES_SAMPLE_RATE";

/// Returns what the service prints and records with exactly these variables.
struct Ran {
    ok: bool,
    printed: String,
    recorded: usize,
    traces: Vec<String>,
}

async fn run(ingest: &Ingest, vars: BTreeMap<&str, OsString>, arguments: &[&str]) -> Ran {
    ingest.clear();
    let mut service = Command::new(env!("CARGO_BIN_EXE_sentrace-test-service"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("SENTRY_") || upper.ends_with("_PROXY") {
            service.env_remove(name);
        }
    }
    service.args(arguments).envs(vars);
    let output = tokio::task::spawn_blocking(move || service.output().unwrap()).await.unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
    // The process has ended, so nothing more will arrive.
    let traces: Vec<_> = ingest.traces(0).await.iter().map(|trace| trace.id.to_string()).collect();
    Ran {
        ok: output.status.success(),
        printed: stdout + &stderr,
        recorded: ingest.transactions().await,
        traces,
    }
}

/// A service whose configuration is valid except for one variable.
fn with(ingest: &Ingest, name: &'static str, value: OsString) -> BTreeMap<&'static str, OsString> {
    let dsn = ingest.dsn("1");
    let mut vars: BTreeMap<_, OsString> = [("SENTRY_DSN", dsn.into()), (RATE, "1".into())].into();
    vars.insert(name, value);
    vars
}

#[tokio::test]
async fn a_service_starts_in_any_environment_and_warns_once_of_what_is_wrong() {
    let ingest = Ingest::start();
    let dsn = ingest.dsn("1");
    let quoted = |text: &str| format!("\"{text}\"");
    // The variable, its value, whether the transaction is recorded, and the warning (empty: none).
    let rows: Vec<(&'static str, String, bool, &str)> = vec![
        (RATE, "1".into(), true, ""),
        (RATE, " 1 \n".into(), true, ""),
        (RATE, "\"1\"".into(), true, "quotes"),
        (RATE, "'1'".into(), true, "quotes"),
        (RATE, "50%".into(), false, "perhaps 0.5"),
        (RATE, "0,5".into(), false, "perhaps 0.5"),
        (RATE, "1.5".into(), false, "from 0 (nothing) to 1"),
        (RATE, "-1".into(), false, "from 0 (nothing) to 1"),
        (RATE, "NaN".into(), false, "from 0 (nothing) to 1"),
        (RATE, "always".into(), false, "always"),
        (RATE, "${RATE}".into(), false, "${RATE}"),
        (RATE, "x".repeat(10_000), false, "xxx"),
        (RATE, String::new(), false, ""),
        ("SENTRY_DSN", quoted(&dsn), true, "quotes"),
        ("SENTRY_DSN", format!("{dsn}/"), true, "`/` at the end"),
        ("SENTRY_DSN", format!("  {dsn}\n"), true, ""),
        ("SENTRY_DSN", String::new(), false, ""),
        ("SENTRY_DSN", quoted(""), false, ""),
        ("SENTRY_DSN", "changeme".into(), false, "not a DSN"),
        ("SENTRY_DSN", "https://o1.ingest.example.com/2".into(), false, "public key"),
        ("SENTRY_DSN", "https://key:SECRET@o1.ingest.example.com".into(), false, "project id"),
        ("SENTRY_DSN", "key:SECRET@o1.ingest.example.com/2".into(), false, "not a DSN"),
        ("SENTRY_RELEASE", quoted("shop@1"), true, "quotes"),
        ("SENTRY_RELEASE", String::new(), true, ""),
        ("SENTRY_ENVIRONMENT", quoted("staging"), true, "quotes"),
        ("SENTRY_ENVIRONMENT", " ".into(), true, ""),
        ("SENTRY_DEBUG", "loud".into(), true, "neither true nor false"),
        ("SENTRY_DEBUG", "false".into(), true, ""),
        ("SENTRY_SPOTLIGHT", "maybe".into(), true, "SENTRY_SPOTLIGHT"),
        ("SENTRY_SPOTLIGHT", "http://user:SECRET@".into(), true, "SENTRY_SPOTLIGHT"),
        ("SENTRY_SPOTLIGHT", "user:SECRET@host:8969".into(), true, "SENTRY_SPOTLIGHT"),
        ("SENTRY_USE_ENVIRONMENT", "perhaps".into(), true, "neither true nor false"),
        ("SENTRY_TRACE", "nonsense".into(), true, "sentry-trace"),
        ("SENTRY_TRACE", format!("'{TRACE}'"), true, "quotes"),
        ("SENTRY_BAGGAGE", ";;;=,,,".into(), true, ""),
        ("SENTRY_BAGGAGE", "x".repeat(100_000), true, ""),
        ("HTTP_PROXY", "nonsense proxy".into(), true, ""),
        ("ALL_PROXY", "socks5://user:SECRET@127.0.0.1:1".into(), true, ""),
        ("NO_PROXY", "*,,[".into(), true, ""),
    ];
    for (name, value, recorded, said) in rows {
        let reason = format!("{name}={:.60}", value.escape_debug());
        let ran = run(&ingest, with(&ingest, name, value.into()), &[]).await;
        let printed = &ran.printed;
        assert!(ran.ok && printed.contains("running"), "{reason}: {printed}");
        assert_eq!(ran.recorded, usize::from(recorded), "{reason}: {printed}");
        let warnings: Vec<_> = printed.lines().filter(|line| line.contains("warning: environment")).collect();
        assert_eq!(warnings.len(), usize::from(!said.is_empty()), "{reason}: {printed}");
        assert!(warnings.iter().all(|it| it.contains(name) && it.contains(said)), "{reason}: {printed}");
        assert!(!printed.contains("SECRET") && printed.len() < 2_000, "{reason}: {printed}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_service_starts_with_values_that_are_not_utf_8() {
    use std::os::unix::ffi::OsStringExt as _;

    let ingest = Ingest::start();
    for name in [
        "SENTRY_DSN",
        RATE,
        "SENTRY_RELEASE",
        "SENTRY_ENVIRONMENT",
        "SENTRY_DEBUG",
        "SENTRY_SPOTLIGHT",
        "SENTRY_USE_ENVIRONMENT",
        "SENTRY_TRACE",
        "SENTRY_BAGGAGE",
    ] {
        let value = OsString::from_vec(b"\xff\xfe1".to_vec());
        let Ran { ok, printed, .. } = run(&ingest, with(&ingest, name, value), &[]).await;
        assert!(ok && printed.contains("running"), "{name}: {printed}");
        let warnings: Vec<_> = printed.lines().filter(|line| line.contains("warning: environment")).collect();
        assert_eq!(warnings.len(), 1, "{name}: {printed}");
        assert!(warnings[0].contains(name) && warnings[0].contains("UTF-8"), "{name}: {printed}");
    }
}

#[tokio::test]
async fn each_wrong_variable_is_warned_about_and_the_others_count() {
    let ingest = Ingest::start();
    let mut vars = with(&ingest, RATE, "50%".into());
    vars.extend([
        ("SENTRY_TRACE", OsString::from(format!(" \"{TRACE}\" "))),
        ("SENTRY_RELEASE", "'shop@1'".into()),
        ("SENTRY_DEBUG", "x".into()),
    ]);
    let Ran { ok, printed, recorded, .. } = run(&ingest, vars.clone(), &[]).await;
    assert!(ok, "{printed}");
    assert_eq!(printed.lines().filter(|line| line.contains("warning: environment")).count(), 4, "{printed}");
    assert!(printed.contains("trace=0af7651916cd43dd8448eb211c80319c-"), "the trace is continued: {printed}");
    assert_eq!(recorded, 0, "without a rate nothing is recorded");

    vars.insert(RATE, "1".into());
    let Ran { recorded, traces, .. } = run(&ingest, vars, &[]).await;
    assert_eq!((recorded, traces), (1, vec!["0af7651916cd43dd8448eb211c80319c".to_owned()]));
}

#[tokio::test]
async fn the_strict_variant_does_not_start_and_says_why() {
    let ingest = Ingest::start();
    for (name, value) in
        [(RATE, "50%"), (RATE, "\"1\""), ("SENTRY_DSN", "changeme"), ("SENTRY_DEBUG", "loud")]
    {
        let Ran { ok, printed, .. } = run(&ingest, with(&ingest, name, value.into()), &["strict"]).await;
        assert!(!ok && printed.contains(name), "{name}={value}: {printed}");
    }
    assert!(run(&ingest, with(&ingest, RATE, "1".into()), &["strict"]).await.ok);
}
