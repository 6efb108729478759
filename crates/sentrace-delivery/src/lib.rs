//! Brings finished transactions to Sentry: queue, worker, rate limits, compression.
//!
//! [`Delivery`] implements [`sentrace_core::deliver::Deliver`]. Services get one from `sentrace::init`.
//!
//! ```text
//! requests -> queue -> worker: encode -> posts in flight -> ingest
//!               |        |                    |
//!               +--------+--- losses <--------+    limits <- answers
//!                                |
//!                                +--> client reports
//! ```

mod backoff;
mod client;
mod connect;
mod delivery;
mod envelope;
mod error;
mod health;
mod in_flight;
mod ledger;
mod limits;
mod parcel;
mod post;
mod reach;
mod retry;
mod spool;
mod spotlight;
mod thread;
mod tls;
mod worker;

#[cfg(test)]
extern crate self as sentrace_delivery;
#[cfg(test)]
#[expect(dead_code, unused_imports, reason = "the tests in here need little of it")]
#[path = "../tests/all/support.rs"]
mod support;

pub use self::delivery::Delivery;
pub use self::error::StartError;
