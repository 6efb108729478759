//! What a `reqwest::ClientBuilder` says about itself.
//!
//! A hop that the guard sends must use the client's settings, but the builder has no getters for them; it does print
//! them. Where nothing can be read, the guard assumes what cannot do harm.

use std::time::Duration;

use http::HeaderName;
use reqwest::ClientBuilder;

use super::reissue::CREDENTIALS;

/// The settings that matter to the guard.
#[derive(Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) policy: PrintedPolicy,
    pub(crate) referer: bool,
    pub(crate) timeout: Option<Duration>,
    /// Credentials among the builder's default headers, which a request cannot leave out.
    pub(crate) fixed_credentials: Vec<HeaderName>,
}

/// The redirect policy of a builder, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PrintedPolicy {
    Limited(usize),
    None,
    /// A closure, or something that this version of reqwest did not have.
    Unknown,
}

impl Settings {
    pub(crate) fn read(builder: &ClientBuilder) -> Self {
        Self::parse(&format!("{builder:#?}"))
    }

    /// `printed` has one field a line, indented by four; what belongs to a field is indented deeper.
    fn parse(printed: &str) -> Self {
        let field = |name: &str| {
            let mut lines = printed.lines();
            let value =
                lines.find_map(|line| line.strip_prefix("    ")?.strip_prefix(name)?.strip_prefix(": "));
            value.map(|value| (value, lines.take_while(|line| line.starts_with("     "))))
        };
        let default_names: Option<Vec<_>> = field("default_headers").map(|(_, entries)| {
            entries.filter_map(|line| line.trim_start().strip_prefix('"')?.split('"').next()).collect()
        });
        Self {
            policy: match field("redirect_policy") {
                None => PrintedPolicy::Limited(10),
                Some((_, inside)) => parse_policy(inside.map(|line| line.trim().trim_end_matches(','))),
            },
            referer: field("referer").is_some_and(|(value, _)| value == "true,"),
            timeout: field("timeout").and_then(|(value, _)| parse_duration(value.trim_end_matches(','))),
            fixed_credentials: CREDENTIALS
                .into_iter()
                .filter(|name| default_names.as_ref().is_none_or(|names| names.contains(&name.as_str())))
                .collect(),
        }
    }
}

fn parse_policy<'a>(mut lines: impl Iterator<Item = &'a str>) -> PrintedPolicy {
    match (lines.next(), lines.next().and_then(|max| max.parse().ok())) {
        (Some("None"), _) => PrintedPolicy::None,
        (Some("Limit("), Some(max)) => PrintedPolicy::Limited(max),
        _ => PrintedPolicy::Unknown,
    }
}

/// The `Debug` form of a `Duration`: a decimal number and its unit.
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
            }
        );
    }

    #[test]
    fn redirect_policies_are_told_apart() {
        let rows = [
            (Policy::default(), PrintedPolicy::Limited(10), "the default is not printed"),
            (Policy::limited(3), PrintedPolicy::Limited(3), "a limit"),
            (Policy::none(), PrintedPolicy::None, "none"),
            (Policy::custom(|attempt| Policy::none().redirect(attempt)), PrintedPolicy::Unknown, "a closure"),
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
    fn what_cannot_be_read_is_taken_for_the_careful_case() {
        let settings = Settings::parse("ClientBuilder { .. }");
        assert_eq!(settings.fixed_credentials, CREDENTIALS);
        assert!(!settings.referer);
        assert_eq!(
            Settings::parse("    redirect_policy: Policy(\n        Newer,\n").policy,
            PrintedPolicy::Unknown
        );
    }
}
