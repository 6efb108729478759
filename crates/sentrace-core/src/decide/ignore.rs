//! Spans that are not recorded: `ignore_spans`.

use std::borrow::Cow;
use std::fmt;

use sentrace_protocol::{Value, http_method};

use crate::decide::transaction_options::TransactionOptions;
use crate::record::derived::derived_attribute;
use crate::record::span_name::{Attributes, derived_name, streamed_op, text_of};
use crate::record::{MANUAL, full_name};
use crate::util::pattern::{Pattern, PatternError};

/// One entry of [`Options::ignore_spans`](crate::Options::ignore_spans): spans that are not
/// recorded.
///
/// A rule is checked when a span starts, by the name and the attributes that the span has by then.
/// All conditions of a rule must match, and case counts (Sentry SDK specification, *Spans* 1.0,
/// `ignore_spans`).
///
/// | lifecycle | name of a request's transaction | name of a span |
/// |---|---|---|
/// | [`Static`](crate::TraceLifecycle::Static) | `GET /users/123`, or `GET /users/{id}` if the route is known | its description, or its op if it has none |
/// | [`Stream`](crate::TraceLifecycle::Stream) | `GET`, or `GET /users/{id}` if the route is known | `GET api.example.com`, `SELECT users`, or the name given by code |
///
/// Each span has the attributes `sentry.op` and `sentry.origin`. Those of requests are
/// `http.request.method` (`_OTHER` for unknown methods, which are in
/// `http.request.method_original`), `http.route`, `url.path`, `url.scheme` and
/// `user_agent.original`.
///
/// Streamed names contain no paths, queries or statements. A rule for these moves to the attribute
/// that has the text. It then means the same in both lifecycles:
///
/// | rule for names in static mode | rule for both lifecycles |
/// |---|---|
/// | `IgnoreSpan::contains("/health")` | `IgnoreSpan::any().attribute("url.path", "/health")` |
/// | `IgnoreSpan::regex("^GET /assets/")?` | `IgnoreSpan::any().attribute_regex("url.path", "^/assets/")?` |
/// | `IgnoreSpan::contains("GET /users/{id}")` | the same if the route is known when the request arrives, else by `url.path` |
///
/// ```
/// use sentrace_core::IgnoreSpan;
///
/// let probes = IgnoreSpan::any().op("http.server").attribute("user_agent.original", "kube-probe/");
/// ```
#[derive(Clone)]
pub struct IgnoreSpan {
    name: Option<Pattern>,
    attributes: Vec<(Cow<'static, str>, Pattern)>,
}

impl IgnoreSpan {
    /// Matches spans whose name contains `text`.
    pub fn contains(text: impl Into<String>) -> Self {
        Self { name: Some(Pattern::Contains(text.into())), attributes: Vec::new() }
    }

    /// Matches spans in whose name `pattern` is found (the syntax of the `regex-lite` crate).
    ///
    /// # Errors
    /// Returns a [`PatternError`] if the pattern is not a regular expression.
    pub fn regex(pattern: &str) -> Result<Self, PatternError> {
        let name = Pattern::regex("ignored span", "IgnoreSpan", pattern)?;
        Ok(Self { name: Some(name), attributes: Vec::new() })
    }

    /// Matches spans of every name: all spans, unless restricted by [`op`](Self::op) or
    /// [`attribute`](Self::attribute).
    pub fn any() -> Self {
        Self { name: None, attributes: Vec::new() }
    }

    /// Restricts the rule to spans whose op contains `text`.
    #[must_use]
    pub fn op(self, text: impl Into<String>) -> Self {
        self.attribute("sentry.op", text)
    }

    /// Restricts the rule to spans whose attribute `key` contains `text`. A span without the
    /// attribute is not ignored.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        self.attributes.push((key.into(), Pattern::Contains(text.into())));
        self
    }

    /// Restricts the rule to spans in whose attribute `key` the regular expression `pattern` is
    /// found. A span without the attribute is not ignored.
    ///
    /// ```
    /// use sentrace_core::IgnoreSpan;
    ///
    /// let assets = IgnoreSpan::any().attribute_regex("url.path", r"\.(css|js|png)$")?;
    /// # Ok::<(), sentrace_core::PatternError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`PatternError`] if the pattern is not a regular expression.
    pub fn attribute_regex(
        mut self,
        key: impl Into<Cow<'static, str>>,
        pattern: &str,
    ) -> Result<Self, PatternError> {
        self.attributes.push((key.into(), Pattern::regex("ignored span", "IgnoreSpan", pattern)?));
        Ok(self)
    }

    /// Returns `true` if the rule matches every span, like a rule that is unfinished.
    pub(crate) fn matches_everything(&self) -> bool {
        let every_name = self.name.as_ref().is_none_or(Pattern::matches_everything);
        // Every span has an op.
        every_name
            && self.attributes.iter().all(|(key, pattern)| key == "sentry.op" && pattern.matches_everything())
    }

    /// Returns `true` if the rule matches a span that starts. `streamed` says which of its two names it has.
    pub(crate) fn matches(&self, span: &NewSpan<'_>, streamed: bool) -> bool {
        let has = |(key, pattern): &(Cow<'static, str>, Pattern)| match span.attribute(key, streamed) {
            Some(Value::Str(value)) => pattern.is_match(&value),
            _ => false,
        };
        self.name.as_ref().is_none_or(|pattern| pattern.is_match(&span.name(streamed)))
            && self.attributes.iter().all(has)
    }
}

