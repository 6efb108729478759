//! One entry of `tracing_origins`.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use sentrace_protocol::url::{Host, split_host_port};

use super::target::Target;
use crate::util::pattern::{Pattern, PatternError};

/// The subject of error messages.
const SUBJECT: &str = "tracing origin";

/// One entry of [`Options::tracing_origins`](crate::Options::tracing_origins): hosts or URLs that
/// may receive trace headers.
///
/// Every rule ignores userinfo, query and fragment of the URL. Otherwise, an allowed name in a
/// parameter would be enough (Sentry SDK specification, *Trace Propagation* 1.9,
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
///
/// A string is an origin, too, with the meaning that it has in Sentry's other SDKs:
/// [`Origin::contains`].
///
/// ```
/// # use sentrace_core::Origin;
/// assert!(Origin::from("/internal/").matches("https://example.com/internal/stock"));
/// ```
///
/// An origin that can never match is reported as a [`PatternError`] by `init`. Until then, it
/// matches nothing.
#[derive(Clone)]
pub struct Origin(Rule);

#[derive(Clone)]
enum Rule {
    Host(HostRule),
    Pattern(Pattern),
    Invalid(PatternError),
}

impl Origin {
    /// Matches the host `name` and all hosts below it (`api.example.com` for `example.com`), on
    /// every port. Recommended.
    ///
    /// `*.example.com` is the same as `example.com`. International names can be written in either
    /// form (`bücher.example`, `xn--bcher-kva.example`). With a port (`127.0.0.1:3000`), only that
    /// port matches. IPv6 addresses can be written with or without brackets, in any form; an
    /// address has no hosts below it. A scheme before the host (`https://example.com/`) is ignored.
    ///
    /// A path, a user name, or another wildcard is reported as a [`PatternError`] by `init`.
    ///
    /// ```
    /// # use sentrace_core::Origin;
    /// assert!(Origin::host("127.0.0.1:3000").matches("http://127.0.0.1:3000/"));
    /// assert!(!Origin::host("127.0.0.1:3000").matches("http://127.0.0.1:8080/"));
    /// assert!(Origin::host("bücher.example").matches("https://shop.xn--bcher-kva.example/"));
    /// ```
    pub fn host(name: impl Into<String>) -> Self {
        let name = name.into();
        Self(HostRule::parse(&name).map_or_else(|rule| invalid(&name, rule), Rule::Host))
    }

    /// Matches every URL that contains `text`, for example `"/internal/"`. Case is ignored, as
    /// in Sentry's JavaScript SDK.
    ///
    /// A host in `text` is found anywhere: `api.example.com` is also in
    /// `https://api.example.com.evil.test/`. Use [`Origin::host`] for hosts.
    pub fn contains(text: impl Into<String>) -> Self {
        let text = text.into();
        match parse_text(text.trim()) {
            Ok(Cow::Borrowed(trimmed)) if trimmed.len() == text.len() => {
                Self(Rule::Pattern(Pattern::Contains(text)))
            }
            Ok(parsed) => Self(Rule::Pattern(Pattern::Contains(parsed.into_owned()))),
            Err(rule) => Self(invalid(&text, rule)),
        }
    }

    /// Matches every URL in which `pattern` is found (the syntax of the `regex-lite` crate). Case is
    /// ignored, and international names are in their ASCII form.
    ///
    /// # Errors
    /// Returns a [`PatternError`] if the pattern is not a regular expression.
    pub fn regex(pattern: &str) -> Result<Self, PatternError> {
        Pattern::regex_in_any_case(SUBJECT, "Origin", pattern).map(|pattern| Self(Rule::Pattern(pattern)))
    }

    /// Returns `true` if `url` (absolute, `scheme://host/…`) may receive trace headers by this
    /// rule.
    pub fn matches(&self, url: &str) -> bool {
        Target::parse(url).is_some_and(|target| self.matches_target(&target))
    }

    /// Returns the origin, unless it can never match.
    ///
    /// # Errors
    /// Returns a [`PatternError`] with the value, the rule that it breaks, and what to do.
    pub fn validated(self) -> Result<Self, PatternError> {
        match self.0 {
            Rule::Invalid(error) => Err(error),
            _ => Ok(self),
        }
    }

    pub(super) fn matches_target(&self, target: &Target<'_>) -> bool {
        match &self.0 {
            Rule::Host(rule) => rule.matches(target),
            Rule::Pattern(Pattern::Contains(text)) => is_in_text(text, target),
            Rule::Pattern(Pattern::Regex(regex)) => regex.is_match(target.text()),
            Rule::Invalid(_) => false,
        }
    }
}

impl From<&str> for Origin {
    /// Creates an [`Origin::contains`], as in Sentry's other SDKs.
    fn from(text: &str) -> Self {
        Self::contains(text)
    }
}

impl From<String> for Origin {
    /// Creates an [`Origin::contains`], as in Sentry's other SDKs.
    fn from(text: String) -> Self {
        Self::contains(text)
    }
}

impl From<&String> for Origin {
    /// Creates an [`Origin::contains`], as in Sentry's other SDKs.
    fn from(text: &String) -> Self {
        Self::contains(text)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Host(rule) => write!(f, "Origin::host(\"{rule}\")"),
            Rule::Pattern(pattern) => pattern.fmt_as("Origin", f),
            Rule::Invalid(error) => write!(f, "Origin::invalid({:?})", error.value),
        }
    }
}

fn invalid(value: &str, rule: &'static str) -> Rule {
    Rule::Invalid(PatternError::new(SUBJECT, value, rule))
}

/// A host, optionally with a port.
#[derive(Clone)]
struct HostRule {
    name: HostName,
    port: Option<u16>,
}

