//! Delivers finished transactions to Sentry: retries, rate limits, compression, a spool on disk.
//!
//! [`Delivery`] implements [`sentrace_core::deliver::Deliver`]. Services get one from `sentrace::init`.
//!
//! ```text
//! requests -> outbox -> worker: encode -> posts in flight -> ingest
//!               |          |                 |
//!               +----------+---- losses <----+    rate limits <- responses
//!                                  |
//!                                  +--> client reports
//! ```

mod backoff;
mod delivery;
mod envelope;
mod error;
mod http;
mod ingest;
mod spool;
mod spotlight;
mod thread;
mod worker;

#[cfg(test)]
extern crate self as sentrace_delivery;
#[cfg(test)]
#[expect(dead_code, unused_imports, reason = "the tests in here need little of it")]
#[path = "../tests/all/support.rs"]
mod support;

pub use self::delivery::Delivery;
pub use self::error::StartError;
