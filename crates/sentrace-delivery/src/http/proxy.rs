//! The proxy that an option or the environment names.

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use sentrace_core::diagnostics;
use sentrace_protocol::sensitive;

use super::target::Target;

/// A proxy, reached over `http` or `https`.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    uri: Uri,
    auth: Option<HeaderValue>,
}

impl Proxy {
    /// Parses the URL of a proxy, which may have a user name and a password, and may lack its scheme.
    pub(crate) fn named(url: &str, target: &Target) -> Option<Self> {
        let proxy = Self::of(&Matcher::builder().all(with_escaped_userinfo(url)).build(), target)?;
        proxy.is_http().then_some(proxy)
    }

    /// Returns the proxy for `target` by `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case.
    pub(crate) fn from_env(target: &Target) -> Option<Self> {
        Self::from_variables(|name| std::env::var(name).ok(), target)
    }

    fn from_variables(var: impl Fn(&str) -> Option<String>, target: &Target) -> Option<Self> {
        // A CGI program has the request header `Proxy` in `HTTP_PROXY`.
        if var("REQUEST_METHOD").is_some() {
            return None;
        }
        let first_of = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| Some((name, var(name)?))).unwrap_or((names[0], String::new()))
        };
        let all = first_of(["ALL_PROXY", "all_proxy"]);
        let http = first_of(["HTTP_PROXY", "http_proxy"]);
        let https = first_of(["HTTPS_PROXY", "https_proxy"]);
        let (_, no) = first_of(["NO_PROXY", "no_proxy"]);
        for (name, url) in [if target.is_https() { &https } else { &http }, &all] {
            let is_proxy =
                || Self::of(&Matcher::builder().all(with_escaped_userinfo(url)).build(), target).is_some();
            if !url.is_empty() && !is_proxy() {
                diagnostics::warn(format_args!(
                    "{name}, {:?}, is not the URL of a proxy and is ignored; it needs a host, and `http://` or `https://` \
                     before it",
                    sensitive::filter_option(url)
                ));
            }
        }
        let [all, http, https] = [&all, &http, &https].map(|(_, url)| with_escaped_userinfo(url));
        Self::of(&Matcher::builder().all(all).http(http).https(https).no(no).build(), target)
    }

    fn of(matcher: &Matcher, target: &Target) -> Option<Self> {
        matcher.intercept(target.uri()).map(|intercept| Self::from(&intercept))
    }

    /// Returns its URL without user name and password.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the value of `Proxy-Authorization`.
    pub(super) fn auth(&self) -> Option<&HeaderValue> {
        self.auth.as_ref()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Returns `false` for SOCKS, which the environment may name and which is not supported.
    pub(super) fn is_http(&self) -> bool {
        self.is_https() || self.uri.scheme() == Some(&Scheme::HTTP)
    }
}