impl HostRule {
    /// Parses the rule. The error says what is wrong and what to do.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err("is empty; name a host, as in Origin::host(\"api.example.com\")");
        }
        let authority = without_scheme(text);
        let (authority, path) =
            authority.split_at(authority.find(['/', '\\', '?', '#']).unwrap_or(authority.len()));
        if authority.contains('@') {
            return Err("has a user name, which is never judged; write the host alone");
        }
        if !matches!(path, "" | "/") {
            return Err(
                "has a path, and Origin::host judges the host alone; write the host, or use Origin::contains",
            );
        }
        if matches!(authority, "*" | "*.") {
            return Err("is not a host; to send trace headers to every host, use Origin::regex(\".*\")");
        }
        let name = authority.strip_prefix("*.").or_else(|| authority.strip_prefix('.')).unwrap_or(authority);
        if name.contains('*') {
            return Err("has a wildcard that is not understood; hosts below a host match anyway, so write \
                        \"example.com\" for \"*.example.com\", and use Origin::regex for patterns");
        }
        if let Ok(address) = name.parse::<std::net::Ipv6Addr>() {
            return Ok(Self { name: HostName::Address(address.to_canonical()), port: None });
        }
        let parsed = split_host_port(name).and_then(|(host, port)| Some((HostName::parse(host)?, port)));
        let parsed = parsed.filter(|(name, _)| name.can_exist());
        match parsed {
            Some((HostName::Address(_), _)) if name.len() < authority.len() => {
                Err("is an address, and an address has no hosts below it; write the address alone")
            }
            Some((name, port)) => Ok(Self { name, port }),
            None => Err(
                "is neither a host name nor an IP address, possibly with a port; write one origin for each host, as in \
                         Origin::host(\"api.example.com\") or Origin::host(\"[::1]:3000\")",
            ),
        }
    }

    #[inline]
    fn matches(&self, target: &Target<'_>) -> bool {
        self.name.contains(target) && (self.port.is_none() || self.port == target.port_or_default())
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.port) {
            (HostName::Name(name), _) => f.write_str(name)?,
            (HostName::Address(IpAddr::V6(address)), Some(_)) => write!(f, "[{address}]")?,
            (HostName::Address(address), _) => write!(f, "{address}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A host in its canonical form.
#[derive(Debug, Clone)]
pub(super) enum HostName {
    Name(String),
    Address(IpAddr),
}

impl HostName {
    pub(super) fn parse(host: &str) -> Option<Self> {
        Some(match Host::parse(host)? {
            Host::Name(name) => Self::Name(name.into_owned()),
            Host::Address(address) => Self::Address(address),
        })
    }

    /// Returns `true` if a name is possible in DNS, which is stricter than URLs.
    fn can_exist(&self) -> bool {
        match self {
            Self::Name(name) => name.split('.').all(|label| {
                !label.is_empty()
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            }),
            Self::Address(_) => true,
        }
    }

    /// Returns `true` if requests to the target go to this host.
    pub(super) fn is(&self, target: &Target<'_>) -> bool {
        match self {
            Self::Name(name) => {
                let host = target.host();
                host.strip_suffix('.').unwrap_or(host).eq_ignore_ascii_case(name)
                    || target.converted_name().is_some_and(|host| host == name)
            }
            Self::Address(address) => target.address() == Some(*address),
        }
    }

    /// Returns `true` if requests to the target go to this host or one below it.
    #[inline]
    fn contains(&self, target: &Target<'_>) -> bool {
        match self {
            Self::Name(name) => {
                let host = target.host();
                is_within(host, name)
                    || (!host.is_ascii() && target.converted_name().is_some_and(|host| is_within(host, name)))
            }
            Self::Address(address) => target.address() == Some(*address),
        }
    }
}

/// Returns `true` if `host` is `name` or ends in `.name`.
fn is_within(host: &str, name: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some(start) = host.len().checked_sub(name.len()) else { return false };
    // Nearly all hosts are in lower case, and a plain comparison is ten times as fast.
    host.get(start..).is_some_and(|end| end == name || end.eq_ignore_ascii_case(name))
        && (start == 0 || host.as_bytes()[start - 1] == b'.')
}

fn without_scheme(text: &str) -> &str {
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(is_scheme) => rest,
        _ => text.strip_prefix("//").unwrap_or(text),
    }
}

/// Returns the part of a URL that [`Origin::contains`] looks for, or why it can never be found.
fn parse_text(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if text.is_empty() {
        return Err("is in every URL; to send trace headers to every host, use Origin::regex(\".*\")");
    }
    if text.contains('*') {
        return Err(
            "has a wildcard, and a string is looked for as it is; write Origin::host(\"example.com\") for a host \
                    and those below it, and Origin::regex for patterns",
        );
    }
    if text.contains(['?', '#']) {
        return Err("has a query or a fragment, which are never judged; leave them out");
    }
    let authority = text.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err("has a user name, which is never judged; leave it out");
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("has a character that is not in any URL; leave it out");
    }
    if text.is_ascii() {
        return Ok(Cow::Borrowed(text));
    }
    match HostName::parse(text) {
        Some(HostName::Name(name)) => Ok(Cow::Owned(name)),
        _ => Err(
            "is not in ASCII, as URLs are; use Origin::host for international names, and percent-encode paths",
        ),
    }
}

/// Returns `true` if `text` is in the URL, ignoring case.
fn is_in_text(text: &str, target: &Target<'_>) -> bool {
    let url = target.text();
    url.contains(text) || (has_upper_case(text) || has_upper_case(url)) && is_in_other_case(text, url)
}

fn has_upper_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cold]
fn is_in_other_case(text: &str, url: &str) -> bool {
    url.as_bytes().windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}
