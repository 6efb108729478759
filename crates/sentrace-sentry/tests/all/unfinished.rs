//! What keeps the worker from finishing: the tests of delivery, through the official crate's transport.

use sentrace_core::{Client, Options};
use sentrace_sentry::{TransportDeliver, options_from};
use sentry::ClientOptions;
use sentry::transports::DefaultTransportFactory;

/// What a transport has taken it answers for itself.
const HANDED_ON: u64 = 16;

fn start(dsn: &str, edit: impl FnOnce(Options) -> Options) -> Client {
    let official =
        sentry::Client::with_options(ClientOptions::new().dsn(dsn).transport(DefaultTransportFactory));
    let options = edit(options_from(&official).traces_sample_rate(1.0));
    TransportDeliver::client(&official, options).unwrap()
}

#[path = "../../../sentrace-delivery/tests/shared/unfinished.rs"]
mod shared;
