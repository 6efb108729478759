//! `X-Sentry-Rate-Limits` and `Retry-After`: never more than was said, and never for longer than a year.

use std::time::Duration;

use sentrace_protocol::rate_limits::{MAX_RETRY_AFTER, RateLimit, parse, parse_retry_after};
use sentrace_protocol::{Category, rate_limits::Categories};

/// Reads the input as both headers.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_retry_after(&text);

    let limits: Vec<RateLimit> = parse(&text).collect();
    assert_eq!(limits, limits_by_the_rules(&text));
    for limit in &limits {
        assert!(limit.retry_after <= MAX_RETRY_AFTER);
        assert!(!limit.categories.is_empty());
    }

    let printed: Vec<String> = limits.iter().map(print).collect();
    let printed = printed.join(", ");
    assert_eq!(parse(&printed).collect::<Vec<_>>(), limits, "{printed}");
    let again: Vec<String> = parse(&printed).map(|limit| print(&limit)).collect();
    assert_eq!(again.join(", "), printed, "printing is a fixpoint");
}

fn check_retry_after(text: &str) {
    let Some(wait) = parse_retry_after(text) else { return };
    assert!(wait <= MAX_RETRY_AFTER);
    assert_eq!(parse_retry_after(&wait.as_secs_f64().to_string()), Some(wait));
    let is_digits = text.len() <= 7 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits {
        let seconds = text.parse().expect("seven digits fit");
        assert_eq!(wait, Duration::from_secs(seconds), "whole seconds are exact");
    }
}

fn limits_by_the_rules(text: &str) -> Vec<RateLimit> {
    let mut limits = Vec::new();
    for limit in text.split(',') {
        let fields: Vec<&str> = limit.split(':').map(str::trim).collect();
        let Some(retry_after) = parse_retry_after(fields[0]) else { continue };
        let categories = match fields.get(1) {
            None | Some(&"") => Categories::ALL,
            Some(names) => {
                let names: Vec<&str> = names.split(';').map(str::trim).collect();
                Category::ALL.iter().copied().filter(|category| names.contains(&category.as_str())).collect()
            }
        };
        if !categories.is_empty() {
            limits.push(RateLimit::new(retry_after, categories));
        }
    }
    limits
}

fn print(limit: &RateLimit) -> String {
    let names: Vec<&str> = match limit.categories.is_all() {
        true => Vec::new(),
        false => limit.categories.iter().map(Category::as_str).collect(),
    };
    format!("{}:{}:organization", limit.retry_after.as_secs_f64(), names.join(";"))
}
