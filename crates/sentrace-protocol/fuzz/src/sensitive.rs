//! What must not be reported: a secret behind a sensitive name or in a URL's authority is never shown.

use http::Uri;
use sentrace_protocol::sensitive::fast_path::{is_bare_url, may_have_sensitive_parameters};
use sentrace_protocol::sensitive::{
    FILTERED, PERSONAL_TERMS, SENSITIVE_TERMS, filter_field, filter_option, filter_query, filter_query_into,
    filter_text, filter_url, filter_userinfo, is_personal, is_sensitive, is_sensitive_parameter,
    split_url,
};

use crate::input::decode_leniently;

/// Nothing else in an input has it, so wherever it is, a secret is shown.
const SECRET: &str = "HUSHHUSH";

/// Reads the input as a name, a query and a URL; then takes its lines for what stands around a secret.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_names(&text);
    check_query(&text);
    check_url(&text);
    check_text(&text);
    if !text.contains(SECRET) {
        let mut lines = text.split('\n').map(str::to_owned);
        let mut line = || lines.next().unwrap_or_default();
        let choices = line();
        let parts = [line(), line(), line(), line(), line(), line()];
        check_secret_in_query(choices.as_bytes(), &parts);
        check_secret_in_url(&parts);
        check_secret_in_text(&parts);
    }
}

fn check_names(name: &str) {
    assert_eq!(is_sensitive(name), contains_any(name, SENSITIVE_TERMS));
    assert_eq!(is_personal(name), contains_any(name, PERSONAL_TERMS));
}

fn check_query(query: &str) {
    let shown = filtered(query);
    assert_eq!(filtered(&shown), shown, "filtering is a fixpoint");
    assert_eq!(shown.split('&').count(), query.split('&').count(), "pairs stay pairs");

    let mut unchanged = String::from("before?");
    filter_query_into(query, |_| false, &mut unchanged);
    assert_eq!(unchanged, format!("before?{query}"), "where nothing is sensitive, nothing changes");
}

fn check_url(url: &str) {
    let filtered = filter_userinfo(url);
    assert_eq!(filter_userinfo(&filtered), filtered, "filtering is a fixpoint");

    assert_eq!(is_bare_url(url.as_bytes()), !url.contains(['@', '?', '#']));
    let parts = split_url(url);
    assert!(!parts.without_query.contains(['?', '#']));
    let mut joined = parts.without_query.into_owned();
    for (mark, part) in [('?', parts.query), ('#', parts.fragment)] {
        if let Some(part) = part {
            joined.push(mark);
            joined.push_str(part);
        }
    }
    assert_eq!(joined, filtered, "only credentials are lost");

    if let Ok(uri) = url.parse::<Uri>()
        && let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority())
        && let Some((_, host)) = authority.as_str().rsplit_once('@')
    {
        let start = format!("{scheme}://{FILTERED}:{FILTERED}@{host}");
        let is_filtered = filtered.get(..start.len()).is_some_and(|shown| shown.eq_ignore_ascii_case(&start));
        assert!(is_filtered, "{filtered} should start with {start}");
    }
}

/// What is shown is not changed again, and each part is judged as it is alone.
fn check_text(text: &str) {
    for filter in [filter_text, filter_url, filter_query, filter_option] {
        let shown = filter(text).into_owned();
        assert_eq!(filter(&shown), shown, "filtering is a fixpoint");
    }
    assert_eq!(filter_field("note", text), filter_text(text));
    assert!(!is_sensitive_parameter(text) || may_have_sensitive_parameters(text));
}

