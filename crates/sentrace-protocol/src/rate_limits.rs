//! What the server says about how long to wait.

use std::time::Duration;

use crate::losses::Category;

/// The name of the header that every answer may have, in lower case.
pub const HEADER: &str = "x-sentry-rate-limits";

/// Longest wait that is taken seriously: one year.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(365 * 86_400);

/// For how long which data is not to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How long from now on; at most [`MAX_RETRY_AFTER`].
    pub retry_after: Duration,
    /// What must wait.
    pub categories: Categories,
}

impl RateLimit {
    /// Creates a limit that holds from now on.
    pub fn new(retry_after: Duration, categories: Categories) -> Self {
        Self { retry_after, categories }
    }
}

/// A set of data categories.
///
/// ```
/// use sentrace_protocol::{Category, rate_limits::Categories};
///
/// let some: Categories = [Category::Transaction].into_iter().collect();
/// assert!(some.contains(Category::Transaction) && !some.contains(Category::Error));
/// assert!(Categories::ALL.contains(Category::Error));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Categories(u32);

impl Categories {
    /// All data, whatever its category.
    pub const ALL: Self = Self(u32::MAX);

    /// Whether this is [`ALL`](Self::ALL), which is more than each known category.
    pub const fn is_all(self) -> bool {
        self.0 == u32::MAX
    }

    /// Whether there is no category in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the category is in it.
    pub const fn contains(self, category: Category) -> bool {
        self.0 & 1 << category.index() != 0
    }

    /// The categories in it.
    pub fn iter(self) -> impl Iterator<Item = Category> {
        Category::ALL.iter().copied().filter(move |category| self.contains(*category))
    }
}

impl FromIterator<Category> for Categories {
    fn from_iter<I: IntoIterator<Item = Category>>(categories: I) -> Self {
        Self(categories.into_iter().fold(0, |bits, category| bits | 1 << category.index()))
    }
}

/// Reads an `X-Sentry-Rate-Limits` header: `retry_after:categories:...`, several separated by commas.
///
/// No categories means all. Unknown ones are passed over, and a limit that has only unknown ones is ignored,
/// as is one whose time is no number or negative. For each category the longer of two limits holds.
///
/// Sentry SDK specification, *Rate Limiting*.
///
/// ```
/// use std::time::Duration;
/// use sentrace_protocol::{Category, rate_limits};
///
/// let limits: Vec<_> = rate_limits::parse("60:transaction;span:key, 2700:default;error:organization:quota").collect();
/// assert_eq!(limits[0].retry_after, Duration::from_secs(60));
/// assert!(limits[0].categories.contains(Category::Span));
/// assert!(limits[1].categories.contains(Category::Error));
/// ```
pub fn parse(header: &str) -> impl Iterator<Item = RateLimit> {
    header.split(',').filter_map(|limit| {
        let mut fields = limit.split(':');
        let retry_after = parse_retry_after(fields.next()?)?;
        let categories = parse_categories(fields.next().unwrap_or_default())?;
        Some(RateLimit { retry_after, categories })
    })
}

/// Reads the seconds of a `Retry-After` header, whole or with a fraction. `None` for anything else, a date
/// included: Sentry sends none, and the specification has 60 seconds for an answer without usable headers.
///
/// ```
/// use std::time::Duration;
/// use sentrace_protocol::rate_limits::parse_retry_after;
///
/// assert_eq!(parse_retry_after("2.5"), Some(Duration::from_millis(2_500)));
/// assert_eq!(parse_retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
/// ```
pub fn parse_retry_after(value: &str) -> Option<Duration> {
    let seconds: f64 = value.trim().parse().ok()?;
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(seconds.min(MAX_RETRY_AFTER.as_secs_f64())).ok()
}

fn parse_categories(field: &str) -> Option<Categories> {
    if field.trim().is_empty() {
        return Some(Categories::ALL);
    }
    let known: Categories = field.split(';').filter_map(|name| name.trim().parse().ok()).collect();
    (!known.is_empty()).then_some(known)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(header: &str) -> Vec<(f64, Option<Vec<&'static str>>)> {
        let names = |categories: Categories| {
            (!categories.is_all()).then(|| categories.iter().map(Category::as_str).collect())
        };
        parse(header).map(|limit| (limit.retry_after.as_secs_f64(), names(limit.categories))).collect()
    }

    #[test]
    fn limits_are_read_as_specified() {
        let some = |names: &[&'static str]| Some(names.to_vec());
        let year = MAX_RETRY_AFTER.as_secs_f64();
        let rows = [
            ("", vec![], "no limit"),
            ("60", vec![(60.0, None)], "time alone limits all"),
            ("60::organization", vec![(60.0, None)], "empty categories are all"),
            ("60: :key", vec![(60.0, None)], "blanks are empty"),
            ("60:transaction:key", vec![(60.0, some(&["transaction"]))], "one category"),
            ("0.5:span", vec![(0.5, some(&["span"]))], "fractions"),
            (
                "60:transaction;span:key, 2700:default;error:organization:quota",
                vec![(60.0, some(&["transaction", "span"])), (2700.0, some(&["default", "error"]))],
                "the specification's example",
            ),
            (
                " 60 : transaction ; span : key : reason : ns : more ",
                vec![(60.0, some(&["transaction", "span"]))],
                "blanks and anything further right are ignored",
            ),
            ("60:unicorn;span", vec![(60.0, some(&["span"]))], "unknown categories are passed over"),
            ("60:unicorn", vec![], "only unknown: ignored, never widened"),
            ("60:;", vec![], "empty names are unknown ones"),
            ("60:metric_bucket:organization:quota:custom", vec![], "a category that is none here"),
            ("-1:span,soon:span,NaN:span,inf:span,:span", vec![], "a time must be a number"),
            ("soon:span,5:error", vec![(5.0, some(&["error"]))], "the others still hold"),
            ("0:span", vec![(0.0, some(&["span"]))], "zero is a time"),
            ("1e300:span", vec![(year, some(&["span"]))], "at most a year"),
        ];
        for (header, expected, reason) in rows {
            assert_eq!(read(header), expected, "{reason}");
        }
    }

    #[test]
    fn retry_after_takes_seconds_only() {
        let rows = [
            ("60", Some(60.0), "seconds"),
            (" 1.5 ", Some(1.5), "a fraction"),
            ("", None, "nothing"),
            ("-5", None, "negative"),
            ("nan", None, "not a number"),
            ("infinity", None, "not finite"),
            ("Fri, 31 Dec 1999 23:59:59 GMT", None, "a date"),
        ];
        for (value, expected, reason) in rows {
            assert_eq!(parse_retry_after(value).map(|wait| wait.as_secs_f64()), expected, "{reason}");
        }
    }

    #[test]
    fn all_is_more_than_every_known_category() {
        let every: Categories = Category::ALL.iter().copied().collect();
        assert!(!every.is_all());
        assert_eq!(every.iter().count(), Category::ALL.len());
        assert!(Category::ALL.iter().copied().all(|category| Categories::ALL.contains(category)));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in any::<String>(), near in "([0-9.e+-]{0,9}[:;, ](span|error|x)?){0,5}") {
            for text in [text, near] {
                prop_assert!(parse(&text).all(|limit| limit.retry_after <= MAX_RETRY_AFTER));
                let _ = parse_retry_after(&text);
            }
        }
    }
}
