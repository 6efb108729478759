//! What axum's router tells about a request, and what its handlers ask and tell.

mod current_transaction;
mod route;

pub use self::current_transaction::CurrentTransaction;
pub use self::route::{SentryRoute, SentryRouteLayer};