/// `{first} {scheme}://{user}:HUSHHUSH@{host}/{tail}`, `Bearer HUSHHUSH{tail}`
fn check_secret_in_text(parts: &[String; 6]) {
    let [first, scheme, user, _, host, tail] = parts;
    let word = |text: &String| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let (scheme, user, host) = (word(scheme), word(user), word(host));
    if [&scheme, &user, &host].iter().any(|word| word.contains(SECRET)) {
        return;
    }
    let text = format!("{first} {scheme}://{user}:{SECRET}@{host}/{tail}");
    assert!(!filter_text(&text).contains(SECRET), "{text:?} is shown as {:?}", filter_text(&text));
    let text = format!("Bearer {SECRET}{tail}");
    assert_eq!(filter_text(&text), FILTERED);
    for name in ["sig", "X-Amz-Credential", "code"] {
        let text = format!("{first} https://{host}/?{name}={SECRET} {tail}");
        assert!(!filter_text(&text).contains(SECRET), "{text:?} is shown as {:?}", filter_text(&text));
    }
}

/// `{first}&{before}token{behind}={left}HUSHHUSH{right}&{last}`, its `token` spelt in odd ways.
fn check_secret_in_query(choices: &[u8], parts: &[String; 6]) {
    let choice = |at: usize| choices.get(at).copied().unwrap_or_default();
    let [first, before, behind, left, right, last] = parts;
    let term = SENSITIVE_TERMS[usize::from(choice(0)) % SENSITIVE_TERMS.len()];
    let term = disguised(term, choice(1), choice(2));
    let name = format!("{before}{term}{behind}").replace(['&', '='], "_");
    if !contains_any(&decode_leniently(&name), SENSITIVE_TERMS) {
        return;
    }

    let left = left.replace('&', "_");
    let query = format!("{first}&{name}={left}{SECRET}{right}&{last}");
    let shown = filtered(&query);
    assert!(!shown.contains(SECRET), "`&` separates: {query} is shown as {shown}");

    let (name, left) = (name.replace(';', "_"), left.replace(';', "_"));
    if contains_any(&decode_leniently(&name), SENSITIVE_TERMS) {
        let query = format!("{first};{name}={left}{SECRET}{right};{last}");
        let shown = filtered(&query);
        assert!(!shown.contains(SECRET), "`;` separates: {query} is shown as {shown}");
    }
}

/// `{scheme}://{user}{left}HUSHHUSH{right}@{host}{tail}`
fn check_secret_in_url(parts: &[String; 6]) {
    let within_authority = |part: &String| part.replace(['/', '?', '#', '\\', '\t', '\n', '\r'], "_");
    let [scheme, user, left, right, host, tail] = parts;
    let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let scheme = match scheme.as_str() {
        "" => String::new(),
        scheme if is_scheme => format!("{scheme}:"),
        _ => "https:".to_owned(),
    };
    let (user, left, right) = (within_authority(user), within_authority(left), within_authority(right));
    let host = within_authority(host).replace('@', "_");
    let tail = match tail.chars().next() {
        // A backslash ends the authority for browsers alone.
        Some('\\') => tail.replace('@', "_"),
        None | Some('/' | '?' | '#') => tail.clone(),
        Some(_) => format!("/{tail}"),
    };

    let url = format!("{scheme}//{user}:{left}{SECRET}{right}@{host}{tail}");
    let shown = filter_userinfo(&url);
    assert_eq!(shown, format!("{scheme}//{FILTERED}:{FILTERED}@{host}{tail}"));
    assert!(!split_url(&url).without_query.contains(SECRET));
}

fn filtered(query: &str) -> String {
    let mut shown = String::new();
    filter_query_into(query, is_sensitive, &mut shown);
    shown
}

/// The term with letters in upper case or percent-encoded, as the bits of the masks say.
fn disguised(term: &str, upper: u8, encoded: u8) -> String {
    let mut disguised = String::new();
    for (at, letter) in term.chars().enumerate() {
        let bit = 1_u8 << (at % 8);
        let letter = if upper & bit != 0 { letter.to_ascii_uppercase() } else { letter };
        match encoded & bit {
            0 => disguised.push(letter),
            _ => disguised.push_str(&format!("%{:02x}", u32::from(letter))),
        }
    }
    disguised
}

fn contains_any(name: &str, terms: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    terms.iter().any(|term| name.contains(term))
}
