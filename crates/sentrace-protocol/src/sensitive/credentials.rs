//! Values of `Authorization` headers, recognised by their form.

/// Returns `true` if all of a text is the value of an `Authorization` header: it begins with `Bearer ` or `Basic `, or with
/// another scheme and what looks like its parameters. In any case, also in quotes or behind the header's name.
///
/// ```
/// use sentrace_protocol::sensitive::is_credential;
///
/// assert!(is_credential("Bearer abc") && is_credential("Digest username=\"me\""));
/// assert!(!is_credential("Digest of the day"));
/// ```
pub fn is_credential(text: &str) -> bool {
    const LONGEST: usize = 24;

    if !begins_like_a_scheme(text.as_bytes()) {
        return false;
    }
    let text = text.trim_start_matches([' ', '\t', '"', '\'']);
    let Some(end) = text.bytes().take(LONGEST).position(|byte| matches!(byte, b' ' | b'\t')) else {
        return false;
    };
    let (scheme, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let is_one_of = |schemes: &[&str]| schemes.iter().any(|other| scheme.eq_ignore_ascii_case(other));
    if rest.is_empty() {
        false
    } else if is_one_of(&["bearer", "basic", "authorization:", "proxy-authorization:"]) {
        true
    } else if is_one_of(&SCHEMES) || starts_with(scheme, "aws4-") || starts_with(scheme, "scram-") {
        has_parameters(rest)
    } else {
        false
    }
}

/// Nearly no text does.
#[inline]
fn begins_like_a_scheme(text: &[u8]) -> bool {
    let [first, second, ..] = text else { return false };
    match first.to_ascii_lowercase() {
        b' ' | b'\t' | b'"' | b'\'' => true,
        first => matches!(
            &[first, second.to_ascii_lowercase()],
            b"ap"
                | b"au"
                | b"aw"
                | b"ba"
                | b"be"
                | b"co"
                | b"di"
                | b"dp"
                | b"gn"
                | b"ha"
                | b"hm"
                | b"ho"
                | b"ke"
                | b"ma"
                | b"mu"
                | b"ne"
                | b"nt"
                | b"oa"
                | b"pr"
                | b"sc"
                | b"sh"
                | b"si"
                | b"ss"
                | b"to"
                | b"va"
        ),
    }
}

/// Schemes of HTTP authentication besides Bearer and Basic, registered or usual. Some are words that texts begin with.
const SCHEMES: [&str; 20] = [
    "apikey",
    "concealed",
    "digest",
    "dpop",
    "gnap",
    "hawk",
    "hmac",
    "hoba",
    "key",
    "mac",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "privatetoken",
    "sharedaccesssignature",
    "signature",
    "ssws",
    "token",
    "vapid",
];

/// `name=value`, or one word that is too long to be English.
fn has_parameters(text: &str) -> bool {
    const LONG: usize = 16;

    let is_token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let word = text.split([' ', '\t']).next().unwrap_or_default();
    let is_all = word.len() == text.trim_end_matches([' ', '\t', '"', '\'']).len();
    word.contains('=') || (is_all && word.len() >= LONG && word.bytes().all(is_token68))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start))
}
