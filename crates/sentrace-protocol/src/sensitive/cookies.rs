//! Cookies, one by one: most name a session, and some name a setting.

use super::{FILTERED, is_sensitive};

/// A cookie whose name contains one of these, in either case, grants access or identifies a person, besides those with one
/// of the [`SENSITIVE_TERMS`](super::SENSITIVE_TERMS).
pub const SENSITIVE_COOKIE_TERMS: &[&str] = &[
    ".sid",
    "2fa",
    "__host-",
    "__secure-",
    "__stripe",
    "akamai",
    "awsalb",
    "awselb",
    "cognito",
    "firebase",
    "mfa",
    "nonce",
    "oidc",
    "pkce",
    "remember",
    "sb-",
    "sessid",
    "supabase",
];

/// Returns `true` if a cookie of this name has a value that must not be shown.
///
/// ```
/// use sentrace_protocol::sensitive::is_sensitive_cookie;
///
/// assert!(is_sensitive_cookie("__Host-cart") && is_sensitive_cookie("connect.sid"));
/// assert!(!is_sensitive_cookie("theme"));
/// ```
pub fn is_sensitive_cookie(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_sensitive(name) || SENSITIVE_COOKIE_TERMS.iter().any(|term| lower.contains(term))
}

/// Splits the value of a `Cookie` header field into its cookies, each `name=value`. The value is `[Filtered]` if `hides`
/// returns `true` for the name. What has no name is `[Filtered]` as a whole, and so is a field without any cookie.
///
/// Sentry SDK specification, *Data Collection*, cookies.
///
/// ```
/// use sentrace_protocol::sensitive::{filter_cookies, is_sensitive_cookie};
///
/// let shown = filter_cookies("theme=dark; connect.sid=1", is_sensitive_cookie);
/// assert_eq!(shown, ["theme=dark", "connect.sid=[Filtered]"]);
/// ```
pub fn filter_cookies(field: &str, hides: impl Fn(&str) -> bool) -> Vec<String> {
    let mut shown: Vec<String> =
        field.split(';').filter_map(|cookie| filter_cookie(cookie, &hides)).collect();
    if shown.is_empty() {
        shown.push(FILTERED.to_owned());
    }
    shown
}

/// Returns the cookie of a `Set-Cookie` header field without its attributes, as [`filter_cookies`] does.
///
/// ```
/// use sentrace_protocol::sensitive::{filter_set_cookie, is_sensitive_cookie};
///
/// assert_eq!(filter_set_cookie("theme=light; Path=/; HttpOnly", is_sensitive_cookie), "theme=light");
/// ```
pub fn filter_set_cookie(field: &str, hides: impl Fn(&str) -> bool) -> String {
    let cookie = field.split(';').next().unwrap_or_default();
    filter_cookie(cookie, &hides).unwrap_or_else(|| FILTERED.to_owned())
}

/// `None` if there is nothing.
fn filter_cookie(cookie: &str, hides: &impl Fn(&str) -> bool) -> Option<String> {
    let Some((name, value)) = cookie.split_once('=') else {
        return (!cookie.trim().is_empty()).then(|| FILTERED.to_owned());
    };
    let (name, value) = (name.trim(), value.trim());
    match (name.is_empty(), value.is_empty()) {
        (true, true) => None,
        (true, false) => Some(FILTERED.to_owned()),
        _ => Some([name, "=", if hides(name) { FILTERED } else { value }].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_shown_one_by_one() {
        let rows: [(&str, &[&str], &str); 5] = [
            (
                "user_session=abc; theme = dark; connect.sid=1; lonely; jwt=a=b; =; x=1",
                &[
                    "user_session=[Filtered]",
                    "theme=dark",
                    "connect.sid=[Filtered]",
                    "[Filtered]",
                    "jwt=[Filtered]",
                    "x=1",
                ],
                "vector 59",
            ),
            (" ; = ; ", &["[Filtered]"], "vector 61: no cookie"),
            ("=secret; a=", &["[Filtered]", "a="], "no name, and no value"),
            ("MFA_Code=1; lang=de", &["MFA_Code=[Filtered]", "lang=de"], "case does not count"),
            ("", &["[Filtered]"], "an empty field"),
        ];
        for (field, shown, reason) in rows {
            assert_eq!(filter_cookies(field, is_sensitive_cookie), shown, "{reason}");
        }
        let set = ["theme=light; Path=/; HttpOnly", "__Host-a=1; Secure", "; Path=/"];
        let shown = set.map(|field| filter_set_cookie(field, is_sensitive_cookie));
        assert_eq!(shown, ["theme=light", "__Host-a=[Filtered]", "[Filtered]"], "vector 60");
    }
}