/// Percent-encodes what cannot stand in a user name and password. The URL of a proxy has no path, so its last `@` ends them,
/// whatever they contain.
fn with_escaped_userinfo(url: &str) -> String {
    let url = url.trim();
    let Some(at) = url.rfind('@') else { return url.to_owned() };
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let scheme = url[..at].find("://").filter(|end| url[..*end].bytes().all(is_scheme));
    let start = scheme.map_or(0, |end| end + "://".len());
    let mut escaped = url[..start].to_owned();
    let userinfo = &url.as_bytes()[start..at];
    for (index, byte) in userinfo.iter().enumerate() {
        let is_escape = || {
            let digits = userinfo.get(index + 1..index + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        match byte {
            b'%' if is_escape() => escaped.push('%'),
            b'!' | b'$' | b'&'..=b'.' | b'0'..=b';' | b'=' | b'A'..=b'Z' | b'_' | b'a'..=b'z' | b'~' => {
                escaped.push(char::from(*byte));
            }
            other => escaped.extend(['%', hex(other >> 4), hex(other & 15)]),
        }
    }
    escaped + &url[at..]
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0')
}

impl From<&Intercept> for Proxy {
    fn from(intercept: &Intercept) -> Self {
        let mut auth = intercept.basic_auth().cloned();
        if let Some(auth) = &mut auth {
            auth.set_sensitive(true);
        }
        Self { uri: intercept.uri().clone(), auth }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_its_url() {
        let target = Target::parse("https://example.com/").unwrap();
        let rows = [
            ("http://proxy.internal:3128", Some("http://proxy.internal:3128/"), None, "plain"),
            ("https://proxy.internal", Some("https://proxy.internal/"), None, "encrypted"),
            ("proxy.internal:3128", Some("http://proxy.internal:3128/"), None, "without a scheme"),
            (
                "http://me:hu%73h@proxy.internal/path",
                Some("http://proxy.internal/"),
                Some("Basic bWU6aHVzaA=="),
                "with a password",
            ),
            ("http://me:p@ss@proxy", Some("http://proxy/"), Some("Basic bWU6cEBzcw=="), "with an @ in it"),
            ("http://m@e:p@ss@proxy", Some("http://proxy/"), Some("Basic bUBlOnBAc3M="), "with several"),
            (
                "http://me:p/s?s#@proxy:1",
                Some("http://proxy:1/"),
                Some("Basic bWU6cC9zP3Mj"),
                "with what ends a host",
            ),
            ("http://me:1/2@proxy:1", Some("http://proxy:1/"), Some("Basic bWU6MS8y"), "behind a number"),
            ("http://me:p ss@proxy", Some("http://proxy/"), Some("Basic bWU6cCBzcw=="), "with a blank"),
            (
                "http://me:p%s%@proxy",
                Some("http://proxy/"),
                Some("Basic bWU6cCVzJQ=="),
                "with a percent sign",
            ),
            ("http://me:p%40ss@proxy", Some("http://proxy/"), Some("Basic bWU6cEBzcw=="), "escaped already"),
            ("http://me:\u{fc}@proxy", Some("http://proxy/"), Some("Basic bWU6w7w="), "in UTF-8"),
            ("me:p@ss@proxy:1", Some("http://proxy:1/"), Some("Basic bWU6cEBzcw=="), "without a scheme"),
            ("me:p://ss@proxy:1", Some("http://proxy:1/"), Some("Basic bWU6cDovL3Nz"), "with half of one"),
            ("  http://proxy:1\n", Some("http://proxy:1/"), None, "with blanks around it"),
            ("socks5://proxy.internal:1080", None, None, "not spoken"),
            ("http://exa mple", None, None, "no URL"),
            ("", None, None, "nothing"),
        ];
        for (url, uri, auth, reason) in rows {
            let proxy = Proxy::named(url, &target);
            assert_eq!(proxy.as_ref().map(|proxy| proxy.uri().to_string()).as_deref(), uri, "{reason}");
            let told = proxy.as_ref().and_then(Proxy::auth);
            assert_eq!(told.map(|value| value.to_str().unwrap()), auth, "{reason}");
            assert!(!format!("{proxy:?}").contains("bWU6"), "{reason}");
        }
    }

    #[test]
    fn variables_name_proxies_as_other_programs_understand_them() {
        let row = |vars: &[(&str, &str)], url: &str| {
            let var = |name: &str| {
                vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let proxy = Proxy::from_variables(var, &Target::parse(url).unwrap())?;
            let auth = proxy.auth().map(|value| value.to_str().unwrap().to_owned());
            Some((proxy.uri().to_string(), auth))
        };
        let proxy = |host: &str| Some((format!("http://{host}/"), None));
        let (https, http) = ("https://example.com/", "http://example.com/");
        assert_eq!(row(&[], https), None);
        assert_eq!(row(&[("HTTPS_PROXY", "a:1"), ("ALL_PROXY", "b:1")], https), proxy("a:1"));
        assert_eq!(row(&[("HTTPS_PROXY", "a:1"), ("ALL_PROXY", "b:1")], http), proxy("b:1"));
        assert_eq!(row(&[("http_proxy", "a:1")], http), proxy("a:1"), "lower case");
        assert_eq!(row(&[("HTTP_PROXY", ""), ("http_proxy", "a:1")], http), None, "upper case wins");
        assert_eq!(row(&[("HTTP_PROXY", "a:1"), ("no_proxy", ".com")], http), None, "an exception");
        assert_eq!(row(&[("HTTP_PROXY", "a:1"), ("REQUEST_METHOD", "GET")], http), None, "a CGI program");
        assert_eq!(
            row(&[("HTTP_PROXY", "http://me:hu@sh@b c"), ("ALL_PROXY", "a:1")], http),
            proxy("a:1"),
            "not a URL"
        );
        let password = Some(("http://a:1/".to_owned(), Some("Basic bWU6cEBzcw==".to_owned())));
        assert_eq!(row(&[("https_proxy", "http://me:p@ss@a:1")], https), password, "an @ in the password");
    }
}
