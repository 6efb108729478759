//! Lets browsers send trace headers: `sentry-trace` and `baggage` in CORS preflight answers.
//!
//! A browser asks before it sends a header of its own to another origin. Unless the answer lists
//! `sentry-trace` and `baggage`, a frontend with Sentry's SDK either loses its trace at the first call to the
//! backend, or, when its `tracePropagationTargets` name that backend, the whole call.
//!
//! There are two ways to list them. [`sentry_headers`] gives the names for a CORS layer that is configured in
//! one place. [`SentryCorsLayer`] adds them to whatever another layer decided, so that the CORS rules need not
//! know about tracing.
//!
//! # Order
//!
//! [`SentryCorsLayer`] must sit **outside** the CORS layer. tower-http's `CorsLayer` answers preflights by
//! itself, so a layer inside it never sees one. With axum's `Router::layer` the later call is the outer
//! layer; in a `ServiceBuilder` the earlier one is:
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
//! The wrong order is warned about, once, as far as it can be seen from inside: see [`Misplacement`].

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
