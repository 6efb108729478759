use super::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";

fn from(vars: &[(&str, &str)]) -> (Options, Vec<OptionsError>) {
    read(&|name| {
        let found = vars.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned()).ok_or(VarError::NotPresent)
    })
}

#[test]
fn the_environment_is_read_and_code_wins() {
    let (options, findings) = from(&[
        ("SENTRY_DSN", "http://key@localhost:8969/1"),
        ("SENTRY_RELEASE", "shop@1"),
        ("SENTRY_TRACES_SAMPLE_RATE", "0.5"),
        ("SENTRY_ENVIRONMENT", " "),
    ]);
    let options = options.traces_sample_rate(0.25);
    assert_eq!(findings, []);
    assert_eq!(options.dsn.as_ref().map(Dsn::project_id), Some("1"));
    assert_eq!(options.release.as_deref(), Some("shop@1"));
    assert_eq!(options.environment, "production", "blank is as good as unset");
    assert_eq!(options.sampling.rate, Some(0.25));
}

#[test]
fn a_rate_is_a_number_from_0_to_1_or_is_warned_about() {
    let rows = [
        ("1", Some(1.0), "", "everything"),
        ("0", Some(0.0), "", "nothing"),
        (" 0.25\n", Some(0.25), "", "blanks around it"),
        (".5", Some(0.5), "", "without the zero"),
        ("1e-2", Some(0.01), "", "with an exponent"),
        ("\"1\"", Some(1.0), "quotes", "quotes"),
        ("' 0.5 '", Some(0.5), "quotes", "other quotes, and blanks"),
        ("\u{feff}1", Some(1.0), "", "a byte order mark"),
        ("50%", None, "perhaps 0.5", "percent"),
        ("12,5 %", None, "perhaps 0.125", "percent, with a comma"),
        ("0,5", None, "perhaps 0.5", "a comma"),
        ("50", None, "from 0 (nothing) to 1", "percent, unsaid"),
        ("1.01", None, "from 0 (nothing) to 1", "too much"),
        ("-1", None, "from 0 (nothing) to 1", "negative"),
        ("NaN", None, "NaN", "not a number"),
        ("inf", None, "inf", "infinite"),
        ("often", None, "often", "a word"),
        ("true", None, "true", "another word"),
        ("\"1", None, "\\\"1", "half a pair of quotes"),
        ("0.5 # half", None, "0.5 # half", "a comment"),
        ("$RATE", None, "$RATE", "a variable that nobody replaced"),
        ("", None, "", "empty"),
        ("\"\"", None, "", "empty, in quotes"),
    ];
    for (value, rate, said, reason) in rows {
        let (options, findings) = from(&[(RATE, value)]);
        assert_eq!(options.sampling.rate, rate, "{reason}: {value:?}");
        let messages: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(messages.len(), usize::from(!said.is_empty()), "{reason}: {messages:?}");
        assert!(
            messages.iter().all(|message| message.contains(said) && message.contains(RATE)),
            "{messages:?}"
        );
        assert!(options.validated().is_ok(), "{reason}: nothing is left for `init` to fail with");
    }
}

#[test]
fn a_lifecycle_is_one_of_two_words_or_is_warned_about() {
    let default = TraceLifecycle::default();
    let rows = [
        ("stream", TraceLifecycle::Stream, false, "streamed"),
        ("static", TraceLifecycle::Static, false, "static"),
        (" stream\n", TraceLifecycle::Stream, false, "blanks around it, as of a file"),
        ("Stream", default, true, "another case"),
        ("streaming", default, true, "another word"),
        ("true", default, true, "a switch"),
        ("", default, false, "empty is unset"),
    ];
    for (value, lifecycle, warned, reason) in rows {
        let (options, findings) = from(&[(LIFECYCLE, value)]);
        assert_eq!(options.lifecycle.lifecycle, lifecycle, "{reason}: {value:?}");
        assert_eq!(findings.len(), usize::from(warned), "{reason}: {findings:?}");
        let named = |finding: &OptionsError| finding.to_string().contains("write one of the two");
        assert!(findings.iter().all(named), "{reason}: {findings:?}");
    }
    for lifecycle in [TraceLifecycle::Stream, TraceLifecycle::Static] {
        let (options, _) = from(&[(LIFECYCLE, "stream")]);
        assert_eq!(options.trace_lifecycle(lifecycle).lifecycle.lifecycle, lifecycle, "code wins");
    }
}

