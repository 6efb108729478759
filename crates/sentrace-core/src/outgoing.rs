//! Where trace headers may go: `tracing_origins`.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use regex_lite::Regex;

/// One entry of [`Options::tracing_origins`](crate::Options::tracing_origins): a place that may receive trace headers.
///
/// Every rule judges the URL without its userinfo, query and fragment, so that nobody lets headers out by
/// writing an allowed name into a parameter (Sentry SDK specification, *Trace Propagation* 1.9,
/// `tracePropagationTargets`).
///
/// ```
/// use sentrace_core::Origin;
///
/// let api = Origin::host("example.com");
/// assert!(api.matches("https://api.example.com:8443/pay?next=/"));
/// assert!(!api.matches("https://example.com.evil.test/"));
/// assert!(!api.matches("https://evil.test/?to=example.com"));
/// ```
#[derive(Clone)]
pub struct Origin(Rule);

#[derive(Clone)]
enum Rule {
    Host(String),
    Contains(String),
    Regex(Regex),
}

impl Origin {
    /// The host `name` and all hosts below it (`api.example.com` for `example.com`), on every port. Recommended.
    ///
    /// IPv6 addresses are written with or without brackets.
    pub fn host(name: impl Into<String>) -> Self {
        let name = name.into().trim().trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
        Self(Rule::Host(unbracketed(&name).to_owned()))
    }

    /// Every URL that contains `text`, for example `"/internal/"`.
    pub fn contains(text: impl Into<String>) -> Self {
        Self(Rule::Contains(text.into()))
    }

    /// Every URL in which `pattern` (the syntax of the `regex-lite` crate) is found.
    ///
    /// # Errors
    /// [`OriginError`] where the pattern is not a regular expression.
    pub fn regex(pattern: &str) -> Result<Self, OriginError> {
        match Regex::new(pattern) {
            Ok(regex) => Ok(Self(Rule::Regex(regex))),
            Err(error) => Err(OriginError { pattern: pattern.to_owned(), reason: error.to_string() }),
        }
    }

    /// Whether `url` (absolute, `scheme://host/…`) may receive trace headers by this rule.
    pub fn matches(&self, url: &str) -> bool {
        let url = Target::parse(url);
        self.matches_target(&url)
    }

    fn matches_target(&self, target: &Target<'_>) -> bool {
        match &self.0 {
            Rule::Host(name) => target.host.is_some_and(|host| host_is_within(host, name)),
            Rule::Contains(text) => target.text().contains(text.as_str()),
            Rule::Regex(regex) => regex.is_match(target.text()),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Host(name) => write!(f, "Origin::host({name:?})"),
            Rule::Contains(text) => write!(f, "Origin::contains({text:?})"),
            Rule::Regex(regex) => write!(f, "Origin::regex({:?})", regex.as_str()),
        }
    }
}

/// A pattern of [`Origin::regex`] that is not a regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginError {
    pattern: String,
    reason: String,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, reason } = self;
        write!(
            f,
            "tracing origin {pattern:?} is not a regular expression ({reason}); use Origin::contains for plain text"
        )
    }
}

impl std::error::Error for OriginError {}

/// What of a client concerns requests that leave the process.
#[derive(Debug)]
pub struct Outgoing {
    origins: Vec<Origin>,
    /// Authority of the DSN, so that reports about requests make no reports about themselves.
    own: Option<(String, Option<u16>)>,
}

impl Outgoing {
    pub(crate) fn new(origins: Option<Vec<Origin>>, own: Option<(String, Option<u16>)>) -> Self {
        let this_machine = || ["localhost", "127.0.0.1", "::1"].map(Origin::host).to_vec();
        Self { origins: origins.unwrap_or_else(this_machine), own }
    }

    /// Whether trace headers may be sent to `url`: one of the `tracing_origins` matches, and it is not Sentry itself.
    ///
    /// A text without a host (`/path`) matches nothing: where a request goes must be known before headers leave.
    pub fn allows(&self, url: &str) -> bool {
        let target = Target::parse(url);
        target.host.is_some()
            && !self.is_own_target(&target)
            && self.origins.iter().any(|origin| origin.matches_target(&target))
    }

