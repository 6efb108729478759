//! Delivery in a process that is forked.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::sync::Arc;

use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options};
use sentrace_delivery::Delivery;

fn start(dsn: &str, spool: &Path) -> Client {
    let options = Options::new().dsn(dsn).traces_sample_rate(1.0).spool_dir(spool).send_client_reports(false);
    let losses = Arc::new(Losses::default());
    let dsn = options.delivery().dsn.unwrap().clone();
    let delivery = Delivery::start(dsn, &options, Arc::clone(&losses)).unwrap();
    Client::new(options, Arc::new(delivery), losses).unwrap()
}

#[path = "shared/forked.rs"]
mod shared;