#[test]
fn a_dsn_is_understood_where_it_is_clear_and_never_shown_with_its_secret() {
    let dsn = "https://key@o1.ingest.example.com/2";
    let rows = [
        (dsn.to_owned(), true, 0, "as it should be"),
        (format!(" {dsn}\r\n"), true, 0, "blanks around it"),
        (format!("\"{dsn}\""), true, 1, "quotes"),
        (format!("'{dsn}'"), true, 1, "other quotes"),
        (format!("{dsn}/"), true, 1, "a slash"),
        (format!("\"{dsn}//\""), true, 2, "quotes and slashes"),
        ("https://key:SECRET@o1.ingest.example.com".into(), false, 1, "no project"),
        ("https://SECRET:SECRET@@/".into(), false, 1, "nothing fits"),
        ("SECRET".into(), false, 1, "a token instead of a DSN"),
        ("key:SECRET@o1.ingest.example.com/2".into(), false, 1, "no scheme"),
        ("ftp://key:SECRET@o1.ingest.example.com/2".into(), false, 1, "another scheme"),
        ("/".into(), false, 1, "only a slash"),
        ("  ".into(), false, 0, "blank"),
    ];
    for (value, understood, expected, reason) in rows {
        let (options, findings) = from(&[("SENTRY_DSN", &value)]);
        assert_eq!(options.dsn.is_some(), understood, "{reason}: {findings:?}");
        assert!(!understood || options.dsn.as_ref().is_some_and(|it| it.to_string() == dsn), "{reason}");
        assert_eq!(findings.len(), expected, "{reason}: {findings:?}");
        assert!(findings.iter().all(|finding| !finding.to_string().contains(":SECRET")), "{findings:?}");
        assert!(options.validated().is_ok(), "{reason}");
    }
}

#[test]
fn words_and_urls_are_read_and_others_are_warned_about() {
    let rows = [
        (DEBUG, "true", 0, "a word"),
        (DEBUG, "0", 0, "a digit"),
        (DEBUG, "\"yes\"", 1, "quotes"),
        (DEBUG, "verbose", 1, "another word"),
        (USE_ENVIRONMENT, "No", 0, "a word"),
        (USE_ENVIRONMENT, "maybe", 1, "another word"),
        (SPOTLIGHT, "on", 0, "a word"),
        (SPOTLIGHT, "http://spotlight:8969/stream", 0, "a URL"),
        (SPOTLIGHT, "'http://spotlight:8969/stream'", 1, "a URL in quotes"),
        (SPOTLIGHT, "maybe", 1, "another word"),
        (SPOTLIGHT, "2", 1, "another digit"),
        (SPOTLIGHT, "http://", 1, "a URL without a host"),
        (SPOTLIGHT, "ftp://user:SECRET@spotlight/", 1, "another scheme"),
        (SPOTLIGHT, "user:SECRET@spotlight", 1, "no scheme"),
        ("SENTRY_TRACE", TRACE, 0, "a trace"),
        ("SENTRY_TRACE", "nonsense", 1, "not a trace"),
        ("SENTRY_BAGGAGE", "nonsense;;;", 0, "whatever is in it"),
        (RELEASE, "'shop@1'", 1, "quotes"),
        (ENVIRONMENT, "\"staging\"", 1, "quotes"),
    ];
    for (name, value, expected, reason) in rows {
        let (options, findings) = from(&[(name, value)]);
        assert_eq!(findings.len(), expected, "{name}={value}, {reason}: {findings:?}");
        let messages: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(messages.iter().all(|it| it.contains(name) && !it.contains("SECRET")), "{messages:?}");
        assert!(options.validated().is_ok(), "{reason}");
    }
    let (options, _) = from(&[(RELEASE, "'shop@1'"), (ENVIRONMENT, "\"staging\""), (DEBUG, "verbose")]);
    assert_eq!((options.release.as_deref(), options.environment.as_str()), (Some("shop@1"), "staging"));
    assert!(!options.debug);
}

#[test]
fn what_is_not_utf_8_is_warned_about() {
    let (options, findings) = read(&|name| match name {
        RATE | "SENTRY_DSN" => Err(VarError::NotUnicode("x".into())),
        _ => Err(VarError::NotPresent),
    });
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|finding| finding.to_string().contains("UTF-8")), "{findings:?}");
    assert!(options.validated().is_ok());
}

#[test]
fn the_strict_variant_fails_where_the_other_warns() {
    let strictly = |name: &'static str, value: &str| {
        Options::try_from_vars(|asked| (asked == name).then(|| value.to_owned())).map(drop)
    };
    let error = strictly(RATE, "often").unwrap_err().to_string();
    assert!(error.contains(RATE) && error.contains("often") && error.contains("from 0"), "{error}");
    assert!(strictly(RATE, "\"1\"").is_err());
    assert_eq!(strictly(RATE, "1"), Ok(()));
    assert_eq!(strictly("SENTRY_DSN", ""), Ok(()));
}

#[test]
fn the_trace_of_the_parent_process_is_read_unless_forbidden() {
    let trace = ("SENTRY_TRACE", TRACE);
    assert_eq!(from(&[trace]).0.environment_carrier.len(), 1);
    assert_eq!(from(&[trace, ("SENTRY_USE_ENVIRONMENT", "No")]).0.environment_carrier.len(), 0);
}
