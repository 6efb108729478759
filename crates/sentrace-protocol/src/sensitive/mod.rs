//! What must not be reported: names whose values are secrets, and secrets that can be recognised by their form.
//!
//! | recorded | function |
//! |---|---|
//! | a header, a cookie | [`is_sensitive`] and [`is_personal`] judge its name, [`filter_text`] its value |
//! | a query | [`filter_query`], or [`filter_query_into`] with other rules |
//! | a URL | [`filter_url`] |
//! | an attribute, such as a field of a `tracing` span | [`filter_field`] |
//! | an attribute whose name was chosen for Sentry | [`filter_value`] |
//! | any other text | [`filter_text`], and [`filter_pairs`] where it may be a struct, a map or JSON |
//! | an option's value in an error message | [`filter_option`] |
//!
//! Sentry SDK specification, *Data Collection* and *Data Handling*.

mod cookies;
mod credentials;
mod names;
mod nested;
mod pairs;
mod query_values;
mod terms;
mod tokens;
mod url_parts;
mod values;
mod well_known;

pub use self::cookies::{SENSITIVE_COOKIE_TERMS, filter_cookies, filter_set_cookie, is_sensitive_cookie};
pub use self::credentials::is_credential;
pub use self::names::{
    PERSONAL_TERMS, SENSITIVE_PARAMETER_TERMS, SENSITIVE_PARAMETERS, SENSITIVE_TERMS, is_personal,
    is_sensitive, is_sensitive_field, is_sensitive_or_personal, is_sensitive_parameter,
};
pub use self::pairs::filter_pairs;
pub use self::query_values::filter_query_into;
pub use self::url_parts::{UrlParts, filter_userinfo, split_url};
pub use self::values::{
    filter_field, filter_option, filter_query, filter_query_values, filter_text, filter_url, filter_value,
};

/// What stands in a report where a secret was.
pub const FILTERED: &str = "[Filtered]";

/// What sentrace asks on the path of each request. Not part of the API.
#[doc(hidden)]
pub mod fast_path {
    pub use super::names::may_have_sensitive_parameters;
    pub use super::url_parts::is_bare_url;
    pub use super::well_known::{ValueKind, WellKnownHeader, well_known_header};
}

#[cfg(test)]
mod tests;
