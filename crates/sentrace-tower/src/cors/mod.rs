//! Allows browsers to send trace headers: `sentry-trace` and `baggage` in responses to CORS preflights.
//!
//! Before a browser sends a custom header to another origin, it sends a preflight. If the response does not list
//! `sentry-trace` and `baggage`, a frontend with Sentry's SDK loses its trace at the first call to the backend or, if its
//! `tracePropagationTargets` include that backend, the whole call.
//!
//! There are two ways to list them: [`sentry_headers`] returns the names for the configuration of a CORS layer, and
//! [`SentryCorsLayer`] adds them to the response of any CORS layer, whose rules then need not name them.
//!
//! # Order
//!
//! [`SentryCorsLayer`] must be **outside** the CORS layer. tower-http's `CorsLayer` responds to preflights itself, so a layer
//! inside it gets none. With axum's `Router::layer` the last layer added is the outermost; in a `ServiceBuilder` the first one:
//!
//! ```
//! # use http::header::CONTENT_TYPE;
//! # use tower_http::cors::CorsLayer;
//! use axum::{Router, routing::post};
//! use sentrace_tower::SentryCorsLayer;
//! use tower::ServiceBuilder;
//!
//! # let origin: http::HeaderValue = "https://shop.example".parse()?;
//! let cors = CorsLayer::new().allow_origin(origin).allow_headers([CONTENT_TYPE]);
//!
//! let by_router: Router = Router::new()
//!     .route("/checkout", post(|| async { "paid" }))
//!     .layer(cors.clone())
//!     .layer(SentryCorsLayer::new());
//!
//! let by_builder: Router = Router::new()
//!     .route("/checkout", post(|| async { "paid" }))
//!     .layer(ServiceBuilder::new().layer(SentryCorsLayer::new()).layer(cors));
//! # Ok::<(), http::header::InvalidHeaderValue>(())
//! ```
//!
//! If requests and responses show that the order is wrong, there is one warning: see [`Misplacement`].

mod config;
mod future;
mod headers;
mod layer;
mod misplacement;
mod service;

pub use self::future::SentryCorsFuture;
pub(crate) use self::headers::not_allowed;
pub use self::headers::{sentry_headers, sentry_headers_with_traceparent};
pub use self::layer::SentryCorsLayer;
pub use self::misplacement::Misplacement;
pub(crate) use self::misplacement::{asks_for, is_preflight};
pub use self::service::SentryCors;