    /// Whether `url` belongs to the host that the DSN names: such requests are neither traced nor given headers.
    pub fn is_own(&self, url: &str) -> bool {
        self.is_own_target(&Target::parse(url))
    }

    pub(crate) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// The host of a URL, without its port.
    pub(crate) fn host_of(url: &str) -> Option<&str> {
        Target::parse(url).host
    }

    fn is_own_target(&self, target: &Target<'_>) -> bool {
        let (Some((host, port)), Some(target_host)) = (&self.own, target.host) else { return false };
        host.eq_ignore_ascii_case(target_host) && *port == target.port_or_default()
    }
}

/// The parts of a URL that are judged.
struct Target<'a> {
    url: &'a str,
    scheme: &'a str,
    /// What follows the userinfo, with query and fragment.
    rest: &'a str,
    has_userinfo: bool,
    host: Option<&'a str>,
    port: Option<u16>,
    /// Most rules look at the host alone.
    text: OnceCell<Cow<'a, str>>,
}

impl<'a> Target<'a> {
    fn parse(url: &'a str) -> Self {
        let Some((scheme, rest)) = split_scheme(url) else { return Self::without_host(url) };
        // One look at each byte, as there is no call that is not judged.
        let (mut userinfo_end, mut colon, mut end) = (None, None, rest.len());
        for (index, byte) in rest.bytes().enumerate() {
            match byte {
                b'@' => (userinfo_end, colon) = (Some(index), None),
                b':' => colon = Some(index),
                // A backslash ends the authority as a slash does: that is how browsers and the WHATWG rules read it.
                b'/' | b'\\' | b'?' | b'#' => {
                    end = index;
                    break;
                }
                _ => {}
            }
        }
        let start = userinfo_end.map_or(0, |at| at + 1);
        let (host, port) = split_port(&rest[start..end], colon.map(|colon| colon - start));
        Self {
            url,
            scheme,
            rest: &rest[start..],
            has_userinfo: userinfo_end.is_some(),
            host: (!host.is_empty()).then_some(host),
            port,
            text: OnceCell::new(),
        }
    }

    fn without_host(url: &'a str) -> Self {
        let (scheme, rest, text) = ("", url, OnceCell::new());
        Self { url, scheme, rest, has_userinfo: false, host: None, port: None, text }
    }

    /// The URL without userinfo, query and fragment.
    fn text(&self) -> &str {
        self.text.get_or_init(|| {
            if self.has_userinfo {
                Cow::Owned([self.scheme, "://", without_query(self.rest)].concat())
            } else {
                Cow::Borrowed(without_query(self.url))
            }
        })
    }

    fn port_or_default(&self) -> Option<u16> {
        self.port.or(match self.scheme {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        })
    }
}

/// At the first `://` before query and fragment.
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let at = from + url[from..].bytes().position(|byte| matches!(byte, b':' | b'?' | b'#'))?;
        let (scheme, rest) = url.split_at(at);
        if let Some(rest) = rest.strip_prefix("://") {
            return Some((scheme, rest));
        }
        rest.strip_prefix(':')?;
        from = at + 1;
    }
}

fn without_query(url: &str) -> &str {
    let end = url.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    end.map_or(url, |end| &url[..end])
}

