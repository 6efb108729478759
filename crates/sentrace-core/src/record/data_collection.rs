//! Which parts of a request are recorded.

use sentrace_protocol::sensitive;
use sentrace_protocol::sensitive::fast_path::{ValueKind, WellKnownHeader, may_have_sensitive_parameters};

/// Which keys of a collection (header names, query parameters) are recorded with their values.
///
/// Names on Sentry's denylist (`authorization`, `password`, `token`, `session`, … as parts of the
/// name, in any case) never show their values (Sentry SDK specification, *Data Collection*).
///
/// ```
/// use sentrace_core::Collect;
///
/// let everything_but_tenants = Collect::deny(["X-Tenant"]);
/// let only_two = Collect::allow(["accept", "content-type"]);
/// let nothing = Collect::Off;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collect(Mode);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    Off,
    Deny(Terms),
    Allow(Terms),
}

impl Collect {
    /// Records nothing, not even the keys.
    #[expect(
        non_upper_case_globals,
        reason = "the name of a choice, beside `Collect::deny` and `Collect::allow`"
    )]
    pub const Off: Self = Self(Mode::Off);

    /// Records all keys. Values are `[Filtered]` if the key contains a term of the denylist. This
    /// is the default.
    pub const fn deny_list() -> Self {
        Self(Mode::Deny(Terms(Vec::new())))
    }

    /// Records all keys. Values are `[Filtered]` if the key contains a term of the denylist or one
    /// of `terms`, in any case.
    pub fn deny(terms: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Mode::Deny(Terms::new(terms)))
    }

    /// Records all keys. Values are recorded only if the key contains one of `terms`, in any case,
    /// and no term of the denylist.
    pub fn allow(terms: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(Mode::Allow(Terms::new(terms)))
    }

    /// Returns `true` if the value of the header field `name` must not be recorded.
    pub(crate) fn hides(&self, name: &str, personal: bool) -> bool {
        let named =
            if personal { sensitive::is_sensitive(name) } else { sensitive::is_sensitive_or_personal(name) };
        named || self.hides_harmless(name)
    }

    /// Returns `true` if the value of the query parameter `name` must not be recorded.
    pub(crate) fn hides_parameter(&self, name: &str, personal: bool) -> bool {
        sensitive::is_sensitive_parameter(name)
            || (!personal && sensitive::is_personal(name))
            || self.hides_harmless(name)
    }

    /// Applies the chosen terms to a key that nothing else hides.
    #[inline]
    pub(crate) fn hides_harmless(&self, key: &str) -> bool {
        match &self.0 {
            Mode::Off => true,
            Mode::Deny(terms) => !terms.0.is_empty() && terms.are_in(key),
            Mode::Allow(terms) => !terms.are_in(key),
        }
    }
}

/// Terms in lower case, none of them empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms(Vec<String>);

impl Terms {
    fn new(terms: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let terms = terms.into_iter().map(|term| term.into().trim().to_lowercase());
        // An empty term would be part of every key.
        Self(terms.filter(|term| !term.is_empty()).collect())
    }

    fn are_in(&self, key: &str) -> bool {
        let key = key.to_lowercase();
        self.0.iter().any(|term| key.contains(term.as_str()))
    }
}

/// Which parts of a request the server layer records besides its method, path and status (Sentry
/// SDK specification, *Data Collection*).
///
/// | recorded | if |
/// |---|---|
/// | header fields | by [`request_headers`](Self::request_headers) |
/// | `http.request.body.size`, `user_agent.original` | their header fields are shown (`Content-Length`, `User-Agent`) |
/// | `http.server.request.time_in_queue`, in milliseconds | `X-Request-Start` is shown |
/// | `url.query`, and the query of `url.full` | by [`url_query`](Self::url_query) |
/// | `client.address`, the user's `ip_address`, values of `x-forwarded-for` and similar | by [`user_info`](Self::user_info) |
///
/// Off by default are cookies ([`cookies`](Self::cookies)) and header fields of responses
/// ([`response_headers`](Self::response_headers)). What other content spans may have is a choice of the client:
/// [`ContentCollection`](crate::ContentCollection).
///
/// These are always `[Filtered]`: values on the denylist, query parameters that grant access
/// (signatures of presigned URLs, OAuth's `code`), and secrets that are recognizable by their form
/// (values of `Authorization`, JSON Web Tokens, credentials in URLs).
///
/// ```
/// use sentrace_core::{Collect, DataCollection};
///
/// let sparing = DataCollection::new().request_headers(Collect::allow(["accept", "content-type"])).url_query(Collect::Off);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataCollection {
    request_headers: Collect,
    url_query: Collect,
    user_info: bool,
    /// If unset, cookies are header fields like others.
    cookies: Option<Collect>,
    response_headers: Collect,
}

