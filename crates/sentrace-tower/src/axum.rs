//! What axum's router tells about a request.

use axum::extract::{MatchedPath, OriginalUri};
use http::{Extensions, Uri};

/// The template of the matched route, nesting included.
pub(crate) fn matched_path(extensions: &Extensions) -> Option<&str> {
    extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

/// The target as it came: a nested router sees it without the prefix it is nested under.
pub(crate) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri)
}
