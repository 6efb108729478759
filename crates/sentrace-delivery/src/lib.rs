//! Brings finished transactions to Sentry: queue, worker, rate limits, compression.
//!
//! [`Delivery`] implements [`sentrace_core::Deliver`]. Services get one from `sentrace::init`.
//!
//! ```text
//! requests -> queue -> worker: encode -> posts in flight -> ingest
//!               |        |                    |
//!               +--------+--- losses <--------+    limits <- answers
//!                                |
//!                                +--> client reports
//! ```

mod account;
mod backoff;
mod client;
mod compress;
mod connect;
mod control;
mod delivery;
mod encode;
mod error;
mod health;
mod in_flight;
mod ledger;
mod limits;
mod load;
mod parcel;
mod post;
mod process;
mod queue;
mod reach;
mod remains;
mod reports;
mod retry;
mod room;
mod spans;
mod spool;
mod spotlight;
mod thread;
mod time;
mod tls;
mod worker;

#[cfg(test)]
extern crate self as sentrace_delivery;
#[cfg(test)]
#[expect(dead_code, reason = "the tests in here need little of it")]
#[path = "../tests/all/support.rs"]
mod support;

pub use self::delivery::Delivery;
pub use self::error::StartError;
