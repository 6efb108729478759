//! Whether and where Spotlight runs, by the rules of the specification.

use std::fmt;

use sentrace_protocol::sensitive;

use crate::diagnostics;

const DEFAULT_URL: &str = "http://localhost:8969/stream";

/// Whether, and where, Spotlight (Sentry's viewer for development) gets a copy of every envelope.
///
/// Off by default. [`Options::from_env`](crate::Options::from_env) reads `SENTRY_SPOTLIGHT`:
/// `true`, `t`, `y`, `yes`, `on`, `1` turn it on, `false`, `f`, `n`, `no`, `off`, `0` turn it off,
/// and anything else is its URL. Code takes precedence, except that a plain `true` uses a URL in
/// the environment (Sentry SDK specification, *Spotlight*).
///
/// Without a DSN, all traces are recorded regardless of rates, and go to Spotlight only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spotlight {
    /// No copies.
    Off,
    /// Copies go to `http://localhost:8969/stream`.
    On,
    /// Copies go to this URL.
    Url(String),
}

impl Spotlight {
    /// Parses an environment variable. Returns `None` if it is empty.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if text.is_empty() {
            None
        } else if is_one_of(&["true", "t", "y", "yes", "on", "1"]) {
            Some(Self::On)
        } else if is_one_of(&["false", "f", "n", "no", "off", "0"]) {
            Some(Self::Off)
        } else {
            Some(Self::Url(text.to_owned()))
        }
    }

    fn url(&self) -> Option<&str> {
        match self {
            Self::Off => None,
            Self::On => Some(DEFAULT_URL),
            Self::Url(url) => Some(url),
        }
    }
}

impl fmt::Debug for Spotlight {
    /// Hides the password that a URL may have.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("Off"),
            Self::On => f.write_str("On"),
            Self::Url(url) => write!(f, "Url({:?})", sensitive::filter_option(url)),
        }
    }
}

impl From<bool> for Spotlight {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl From<&str> for Spotlight {
    fn from(url: &str) -> Self {
        Self::Url(url.to_owned())
    }
}

impl From<String> for Spotlight {
    fn from(url: String) -> Self {
        Self::Url(url)
    }
}

/// The settings from code and from the environment.
#[derive(Debug, Clone, Default)]
pub(super) struct SpotlightOption {
    pub(super) code: Option<Spotlight>,
    pub(super) environment: Option<Spotlight>,
}

impl SpotlightOption {
    pub(super) fn url(&self) -> Option<&str> {
        let decides = match (&self.code, &self.environment) {
            (Some(Spotlight::On), Some(environment @ Spotlight::Url(_))) => Some(environment),
            (Some(code), _) => Some(code),
            (None, environment) => environment.as_ref(),
        };
        decides?.url()
    }

    /// Warns if code and environment contradict each other, as the specification requires.
    pub(super) fn warn_of_conflict(&self) {
        if let Some((code, environment)) = self.conflict() {
            let code = sensitive::filter_option(code);
            diagnostics::warn(format_args!(
                "the option spotlight, {code:?}, wins over SENTRY_SPOTLIGHT, {environment:?}; name it in one place"
            ));
        }
    }

    fn conflict(&self) -> Option<(&str, &Spotlight)> {
        match (&self.code, &self.environment) {
            (Some(Spotlight::Url(code)), Some(environment))
                if *environment != Spotlight::Url(code.clone()) =>
            {
                Some((code, environment))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_anything_else_is_a_url() {
        for word in ["true", "T", "y", "YES", "On", "1", "  true "] {
            assert_eq!(Spotlight::parse(word), Some(Spotlight::On), "{word}");
        }
        for word in ["false", "F", "n", "NO", "oFF", "0", "\toff\n"] {
            assert_eq!(Spotlight::parse(word), Some(Spotlight::Off), "{word}");
        }
        for empty in ["", "  "] {
            assert_eq!(Spotlight::parse(empty), None, "{empty:?} is unset");
        }
        for url in ["http://spotlight:8969/stream", "2", "maybe"] {
            assert_eq!(Spotlight::parse(url), Some(Spotlight::Url(url.to_owned())), "{url}");
        }
    }

    #[test]
    fn code_wins_but_for_a_plain_true_beside_a_url() {
        let (here, there) = ("http://here/stream", "http://there/stream");
        type Row<'a> = (Option<Spotlight>, &'a str, Option<&'a str>, bool, &'a str);
        let rows: [Row<'_>; 14] = [
            (None, "", None, false, "off by default"),
            (None, "1", Some(DEFAULT_URL), false, "on by the environment"),
            (None, "off", None, false, "off by the environment"),
            (None, there, Some(there), false, "the environment's URL"),
            (Some(true.into()), "", Some(DEFAULT_URL), false, "on by code"),
            (Some(true.into()), "yes", Some(DEFAULT_URL), false, "on by both"),
            (Some(true.into()), "no", Some(DEFAULT_URL), false, "code wins"),
            (Some(true.into()), there, Some(there), false, "the environment knows where"),
            (Some(false.into()), "1", None, false, "an explicit false disables all"),
            (Some(false.into()), there, None, false, "a URL, too"),
            (Some(here.into()), "", Some(here), false, "a URL by code"),
            (Some(here.into()), there, Some(here), true, "code wins, and that is told"),
            (Some(here.into()), "off", Some(here), true, "also over off"),
            (Some(here.into()), here, Some(here), false, "both say the same"),
        ];
        for (code, environment, expected, warns, reason) in rows {
            let option = SpotlightOption { code, environment: Spotlight::parse(environment) };
            assert_eq!(option.url(), expected, "{reason}");
            assert_eq!(option.conflict().is_some(), warns, "{reason}");
        }
    }

    #[test]
    fn a_password_in_its_url_is_never_printed() {
        for url in
            ["http://me:SECRET@spotlight/stream", "me:SE/SECRET@spotlight", "http://spotlight/?token=SECRET"]
        {
            let option = SpotlightOption { code: Some(url.into()), environment: Spotlight::parse(url) };
            assert_eq!(option.url(), Some(url));
            assert!(!format!("{option:?}").contains("SECRET"), "{option:?}");
        }
    }
}