/// `colon` is the last one.
fn split_port(authority: &str, colon: Option<usize>) -> (&str, Option<u16>) {
    if let Some(inside) = authority.strip_prefix('[') {
        let (host, after) = inside.split_once(']').unwrap_or((inside, ""));
        return (host, after.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match colon {
        Some(at) => (&authority[..at], authority[at + 1..].parse().ok()),
        None => (authority, None),
    }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Exact or below `name`: the same text, or ending in `.name`.
fn host_is_within(host: &str, name: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some(start) = host.len().checked_sub(name.len()) else { return false };
    // Nearly all hosts are in lower case, and a plain comparison is a tenth of one that does not care.
    !name.is_empty()
        && host.get(start..).is_some_and(|end| end == name || end.eq_ignore_ascii_case(name))
        && (start == 0 || host.as_bytes()[start - 1] == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_judge_the_url_by_host_text_and_pattern() {
        let regex = Origin::regex(r"^https://[a-z]+\.example\.com/v\d").unwrap();
        let rows: &[(&Origin, &str, bool, &str)] = &[
            (&Origin::host("example.com"), "https://example.com/", true, "the host itself"),
            (
                &Origin::host("example.com"),
                "https://EXAMPLE.com./x",
                true,
                "case and the root dot do not matter",
            ),
            (&Origin::host("example.com"), "https://a.b.example.com:8443", true, "hosts below it, any port"),
            (
                &Origin::host("example.com"),
                "https://badexample.com/",
                false,
                "a suffix without a dot is another host",
            ),
            (
                &Origin::host("example.com"),
                "https://example.com@evil.test/",
                false,
                "userinfo is not the host",
            ),
            (
                &Origin::host("example.com"),
                "https://evil.test\\@example.com/",
                false,
                "a backslash ends the authority",
            ),
            (
                &Origin::host("example.com"),
                "https://evil.test/?u=https://example.com/",
                false,
                "nor is the query",
            ),
            (&Origin::host("example.com"), "https://evil.test/#example.com", false, "nor is the fragment"),
            (
                &Origin::host("*.example.com"),
                "https://api.example.com/",
                true,
                "a leading wildcard is understood",
            ),
            (&Origin::host("[::1]"), "http://[::1]:3000/", true, "IPv6 with brackets"),
            (&Origin::host("::1"), "http://[::1]/", true, "IPv6 without brackets"),
            (&Origin::host(""), "http://example.com/", false, "an empty name allows nothing"),
            (&Origin::contains("/internal/"), "https://a.test/internal/x", true, "text in the path"),
            (&Origin::contains("/internal/"), "https://a.test/x?next=/internal/", false, "text in the query"),
            (&Origin::contains("/internal/"), "https://a.test/x#/internal/", false, "text in the fragment"),
            (&Origin::contains("internal"), "https://internal:pw@a.test/x", false, "text in the userinfo"),
            (
                &Origin::contains("https://a"),
                "https://u:p@a.test/x",
                true,
                "text over the place of the userinfo",
            ),
            (&regex, "https://api.example.com/v2/pay", true, "a pattern from the start"),
            (&regex, "http://evil.test/?https://api.example.com/v2", false, "a pattern in the query"),
        ];
        for (origin, url, expected, reason) in rows {
            assert_eq!(origin.matches(url), *expected, "{origin:?} on {url}: {reason}");
        }
    }

    #[test]
    fn by_default_only_this_machine_gets_headers() {
        let outgoing = Outgoing::new(None, None);
        for url in ["http://localhost:3000/x", "http://127.0.0.1/", "https://[::1]:8/"] {
            assert!(outgoing.allows(url), "{url}");
        }
        for url in ["https://example.com/", "http://localhost.evil.test/", "/relative", "", "http://"] {
            assert!(!outgoing.allows(url), "{url}");
        }
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        assert!(!Outgoing::new(Some(Vec::new()), None).allows("http://localhost/"));
    }

    #[test]
    fn sentry_itself_gets_no_headers_even_where_a_rule_matches() {
        let outgoing =
            Outgoing::new(Some(vec![Origin::contains("/")]), Some(("ingest.test".into(), Some(443))));
        assert!(!outgoing.allows("https://ingest.test/api/1/envelope/"));
        assert!(outgoing.is_own("https://INGEST.test:443/"));
        assert!(!outgoing.is_own("https://ingest.test:8443/"), "another port is another service");
        assert!(outgoing.allows("https://a.test/"));
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Origin::regex("(").unwrap_err().to_string();
        assert!(error.contains("\"(\"") && error.contains("Origin::contains"), "{error}");
    }
}
