//! The transport in a process that is forked: the test of delivery.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use sentrace_core::Client;
use sentrace_sentry::{TransportDeliver, options_from};
use sentry::ClientOptions;
use sentry::transports::DefaultTransportFactory;

/// There is no spool.
fn start(dsn: &str, _: &Path) -> Client {
    let official =
        sentry::Client::with_options(ClientOptions::new().dsn(dsn).transport(DefaultTransportFactory));
    let options = options_from(&official).traces_sample_rate(1.0).send_client_reports(false);
    TransportDeliver::client(&official, options).unwrap()
}

#[path = "../../sentrace-delivery/tests/shared/forked.rs"]
mod shared;
