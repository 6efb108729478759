//! The data source name: where to send, and as whom.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::ParseError;
use crate::sensitive::FILTERED;

const ADVICE: &str = "copy it from the project's settings, as in `https://key@o1.ingest.sentry.io/2`";

/// Where a project's data is sent: `{scheme}://{public key}[:{secret key}]@{host}[:{port}][{path}]/{project
/// id}`.
///
/// Scheme and host are kept in lower case. Printing gives the text to parse again, with its secret; `Debug`
/// hides the secret.
///
/// Sentry SDK specification, *Authentication*.
///
/// ```
/// use sentrace_protocol::Dsn;
///
/// let dsn: Dsn = "https://9c1f0d3e@o1.ingest.sentry.io/42".parse()?;
/// assert_eq!(dsn.envelope_url(), "https://o1.ingest.sentry.io/api/42/envelope/");
/// assert_eq!(dsn.org_id(), Some("1"));
/// # Ok::<(), sentrace_protocol::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Dsn {
    scheme: &'static str,
    public_key: String,
    secret_key: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
    project_id: String,
}

impl Dsn {
    /// Reads a DSN; blanks around it are ignored.
    ///
    /// # Errors
    ///
    /// When a part is missing or has characters that cannot be in it. The error does not repeat the secret
    /// key.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        parts(text).map_err(|rule| ParseError::new("DSN", without_secret(text).as_bytes(), rule, ADVICE))
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.scheme
    }

    /// The key that says which project's client this is. It is no secret.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The deprecated secret, which old servers want back.
    pub fn secret_key(&self) -> Option<&str> {
        self.secret_key.as_deref()
    }

    /// The host without its port, in lower case; IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if it is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port that is connected to: 443 for `https` and 80 for `http` if none is written.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "https" { 443 } else { 80 })
    }

    /// What stands before the project id: empty, or `/` and segments without a `/` at the end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The project. Usually digits, but not by rule.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The organisation's id, as in `o1.ingest.sentry.io`.
    pub fn org_id(&self) -> Option<&str> {
        let (label, _) = self.host.split_once('.')?;
        let digits = label.strip_prefix('o')?;
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
    }

    /// Where envelopes are posted.
    pub fn envelope_url(&self) -> String {
        let Self { scheme, path, project_id, .. } = self;
        format!("{scheme}://{}{path}/api/{project_id}/envelope/", self.authority())
    }

    /// The value of the `X-Sentry-Auth` header. `client` is the SDK's name and version: `acme.rust/0.1.0`.
    ///
    /// Sentry SDK specification, *Authentication*.
    pub fn auth_header(&self, client: &str) -> String {
        let mut value =
            format!("Sentry sentry_version=7, sentry_client={client}, sentry_key={}", self.public_key);
        if let Some(secret) = &self.secret_key {
            value.push_str(", sentry_secret=");
            value.push_str(secret);
        }
        value
    }

    fn authority(&self) -> Cow<'_, str> {
        match self.port {
            None => Cow::Borrowed(&self.host),
            Some(port) => Cow::Owned(format!("{}:{port}", self.host)),
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, secret: Option<&str>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.public_key)?;
        if let Some(secret) = secret {
            write!(f, ":{secret}")?;
        }
        write!(f, "@{}{}/{}", self.authority(), self.path, self.project_id)
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.secret_key())
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dsn(")?;
        self.write(f, self.secret_key().map(|_| FILTERED))?;
        f.write_str(")")
    }
}

