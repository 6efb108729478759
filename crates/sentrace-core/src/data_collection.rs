//! What of a request is recorded.

use sentrace_protocol::sensitive::{self, UsualHeader, ValueKind};

/// Which keys of a collection (header names, query parameters) are recorded with their values.
///
/// Names on Sentry's denylist (`authorization`, `password`, `token`, `session`, … as parts of the name, in any
/// case) never show their value, whatever is chosen (Sentry SDK specification, *Data Collection*).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Collect {
    /// Nothing, not even the keys.
    Off,
    /// All keys; values are `[Filtered]` where the key contains a term of the denylist or of this list.
    DenyList(Vec<String>),
    /// All keys; values only where the key contains a term of this list and none of the denylist.
    AllowList(Vec<String>),
}

impl Collect {
    /// Everything but what the denylist names. The default.
    pub const fn deny_list() -> Self {
        Self::DenyList(Vec::new())
    }

    /// The denylist and more `terms`.
    pub fn deny(terms: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::DenyList(lower(terms))
    }

    /// Only what contains one of `terms`.
    pub fn allow(terms: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::AllowList(lower(terms))
    }

    /// Whether the value of `key` must not be recorded.
    pub(crate) fn hides(&self, key: &str, personal: bool) -> bool {
        let named =
            if personal { sensitive::is_sensitive(key) } else { sensitive::is_sensitive_or_personal(key) };
        named || self.hides_harmless(key)
    }

    /// What is chosen of the keys that nothing else hides.
    #[inline]
    fn hides_harmless(&self, key: &str) -> bool {
        match self {
            Self::Off => true,
            Self::DenyList(terms) => !terms.is_empty() && contains_any(key, terms),
            Self::AllowList(terms) => !contains_any(key, terms),
        }
    }
}

/// What the server layer records of a request besides its method, path and status (Sentry SDK specification, *Data
/// Collection*): the one place where all of it is decided.
///
/// | recorded | where |
/// |---|---|
/// | header fields | by [`request_headers`](Self::request_headers) |
/// | `http.request.body.size`, `user_agent.original` | from header fields that may be shown (`Content-Length`, `User-Agent`) |
/// | `http.server.request.time_in_queue`, in milliseconds | from `X-Request-Start`, where that may be shown |
/// | `url.query`, and the query of `url.full` | by [`url_query`](Self::url_query) |
/// | `client.address`, the user's `ip_address`, values of `x-forwarded-for` and the like | by [`user_info`](Self::user_info) |
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
}

impl Default for DataCollection {
    fn default() -> Self {
        Self::new()
    }
}

impl DataCollection {
    /// Headers and query parameters by the denylist, nothing that names a person.
    pub const fn new() -> Self {
        Self { request_headers: Collect::deny_list(), url_query: Collect::deny_list(), user_info: false }
    }

    /// Which request headers are recorded.
    #[must_use]
    pub fn request_headers(mut self, collect: Collect) -> Self {
        self.request_headers = collect;
        self
    }

    /// Which query parameters are recorded.
    #[must_use]
    pub fn url_query(mut self, collect: Collect) -> Self {
        self.url_query = collect;
        self
    }

    /// Whether the address of the client is recorded (`client.address`, and the user's `ip_address`), and headers that
    /// identify a person or an address (`x-forwarded-for`, `via`, `x-real-ip`, …) show their values. Off by default.
    #[must_use]
    pub fn user_info(mut self, collect: bool) -> Self {
        self.user_info = collect;
        self
    }

    /// What is shown where somebody looks at this machine alone: whatever names a person, too.
    pub(crate) fn personal(&self, here_alone: bool) -> bool {
        self.user_info || here_alone
    }

    /// Who judges header fields; `None` where they are not recorded at all.
    pub(crate) fn headers(&self, personal: bool) -> Option<HeaderRules<'_>> {
        let collect = &self.request_headers;
        let chosen = match collect {
            Collect::Off => return None,
            Collect::DenyList(terms) => !terms.is_empty(),
            Collect::AllowList(_) => true,
        };
        Some(HeaderRules { collect, chosen, personal })
    }

    /// Whether a query has nothing to hide, found without taking it apart.
    pub(crate) fn shows_all_of(&self, query: &str, personal: bool) -> bool {
        // A term that is nowhere in the text is in none of its keys, unless one is encoded.
        matches!(self.url_query, Collect::DenyList(_))
            && !query.as_bytes().contains(&b'%')
            && !self.url_query.hides(query, personal)
    }

    pub(crate) fn query(&self, personal: bool) -> Option<impl Fn(&str) -> bool + '_> {
        (self.url_query != Collect::Off).then_some(move |key: &str| self.url_query.hides(key, personal))
    }
}

/// Which header fields show their values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeaderRules<'a> {
    collect: &'a Collect,
    /// Whether there are terms besides the denylist's: found out once for all fields, which saves 60 instructions a request.
    chosen: bool,
    personal: bool,
}

impl HeaderRules<'_> {
    pub(crate) fn hide(self, name: &str) -> bool {
        self.collect.hides(name, self.personal)
    }

    #[inline]
    pub(crate) fn hide_usual(self, header: &UsualHeader) -> bool {
        let named =
            header.value == ValueKind::Sensitive || (header.value == ValueKind::Personal && !self.personal);
        named || (self.chosen && self.collect.hides_harmless(header.name))
    }
}

fn lower(terms: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    terms.into_iter().map(|term| term.into().to_ascii_lowercase()).collect()
}

fn contains_any(key: &str, terms: &[String]) -> bool {
    let key = key.to_ascii_lowercase();
    terms.iter().any(|term| key.contains(term.as_str()))
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
        }
        assert!(!Collect::deny_list().hides("x-forwarded-for", true), "personal values were asked for");
    }
}
