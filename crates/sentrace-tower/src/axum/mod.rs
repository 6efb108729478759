//! Routes and extractors of axum.

mod current_transaction;
mod route;

pub use self::current_transaction::CurrentTransaction;
pub use self::route::{SentryRoute, SentryRouteLayer};
