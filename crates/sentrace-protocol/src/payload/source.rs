//! Where a transaction's name comes from.

use crate::util::text_enum::text_enum;

/// Where a transaction's name comes from, which tells Sentry whether it can group by it.
///
/// Sentry SDK specification, *Event Payloads*, `transaction_info.source`.
///
/// ```
/// use sentrace_protocol::TransactionSource;
///
/// assert!(TransactionSource::Route.is_low_cardinality());
/// assert!(!TransactionSource::Url.is_low_cardinality());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransactionSource {
    /// Named by the application.
    Custom,
    /// A raw path, which may contain ids: `GET /orders/7`.
    Url,
    /// A route's template: `GET /orders/{id}`.
    Route,
    /// The view that answers.
    View,
    /// A function or a class.
    Component,
    /// A background task.
    Task,
}

text_enum!(TransactionSource, "transaction source", {
    Custom => "custom",
    Url => "url",
    Route => "route",
    View => "view",
    Component => "component",
    Task => "task",
});

impl TransactionSource {
    /// Whether names of this source are few enough to be sent along in baggage: all but [`Url`](Self::Url).
    ///
    /// Sentry SDK specification, *Dynamic Sampling Context*, `transaction`.
    pub const fn is_low_cardinality(self) -> bool {
        !matches!(self, Self::Url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_back_from_its_word() {
        for &source in TransactionSource::ALL {
            assert_eq!(source.to_string().parse(), Ok(source));
            assert_eq!(serde_json::to_string(&source).unwrap(), format!("\"{source}\""));
        }
        assert!("unknown".parse::<TransactionSource>().is_err(), "the specification says never to send it");
    }

    #[test]
    fn only_raw_urls_are_kept_out_of_baggage() {
        let high: Vec<_> =
            TransactionSource::ALL.iter().copied().filter(|source| !source.is_low_cardinality()).collect();
        assert_eq!(high, [TransactionSource::Url]);
    }
}