impl FromStr for Dsn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// The parts, or the rule that is broken.
fn parts(text: &str) -> Result<Dsn, &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("it has no scheme before `://`")?;
    let scheme = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => "https",
        _ if scheme.eq_ignore_ascii_case("http") => "http",
        _ => return Err("its scheme is neither `https` nor `http`"),
    };
    let (authority, rest) = rest.split_once('/').ok_or("it has no project id after the host")?;
    let (keys, host) = authority.split_once('@').ok_or("it has no public key before `@`")?;
    let (public_key, secret_key) = match keys.split_once(':') {
        Some((public, secret)) => (public, Some(secret).filter(|secret| !secret.is_empty())),
        None => (keys, None),
    };
    if public_key.is_empty() {
        return Err("its public key is empty");
    }
    if !public_key.bytes().chain(secret_key.unwrap_or_default().bytes()).all(is_key) {
        return Err("its keys may have ASCII letters, digits, `-`, `.`, `_` and `~` only");
    }
    let (host, port) = split_port(host)?;
    let (path, project_id) = rest.rsplit_once('/').map_or(("", rest), |(path, project)| (path, project));
    if project_id.is_empty() {
        return Err("its project id is empty, or a `/` follows it");
    }
    if !rest.bytes().all(is_path) {
        return Err(
            "its path and project id may have no blanks, `?`, `#`, quotes or characters beyond ASCII",
        );
    }
    let path = path.trim_end_matches('/');
    Ok(Dsn {
        scheme,
        public_key: public_key.to_owned(),
        secret_key: secret_key.map(str::to_owned),
        host: host.to_ascii_lowercase(),
        port,
        path: if path.is_empty() { String::new() } else { format!("/{path}") },
        project_id: project_id.to_owned(),
    })
}

fn split_port(host: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match host.rsplit_once(':') {
        // The last colon of `[::1]` is not followed by a port.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (host, None),
    };
    let valid = match host.strip_prefix('[') {
        Some(v6) => v6.strip_suffix(']').is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok()),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')),
    };
    if host.is_empty() {
        return Err("its host is empty");
    }
    if !valid {
        return Err("its host is neither an ASCII name nor an IP address (IPv6 in brackets)");
    }
    match port {
        None => Ok((host, None)),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse() {
            Ok(port @ 1..) => Ok((host, Some(port))),
            _ => Err("its port is not between 1 and 65535"),
        },
        Some(_) => Err("its port is not a number"),
    }
}

