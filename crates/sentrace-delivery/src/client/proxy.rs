//! The proxy on the way, by option or by environment.

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::Target;

/// A proxy, reached over `http` or `https`.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    uri: Uri,
    auth: Option<HeaderValue>,
}

impl Proxy {
    /// By its URL, which may have a name and a password, and may lack its scheme; `None` where it is none.
    pub(crate) fn named(url: &str, target: &Target) -> Option<Self> {
        let proxy = Self::of(&Matcher::builder().all(url).build(), target)?;
        proxy.is_http().then_some(proxy)
    }

    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in upper or lower case, for this target.
    pub(crate) fn of_environment(target: &Target) -> Option<Self> {
        Self::of(&Matcher::from_env(), target)
    }

    fn of(matcher: &Matcher, target: &Target) -> Option<Self> {
        matcher.intercept(target.uri()).map(|intercept| Self::from(&intercept))
    }

    /// Without name and password.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// What `Proxy-Authorization` says.
    pub(super) fn auth(&self) -> Option<&HeaderValue> {
        self.auth.as_ref()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// SOCKS, which an environment may name, is not spoken.
    pub(super) fn is_http(&self) -> bool {
        self.is_https() || self.uri.scheme() == Some(&Scheme::HTTP)
    }
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
}