impl Default for DataCollection {
    fn default() -> Self {
        Self::new()
    }
}

impl DataCollection {
    /// Records headers and query parameters by the denylist, and nothing that identifies a person.
    pub const fn new() -> Self {
        Self {
            request_headers: Collect::deny_list(),
            url_query: Collect::deny_list(),
            user_info: false,
            cookies: None,
            response_headers: Collect::Off,
        }
    }

    /// Sets which request headers are recorded.
    #[must_use]
    pub fn request_headers(mut self, collect: Collect) -> Self {
        self.request_headers = collect;
        self
    }

    /// Sets which query parameters are recorded.
    #[must_use]
    pub fn url_query(mut self, collect: Collect) -> Self {
        self.url_query = collect;
        self
    }

    /// Sets whether the client's address is recorded (`client.address`, and the user's
    /// `ip_address`), and whether headers that identify a person or an address (`x-forwarded-for`,
    /// `via`, `x-real-ip`, …) show their values. Off by default.
    #[must_use]
    pub fn user_info(mut self, collect: bool) -> Self {
        self.user_info = collect;
        self
    }

    /// Sets which cookies are recorded, of requests and responses: as elements of
    /// `http.request.header.cookie` and `http.response.header.set-cookie`, each with its name.
    ///
    /// Values of cookies that name a session or a person are always `[Filtered]`: besides the
    /// denylist, names with one of
    /// [`SENSITIVE_COOKIE_TERMS`](sentrace_protocol::sensitive::SENSITIVE_COOKIE_TERMS). With
    /// [`Collect::Off`] there are no cookies at all. Unless it is set, the fields are recorded as
    /// other header fields are, with `[Filtered]` as their value.
    ///
    /// ```
    /// use sentrace_core::{Collect, DataCollection};
    ///
    /// let with_cookies = DataCollection::new().cookies(Collect::deny_list());
    /// ```
    #[must_use]
    pub fn cookies(mut self, collect: Collect) -> Self {
        self.cookies = Some(collect);
        self
    }

    /// Sets which response headers are recorded, as `http.response.header.*`. None by default.
    ///
    /// ```
    /// use sentrace_core::{Collect, DataCollection};
    ///
    /// let with_headers = DataCollection::new().response_headers(Collect::deny(["x-internal"]));
    /// ```
    #[must_use]
    pub fn response_headers(mut self, collect: Collect) -> Self {
        self.response_headers = collect;
        self
    }

    /// Returns `true` if something of a response's header is recorded, for adapters.
    #[inline]
    pub fn records_response_headers(&self) -> bool {
        self.response_headers != Collect::Off || self.cookies.as_ref().is_some_and(|it| *it != Collect::Off)
    }

    /// Returns whether personal data is shown; it also is if the data stays on this machine.
    pub(crate) fn personal(&self, here_alone: bool) -> bool {
        self.user_info || here_alone
    }

