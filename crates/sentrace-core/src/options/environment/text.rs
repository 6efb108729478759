//! Values of variables as people write them, and as warnings show them.

use sentrace_protocol::sensitive;

/// Longest part of a value that a warning repeats, in characters.
const SHOWN: usize = 64;
const QUOTES: [(char, char); 4] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”')];

/// A value without surrounding whitespace and quotes.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    /// Some programs keep the quotes in files of variables, others remove them.
    pub(super) quoted: bool,
}

impl<'a> Text<'a> {
    /// Returns `None` if nothing is left.
    pub(super) fn of(value: &'a str) -> Option<Self> {
        let trim = |text: &'a str| text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let plain = trim(value);
        let unquoted =
            QUOTES.iter().find_map(|(open, close)| plain.strip_prefix(*open)?.strip_suffix(*close));
        let text = unquoted.map_or(plain, trim);
        (!text.is_empty()).then_some(Self { text, quoted: unquoted.is_some() })
    }
}

/// Returns a value for a warning: escaped, and truncated if it is long.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?}…", &value[..cut]),
        None => format!("{value:?}"),
    }
}

/// Like [`shown`], for a URL, whose credentials and secret parameters are hidden.
pub(super) fn hidden(url: &str) -> String {
    shown(&sensitive::filter_option(url))
}

pub(super) fn is_http_url(url: &str) -> bool {
    let rest = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
    let authority = rest.map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let host = authority.map(|authority| authority.rsplit('@').next().unwrap_or_default());
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(':')) && !url.contains(char::is_whitespace)
}

/// Returns the rate that was probably meant. It is not used: a wrong guess costs money.
pub(super) fn rate_hint(rate: &str) -> String {
    let rate = rate.trim();
    let percent =
        rate.strip_suffix('%').and_then(|number| number.trim().replace(',', ".").parse::<f64>().ok());
    let meant = percent.map(|percent| percent / 100.0).or_else(|| rate.replacen(',', ".", 1).parse().ok());
    match meant.filter(|meant| (0.0..=1.0).contains(meant)) {
        Some(meant) => format!(", perhaps {meant}"),
        None => String::new(),
    }
}
