//! What is shown of a value.

use std::borrow::Cow;

use super::FILTERED;
use super::names::is_sensitive_field;
use super::nested::{
    Depth, filter_query_within, filter_url_within, filter_within, is_secret, until_it_stays,
};
use super::query_values::filter;

/// Returns a text without the secrets that can be recognised by their form, each replaced by [`FILTERED`]:
///
/// - all of a text that is the value of an `Authorization` header (see [`is_credential`](crate::sensitive::is_credential)),
/// - JSON Web Tokens,
/// - in URLs of any scheme, what [`filter_url`] replaces: credentials before the host, sensitive parameters.
///
/// ```
/// use sentrace_protocol::sensitive::filter_text;
///
/// assert_eq!(filter_text("Bearer abc"), "[Filtered]");
/// assert_eq!(filter_text("lost redis://:hush@cache/0"), "lost redis://[Filtered]:[Filtered]@cache/0");
/// assert_eq!(filter_text("SELECT 1"), "SELECT 1");
/// ```
pub fn filter_text(text: &str) -> Cow<'_, str> {
    until_it_stays(text, |text| filter_within(text, Depth::START))
}

/// Returns the value of an attribute without its secrets: [`FILTERED`] if the name [is sensitive](is_sensitive_field), else
/// what [`filter_value`] leaves.
///
/// ```
/// use sentrace_protocol::sensitive::filter_field;
///
/// assert_eq!(filter_field("api_key", "abc"), "[Filtered]");
/// assert_eq!(filter_field("url.query", "page=2&sig=abc"), "page=2&sig=[Filtered]");
/// ```
pub fn filter_field<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if is_sensitive_field(name) { Cow::Borrowed(FILTERED) } else { filter_value(name, value) }
}

/// Returns the value of an attribute that an application chose to record, without the secrets that can be recognised in it:
/// what [`filter_url`] or [`filter_query`] leaves if the name says that the value is one, else what [`filter_text`] leaves.
///
/// ```
/// use sentrace_protocol::sensitive::filter_value;
///
/// assert_eq!(filter_value("db.url", "redis://:hush@cache"), "redis://[Filtered]:[Filtered]@cache");
/// assert_eq!(filter_value("cart.key", "abc"), "abc");
/// ```
pub fn filter_value<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if is_query(name) {
        filter_query(value.strip_prefix(['?', '#']).unwrap_or(value))
    } else if is_url(name) {
        filter_url(value)
    } else {
        filter_text(value)
    }
}

fn is_url(name: &str) -> bool {
    let last = name.rsplit(['.', '_']).next().unwrap_or_default();
    ["url", "uri", "location", "referer"].iter().any(|word| last.eq_ignore_ascii_case(word))
        || name == "url.full"
        || name == "http.target"
}

fn is_query(name: &str) -> bool {
    // Not `db.query`, which is SQL.
    ["url.query", "http.query", "url.fragment", "http.fragment", "query_string", "querystring"]
        .iter()
        .any(|query| name.eq_ignore_ascii_case(query))
}

/// Returns a URL without its secrets, each replaced by [`FILTERED`]: credentials before the host, values of
/// [sensitive parameters](super::is_sensitive_parameter) in query and fragment, and what [`filter_text`](super::filter_text) finds.
///
/// ```
/// use sentrace_protocol::sensitive::filter_url;
///
/// let url = filter_url("https://me:hush@example.com/a?page=2&sig=abc#access_token=def");
/// assert_eq!(url, "https://[Filtered]:[Filtered]@example.com/a?page=2&sig=[Filtered]#access_token=[Filtered]");
/// ```
pub fn filter_url(url: &str) -> Cow<'_, str> {
    until_it_stays(url, |url| filter_url_within(url, Depth::START))
}

/// Returns a query (without its `?`) in which secrets are replaced by [`FILTERED`]: the values of
/// [sensitive parameters](crate::sensitive::is_sensitive_parameter), and values that are secrets by their form.
///
/// ```
/// use sentrace_protocol::sensitive::filter_query;
///
/// assert_eq!(filter_query("page=2&sig=abc"), "page=2&sig=[Filtered]");
/// assert_eq!(filter_query("next=redis%3A%2F%2F:hush@cache"), "next=[Filtered]");
/// ```
pub fn filter_query(query: &str) -> Cow<'_, str> {
    until_it_stays(query, |query| filter_query_within(query, Depth::START))
}

/// Returns a query (without its `?`) in which values that are secrets by their form are replaced by [`FILTERED`], whatever
/// their parameters are named: for what [`filter_query_into`](crate::sensitive::filter_query_into) has written.
///
/// ```
/// use sentrace_protocol::sensitive::filter_query_values;
///
/// assert_eq!(filter_query_values("a=1&b=Bearer+abc"), "a=1&b=[Filtered]");
/// ```
pub fn filter_query_values(query: &str) -> Cow<'_, str> {
    filter(query, &|_, value| is_secret(value, Depth::START))
}

/// Returns the value of an option for an error message, without what could be a secret: everything before the last `@`,
/// however broken the value is, and what [`filter_url`] replaces.
///
/// ```
/// use sentrace_protocol::sensitive::filter_option;
///
/// assert_eq!(filter_option("me:hu/sh@proxy:3128"), "[Filtered]@proxy:3128");
/// assert_eq!(filter_option("http://me:hush@pro xy"), "http://[Filtered]@pro xy");
/// ```
pub fn filter_option(value: &str) -> Cow<'_, str> {
    let Some(at) = value.rfind('@') else { return filter_url(value) };
    let scheme = value.find("://").map(|at| at + 3).filter(|end| *end <= at && is_scheme(&value[..*end - 3]));
    let scheme = &value[..scheme.unwrap_or_default()];
    Cow::Owned(format!("{scheme}{FILTERED}{}", filter_url(&value[at..])))
}

fn is_scheme(text: &str) -> bool {
    text.trim_start().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}