/// These need no escaping in a URL, and cannot end the `X-Sentry-Auth` header's fields.
const fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const fn is_path(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// Hides what stands where a secret key would, however broken the rest is.
fn without_secret(text: &str) -> Cow<'_, str> {
    // A `://` further on, as in `key:secret@https://host`, does not end a scheme.
    let is_scheme = |before: &str| before.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let start = text.find("://").filter(|at| is_scheme(&text[..*at])).map_or(0, |at| at + 3);
    let Some(end) = text.rfind('@').filter(|end| *end >= start) else {
        return Cow::Borrowed(text);
    };
    match text[start..end].find(':') {
        Some(colon) => Cow::Owned(format!("{}:{FILTERED}{}", &text[..start + colon], &text[end..])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_part_is_found() {
        let dsn = Dsn::parse(" HTTPS://public:secret@O12.Sentry.Example:9000/prefix/deep/42\n").unwrap();
        assert_eq!(dsn.scheme(), "https");
        assert_eq!(dsn.public_key(), "public");
        assert_eq!(dsn.secret_key(), Some("secret"));
        assert_eq!(dsn.host(), "o12.sentry.example");
        assert_eq!(dsn.port(), Some(9000));
        assert_eq!(dsn.path(), "/prefix/deep");
        assert_eq!(dsn.project_id(), "42");
        assert_eq!(dsn.org_id(), Some("12"));
        assert_eq!(dsn.envelope_url(), "https://o12.sentry.example:9000/prefix/deep/api/42/envelope/");
        assert_eq!(
            dsn.auth_header("acme.rust/0.1.0"),
            "Sentry sentry_version=7, sentry_client=acme.rust/0.1.0, sentry_key=public, sentry_secret=secret",
        );
    }

    #[test]
    fn the_secret_is_optional_and_the_project_id_a_string() {
        let dsn = Dsn::parse("http://public@[::1]:8969/project-x").unwrap();
        assert_eq!((dsn.secret_key(), dsn.host(), dsn.project_id()), (None, "[::1]", "project-x"));
        assert_eq!(dsn.envelope_url(), "http://[::1]:8969/api/project-x/envelope/");
        assert_eq!(
            dsn.auth_header("acme.rust/0.1.0"),
            "Sentry sentry_version=7, sentry_client=acme.rust/0.1.0, sentry_key=public",
        );
    }

    #[test]
    fn a_broken_dsn_is_an_error_that_names_the_rule() {
        let rows = [
            ("", "it has no scheme"),
            ("key@host/1", "it has no scheme"),
            ("ftp://key@host/1", "neither `https` nor `http`"),
            ("https://key@host", "no project id"),
            ("https://key@host/", "project id is empty"),
            ("https://key@host/1/", "project id is empty"),
            ("https://host/1", "no public key"),
            ("https://@host/1", "public key is empty"),
            ("https://:secret@host/1", "public key is empty"),
            ("https://k y@host/1", "keys may have"),
            ("https://k,sentry_key=x@host/1", "keys may have"),
            ("https://key@/1", "host is empty"),
            ("https://key@ho st/1", "host is neither"),
            ("https://key@b\u{fc}ro.example/1", "host is neither"),
            ("https://key@[::1/1", "host is neither"),
            ("https://key@::1/1", "host is neither"),
            ("https://key@host@other/1", "host is neither"),
            ("https://key@host:/1", "not between 1 and 65535"),
            ("https://key@host:0/1", "not between 1 and 65535"),
            ("https://key@host:65536/1", "not between 1 and 65535"),
            ("https://key@host:+80/1", "port is not a number"),
            ("https://key@host/a b/1", "path and project id"),
            ("https://key@host/1?x=y", "path and project id"),
        ];
        for (text, rule) in rows {
            let message = Dsn::parse(text).unwrap_err().to_string();
            assert!(message.contains(rule), "{message} should say: {rule}");
            assert!(message.contains(ADVICE), "{message}");
        }
    }

    #[test]
    fn the_secret_is_neither_in_debug_nor_in_errors() {
        let dsn = Dsn::parse("https://key:hush@host/1").unwrap();
        assert_eq!(format!("{dsn:?}"), "Dsn(https://key:[Filtered]@host/1)");
        for broken in
            ["ftp://key:hush@host/1", "key:hush@host/1", "https://key:hush@host", "https://key:h@ush@host/1"]
        {
            let error = Dsn::parse(broken).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("ush"), "{error}");
        }
    }

    #[test]
    fn a_misplaced_scheme_does_not_show_the_secret() {
        let rows = [
            ("key:hush@https://host/1", "`key:[Filtered]@https://host/1`", "the scheme behind the keys"),
            ("key:://hush@host/1", "`key:[Filtered]@host/1`", "a scheme's end in the secret"),
            ("https://key:hush@http://host@x", "`https://key:[Filtered]@x`", "a second scheme"),
        ];
        for (broken, shown, reason) in rows {
            let error = Dsn::parse(broken).unwrap_err().to_string();
            assert!(error.contains(shown), "{reason}: {error}");
        }
    }

    #[test]
    fn only_a_host_that_starts_with_o_and_digits_names_an_organisation() {
        let rows = [
            ("o1.ingest.us.sentry.io", Some("1"), "the specification's example"),
            ("o123456.ingest.sentry.io", Some("123456"), "several digits"),
            ("O7.ingest.sentry.io", Some("7"), "hosts know no case"),
            ("o.ingest.sentry.io", None, "no digits"),
            ("o1x.ingest.sentry.io", None, "more than digits"),
            ("o1", None, "no dot"),
            ("sentry.o1.example", None, "not at the start"),
            ("org1.example", None, "another word"),
        ];
        for (host, org, reason) in rows {
            let dsn = Dsn::parse(&format!("https://key@{host}/1")).unwrap();
            assert_eq!(dsn.org_id(), org, "{reason}");
        }
    }

    proptest! {
        #[test]
        fn printing_then_parsing_is_identity(
            text in "https?://[a-z0-9]{1,8}(:[a-z0-9]{1,8})?@[a-z0-9.-]{1,20}(:[1-9][0-9]{0,3})?(/[a-z0-9._-]{1,6}){1,3}"
        ) {
            let dsn = Dsn::parse(&text).unwrap();
            prop_assert_eq!(dsn.to_string(), &text[..]);
            prop_assert_eq!(Dsn::parse(&dsn.to_string()), Ok(dsn));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}", tail in "(https?://)?[a-z:@/\\[\\].0-9\u{e9}]{0,40}") {
            let _ = Dsn::parse(&text);
            let _ = Dsn::parse(&tail);
        }
    }
}
