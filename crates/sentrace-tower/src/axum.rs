//! What axum's router tells about a request.

use axum::extract::MatchedPath;
use http::Extensions;

/// The template of the matched route, nesting included.
pub(crate) fn matched_path(extensions: &Extensions) -> Option<&str> {
    extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}
