//! The settings of a `reqwest::ClientBuilder`.
//!
//! A hop that the guard sends must use the client's settings. The builder has no getters for them, but its `Debug` output has
//! them. Settings that cannot be read fall back to the conservative choice. A builder with known settings shows whether they can
//! be read at all.

use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::ClientBuilder;
use reqwest::redirect::Policy;

use super::headers::{CREDENTIALS, TRACE_HEADERS};

/// The settings that matter to the guard.
#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) policy: PrintedPolicy,
    pub(crate) referer: bool,
    pub(crate) timeout: Option<Duration>,
    /// Credentials among the builder's default headers, which a request cannot leave out.
    pub(crate) fixed_credentials: Vec<HeaderName>,
    /// Trace headers among the builder's default headers, which a request cannot leave out either.
    pub(crate) fixed_trace_headers: Vec<HeaderName>,
    /// Those of them whose value is printed, which are merged like a request's own. Values marked as sensitive are not printed.
    pub(crate) trace_headers: HeaderMap,
}

/// The redirect policy of a builder, as it is printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PrintedPolicy {
    Limited(usize),
    None,
    /// A closure.
    Custom,
    /// The format of this version of reqwest is unknown.
    Unreadable,
}

impl Settings {
    pub(crate) fn read(builder: &ClientBuilder) -> Self {
        static READABLE: LazyLock<bool> = LazyLock::new(|| {
            let (probe, limit) = probe();
            policy_of(&format!("{probe:#?}")) == Some(PrintedPolicy::Limited(limit))
        });
        Self::parse(&format!("{builder:#?}"), *READABLE)
    }

    /// Parses `printed`, which has one field per line, indented by four; its content is indented deeper. A default policy is not
    /// printed: only if `policy_is_readable`, a missing one is known to be the default.
    pub(super) fn parse(printed: &str, policy_is_readable: bool) -> Self {
        let defaults = field(printed, "default_headers").map(|(_, entries)| {
            let entry = |line| {
                let (name, value) = str::trim_start(line).strip_prefix('"')?.split_once("\": ")?;
                Some((HeaderName::try_from(name).ok()?, value.strip_suffix(',').unwrap_or(value)))
            };
            entries.filter_map(entry).collect::<Vec<_>>()
        });
        let is_default = |name: &HeaderName| {
            defaults.as_ref().is_some_and(|defaults| defaults.iter().any(|(known, _)| known == name))
        };
        let policy = match policy_of(printed) {
            Some(policy) => policy,
            None if policy_is_readable => PrintedPolicy::Limited(10),
            None => PrintedPolicy::Unreadable,
        };
        Self {
            policy,
            referer: field(printed, "referer").is_some_and(|(value, _)| value == "true,"),
            timeout: field(printed, "timeout")
                .and_then(|(value, _)| parse_duration(value.trim_end_matches(','))),
            fixed_credentials: CREDENTIALS
                .into_iter()
                .filter(|name| defaults.is_none() || is_default(name))
                .collect(),
            fixed_trace_headers: TRACE_HEADERS.into_iter().filter(is_default).collect(),
            trace_headers: defaults
                .iter()
                .flatten()
                .filter(|(name, _)| TRACE_HEADERS.contains(name))
                .filter_map(|(name, value)| Some((name.clone(), parse_value(value)?)))
                .collect(),
        }
    }
}

/// Returns a builder with a policy that is not the default, and its limit.
fn probe() -> (ClientBuilder, usize) {
    (reqwest::Client::builder().redirect(Policy::limited(7)), 7)
}

/// Returns the value of a field on its line, and the lines of its content.
fn field<'a>(printed: &'a str, name: &str) -> Option<(&'a str, impl Iterator<Item = &'a str>)> {
    let mut lines = printed.lines();
    let value = lines.find_map(|line| line.strip_prefix("    ")?.strip_prefix(name)?.strip_prefix(": "));
    value.map(|value| (value, lines.take_while(|line| line.starts_with("     "))))
}

/// Returns `None` if no policy is printed.
fn policy_of(printed: &str) -> Option<PrintedPolicy> {
    let (_, inside) = field(printed, "redirect_policy")?;
    Some(parse_policy(inside.map(|line| line.trim().trim_end_matches(','))))
}

fn parse_policy<'a>(mut lines: impl Iterator<Item = &'a str>) -> PrintedPolicy {
    match (lines.next(), lines.next().and_then(|max| max.parse().ok())) {
        (Some("None"), _) => PrintedPolicy::None,
        (Some("Limit("), Some(max)) => PrintedPolicy::Limited(max),
        (Some("Custom"), _) => PrintedPolicy::Custom,
        _ => PrintedPolicy::Unreadable,
    }
}

/// Parses the `Debug` output of a header's value. Returns `None` if it is hidden, or if a backslash makes it ambiguous.
fn parse_value(text: &str) -> Option<HeaderValue> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    // A quotation mark is always escaped. Any other backslash may be an escape or itself.
    let inside = inside.replace("\\\"", "\"");
    if inside.contains('\\') { None } else { HeaderValue::from_str(&inside).ok() }
}

