//! Propagates the trace to browsers in a served page.

use crate::propagation::trace_headers::TraceHeaders;

/// Returns the `<meta>` tags that Sentry's browser SDK reads when the page loads. Values are
/// escaped for HTML attributes.
///
/// W3C's `traceparent` is not included: browser SDKs read `sentry-trace` and `baggage` from pages.
pub fn meta_tags(headers: &TraceHeaders) -> String {
    let mut html = meta("sentry-trace", &headers.sentry_trace().to_string());
    if let Some(baggage) = headers.baggage() {
        html.push_str(&meta("baggage", baggage));
    }
    html
}

fn meta(name: &str, content: &str) -> String {
    let mut tag = format!("<meta name=\"{name}\" content=\"");
    for character in content.chars() {
        match character {
            '&' => tag.push_str("&amp;"),
            '<' => tag.push_str("&lt;"),
            '>' => tag.push_str("&gt;"),
            '"' => tag.push_str("&quot;"),
            '\'' => tag.push_str("&#39;"),
            other => tag.push(other),
        }
    }
    tag.push_str("\">");
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_baggage_cannot_leave_its_attribute() {
        assert_eq!(
            meta("baggage", "sentry-release=\"><script>alert('x')&"),
            "<meta name=\"baggage\" content=\"sentry-release=&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&amp;\">"
        );
    }
}