impl<T: Into<String>> From<T> for IgnoreSpan {
    fn from(text: T) -> Self {
        Self::contains(text)
    }
}

impl fmt::Debug for IgnoreSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str("IgnoreSpan::any()")?,
            Some(pattern) => pattern.fmt_as("IgnoreSpan", f)?,
        }
        self.attributes.iter().try_for_each(|(key, pattern)| match pattern {
            Pattern::Contains(text) => write!(f, ".attribute({key:?}, {text:?})"),
            Pattern::Regex(regex) => write!(f, ".attribute_regex({key:?}, {:?})", regex.as_str()),
        })
    }
}

/// A span before it starts.
pub(crate) enum NewSpan<'a> {
    Segment(&'a TransactionOptions<'a>),
    Child { op: &'a str, description: &'a str, known: Option<StartAttributes<'a>> },
}

/// What an adapter knows of a span before it starts.
#[derive(Clone, Copy)]
pub(crate) struct StartAttributes<'a> {
    pub(crate) of: &'a dyn Attributes,
    pub(crate) origin: &'static str,
    /// Whether the attributes name it in stream mode.
    pub(crate) derives_name: bool,
}

impl NewSpan<'_> {
    fn name(&self, streamed: bool) -> Cow<'_, str> {
        let (given, derives_name) = match self {
            Self::Segment(options) => (full_name(options.name), options.derives_name),
            Self::Child { op, description, known } => (
                Cow::Borrowed(if description.is_empty() { *op } else { *description }),
                known.is_some_and(|known| known.derives_name),
            ),
        };
        let derived = (streamed && derives_name)
            .then(|| derived_name(self.op(streamed), |key| text_of(self.attribute(key, streamed)?)));
        derived.flatten().map_or(given, Cow::Owned)
    }

    fn op(&self, streamed: bool) -> &str {
        let (op, origin) = match self {
            Self::Segment(options) => (&*options.op, options.origin),
            Self::Child { op, known, .. } => (*op, known.map_or(MANUAL, |known| known.origin)),
        };
        if streamed { streamed_op(op, origin) } else { op }
    }

    fn attribute(&self, key: &str, streamed: bool) -> Option<Value<'_>> {
        let options = match (key, self) {
            ("sentry.op", _) => return Some(self.op(streamed).into()),
            (_, Self::Segment(options)) => options,
            (_, Self::Child { known: None, .. }) => return None,
            ("sentry.origin", Self::Child { known: Some(known), .. }) => return Some(known.origin.into()),
            (_, Self::Child { known: Some(known), .. }) => return derived_attribute(key, known.of),
        };
        if let Some((_, value)) = options.attributes.iter().find(|(known, _)| *known == key) {
            return Some(value.clone());
        }
        let request = options.request;
        Some(match key {
            "sentry.origin" => options.origin.into(),
            "http.request.method" => {
                http_method::known(request?.method()).unwrap_or(http_method::OTHER).into()
            }
            "http.request.method_original" => {
                Some(request?.method()).filter(|method| http_method::known(method).is_none())?.into()
            }
            "http.route" => request?.route()?.into(),
            "url.path" => request?.path().into(),
            "url.scheme" => request?.scheme().into(),
            "user_agent.original" => {
                let mut found = None;
                request?.for_each_header(&mut |name, value| {
                    if name == "user-agent" {
                        found = Some(String::from_utf8_lossy(value).into_owned().into());
                    }
                });
                found?
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_asks_for_all_that_it_says() {
        let child = |op, description| NewSpan::Child { op, description, known: None };
        let select = || child("db.query", "SELECT price FROM cart");
        let rows = [
            (IgnoreSpan::contains("price"), select(), true, "a part of the name"),
            ("cart".into(), select(), true, "plain text is a part of the name"),
            (IgnoreSpan::contains("Price"), select(), false, "case counts"),
            (IgnoreSpan::regex("^SELECT .* FROM cart$").unwrap(), select(), true, "the whole name"),
            (IgnoreSpan::regex("^UPDATE").unwrap(), select(), false, "another start"),
            (IgnoreSpan::any(), select(), true, "everything"),
            (IgnoreSpan::any().op("db"), select(), true, "a part of the op"),
            (IgnoreSpan::any().op("http"), select(), false, "another op"),
            (IgnoreSpan::contains("price").op("http"), select(), false, "both must be true"),
            (IgnoreSpan::any().attribute("url.path", ""), select(), false, "an attribute that is not there"),
            (
                IgnoreSpan::any().attribute_regex("sentry.op", "^db").unwrap(),
                select(),
                true,
                "a pattern for an attribute",
            ),
            (
                IgnoreSpan::any().attribute_regex("sentry.op", "^query").unwrap(),
                select(),
                false,
                "another start of it",
            ),
            (
                IgnoreSpan::contains("cache.get"),
                child("cache.get", ""),
                true,
                "the op is the name of a span without description",
            ),
        ];
        for (rule, span, expected, reason) in rows {
            assert_eq!(rule.matches(&span, false), expected, "{rule:?}: {reason}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_named() {
        let error = IgnoreSpan::regex("(").unwrap_err().to_string();
        assert!(error.contains("\"(\"") && error.contains("IgnoreSpan::contains"), "{error}");
    }
}