/// Parses the `Debug` output of a `Duration`: a decimal number and its unit.
fn parse_duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let seconds_of_unit = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds_of_unit).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
    use reqwest::redirect::Policy;

    use super::*;

    fn read(builder: ClientBuilder) -> Settings {
        Settings::read(&builder)
    }

    #[test]
    fn an_untouched_builder_has_reqwests_defaults() {
        assert_eq!(
            read(reqwest::Client::builder()),
            Settings {
                policy: PrintedPolicy::Limited(10),
                referer: true,
                timeout: None,
                fixed_credentials: Vec::new(),
                fixed_trace_headers: Vec::new(),
                trace_headers: HeaderMap::new(),
            }
        );
    }

    #[test]
    fn redirect_policies_are_told_apart() {
        let rows = [
            (Policy::default(), PrintedPolicy::Limited(10), "the default is not printed"),
            (Policy::limited(3), PrintedPolicy::Limited(3), "a limit"),
            (Policy::none(), PrintedPolicy::None, "none"),
            (Policy::custom(|attempt| Policy::none().redirect(attempt)), PrintedPolicy::Custom, "a closure"),
        ];
        for (policy, expected, reason) in rows {
            assert_eq!(read(reqwest::Client::builder().redirect(policy)).policy, expected, "{reason}");
        }
    }

    #[test]
    fn timeouts_are_read_to_the_nanosecond_that_matters() {
        let rows = [
            Duration::from_secs(30),
            Duration::from_millis(1_500),
            Duration::from_millis(250),
            Duration::from_micros(10),
            Duration::from_nanos(100),
            Duration::ZERO,
        ];
        for timeout in rows {
            let builder = reqwest::Client::builder().connect_timeout(Duration::from_secs(7)).timeout(timeout);
            assert_eq!(read(builder).timeout, Some(timeout));
        }
        assert_eq!(read(reqwest::Client::builder().connect_timeout(Duration::from_secs(7))).timeout, None);
    }

    #[test]
    fn credentials_among_the_default_headers_are_found_by_name() {
        let mut secret = HeaderValue::from_static("Bearer secret");
        secret.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, secret);
        headers.insert(ACCEPT, HeaderValue::from_static("\"cookie\": no, this is a value"));
        let settings = read(reqwest::Client::builder().default_headers(headers).referer(false));
        assert_eq!(settings.fixed_credentials, [AUTHORIZATION]);
        assert!(!settings.referer);
    }

    #[test]
    fn trace_headers_among_the_default_headers_are_read_as_they_are() {
        let rows = [
            ("tenant=7,sentry-sampled=true", Some("tenant=7,sentry-sampled=true"), "as it is printed"),
            ("", Some(""), "nothing"),
            ("a=\"b\"", Some("a=\"b\""), "a quotation mark is printed as two characters"),
            ("\"", Some("\""), "nothing else"),
            ("a=\\\"", None, "behind a backslash"),
            ("a=1\\", None, "a backslash at the end"),
            ("a=\\x41", None, "a backslash may stand for itself"),
            ("a=\u{e9}", None, "bytes that are not ASCII"),
        ];
        for (value, expected, reason) in rows {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            let defaults = HeaderMap::from_iter([(HeaderName::from_static("baggage"), value)]);
            let settings = read(reqwest::Client::builder().default_headers(defaults));
            let found = settings.trace_headers.get("baggage").map(|value| value.to_str().unwrap());
            assert_eq!(found, expected, "{reason}");
            assert_eq!(settings.fixed_trace_headers, ["baggage"], "{reason}");
        }
    }

    #[test]
    fn a_sensitive_trace_header_is_known_by_name_only() {
        let mut hidden = HeaderValue::from_static("tenant=7");
        hidden.set_sensitive(true);
        let defaults = HeaderMap::from_iter([
            (TRACE_HEADERS[1].clone(), hidden),
            (ACCEPT, HeaderValue::from_static("sentry-trace")),
        ]);
        let settings = read(reqwest::Client::builder().default_headers(defaults));
        assert!(settings.trace_headers.is_empty());
        assert_eq!(settings.fixed_trace_headers, ["baggage"]);
    }

    #[test]
    fn what_cannot_be_read_is_taken_for_the_careful_case() {
        let settings = Settings::parse("ClientBuilder { .. }", true);
        assert_eq!(settings.fixed_credentials, CREDENTIALS);
        assert!(!settings.referer);
        let newer = "    redirect_policy: Policy(\n        Newer,\n";
        assert_eq!(Settings::parse(newer, true).policy, PrintedPolicy::Unreadable);
    }

    #[test]
    fn a_policy_under_a_new_name_is_not_taken_for_the_default() {
        let (probe, _) = probe();
        let renamed = format!("{probe:#?}").replace("redirect_policy", "redirects");
        assert_eq!(policy_of(&renamed), None, "so reqwest is known to print it in another way");
        assert_eq!(Settings::parse(&renamed, false).policy, PrintedPolicy::Unreadable);
        let untouched = format!("{:#?}", reqwest::Client::builder());
        assert_eq!(Settings::parse(&untouched, false).policy, PrintedPolicy::Unreadable, "nor a default");
    }
}
