//! What axum's router tells about a request, and what its handlers ask and tell.

mod current_transaction;
mod handler_error;
mod route;

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath, OriginalUri};
use http::{Extensions, Uri};

pub use self::current_transaction::CurrentTransaction;
pub use self::route::{SentryRoute, SentryRouteLayer};

/// The template of the matched route, nesting included.
pub(crate) fn matched_path(extensions: &Extensions) -> Option<&str> {
    extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

/// The target as it came: a nested router sees it without the prefix it is nested under.
pub(crate) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri)
}

/// Who opened the connection, where axum was asked to tell.
pub(crate) fn connected_from(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address)
}