    /// Returns the rules for header fields, or `None` if they are not recorded at all.
    pub(crate) fn headers(&self, personal: bool) -> Option<HeaderRules<'_>> {
        self.rules(&self.request_headers, personal)
    }

    /// Returns the rules for header fields of a response, or `None` if they are not recorded.
    pub(crate) fn response_rules(&self, personal: bool) -> Option<HeaderRules<'_>> {
        self.rules(&self.response_headers, personal)
    }

    /// Returns the rules for cookies alone, if no other header fields are recorded.
    pub(crate) fn only_cookies(&self, personal: bool) -> Option<HeaderRules<'_>> {
        let cookies = self.cookies.as_ref().filter(|collect| **collect != Collect::Off)?;
        let collect = &self.request_headers;
        (*collect == Collect::Off).then_some(HeaderRules {
            collect,
            chosen: true,
            personal,
            cookies: Some(cookies),
        })
    }

    /// Returns which cookies are recorded, if they are not header fields like others.
    pub(crate) fn cookie_rules(&self) -> Option<&Collect> {
        self.cookies.as_ref()
    }

    fn rules<'a>(&'a self, collect: &'a Collect, personal: bool) -> Option<HeaderRules<'a>> {
        let chosen = match &collect.0 {
            Mode::Off => return None,
            Mode::Deny(terms) => !terms.0.is_empty(),
            Mode::Allow(_) => true,
        };
        Some(HeaderRules { collect, chosen, personal, cookies: self.cookies.as_ref() })
    }

    /// Returns `true` if a query has nothing to hide, without parsing it.
    pub(crate) fn shows_all_of(&self, query: &str) -> bool {
        // A term that is nowhere in the text is in none of its keys, unless one is encoded.
        match &self.url_query.0 {
            Mode::Deny(terms) => {
                !query.as_bytes().contains(&b'%')
                    && !may_have_sensitive_parameters(query)
                    && (terms.0.is_empty() || !terms.are_in(query))
            }
            Mode::Off | Mode::Allow(_) => false,
        }
    }

    pub(crate) fn query(&self, personal: bool) -> Option<impl Fn(&str) -> bool + '_> {
        (self.url_query != Collect::Off)
            .then_some(move |name: &str| self.url_query.hides_parameter(name, personal))
    }
}

/// Which header fields show their values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeaderRules<'a> {
    collect: &'a Collect,
    /// Whether there are terms besides the denylist's. Found once for all fields, which saves 60
    /// instructions per request.
    chosen: bool,
    pub(crate) personal: bool,
    pub(crate) cookies: Option<&'a Collect>,
}

impl HeaderRules<'_> {
    pub(crate) fn hide(self, name: &str) -> bool {
        self.collect.hides(name, self.personal)
    }

    /// For a parameter of a URL in a header.
    pub(crate) fn hide_parameter(self, name: &str) -> bool {
        self.collect.hides_parameter(name, self.personal)
    }

    #[inline]
    pub(crate) fn hides_well_known(self, header: &WellKnownHeader) -> bool {
        let named =
            header.value == ValueKind::Sensitive || (header.value == ValueKind::Personal && !self.personal);
        named || (self.chosen && self.collect.hides_harmless(header.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_by_mode_and_always_by_the_denylist() {
        let rows = [
            (Collect::deny_list(), "accept", false, "harmless"),
            (Collect::deny_list(), "X-Api-Key", true, "on the denylist"),
            (Collect::deny_list(), "x-forwarded-for", true, "personal"),
            (Collect::deny(["Plan"]), "x-plan", true, "a term of one's own, in any case"),
            (Collect::deny(["X-Tenant"]), "x-tenant-id", true, "written as in a document"),
            (Collect::deny(vec!["X-TENANT".to_owned()]), "X-Tenant", true, "both in capitals"),
            (Collect::deny(["  x-tenant "]), "x-tenant", true, "with blanks around it"),
            (Collect::deny(["STRASSE", "\u{c4}"]), "\u{e4}", true, "letters beyond ASCII"),
            (Collect::deny([""]), "accept", false, "an empty term denies nothing"),
            (Collect::allow([""]), "accept", true, "and allows nothing"),
            (Collect::allow(["Accept"]), "accept", false, "allowed, in any case"),
            (Collect::allow(["accept"]), "accept", false, "allowed"),
            (Collect::allow(["accept"]), "user-agent", true, "not allowed"),
            (
                Collect::allow(["authorization"]),
                "authorization",
                true,
                "the denylist wins over the allowlist",
            ),
        ];
        for (collect, key, hidden, reason) in rows {
            assert_eq!(collect.hides(key, false), hidden, "{collect:?} {key}: {reason}");
            assert_eq!(collect.hides_parameter(key, false), hidden, "{collect:?} {key}: {reason}");
        }
        assert!(!Collect::deny_list().hides("x-forwarded-for", true), "personal values were asked for");
    }
}
