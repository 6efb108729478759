//! Clients whose transactions go to the scripted ingest of the kit.

use std::sync::Arc;
use std::time::Duration;

use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options};
use sentrace_delivery::Delivery;
use sentrace_protocol::{DiscardedEvents, Reason};
pub(crate) use sentrace_testkit::http1::Reply;
pub(crate) use sentrace_testkit::{
    Http2Server, Ingest, PATIENCE as LONG, Place, Received, Tally, record, wait_until,
};

/// Returns what is counted as lost and not yet reported.
pub(crate) fn counted(losses: &Losses) -> Tally {
    Tally::lost(losses)
}

/// Returns the loss counters that one reason leaves behind.
pub(crate) fn only(reason: Reason, tally: Tally) -> Vec<DiscardedEvents> {
    tally.discarded(reason)
}

/// Creates a client of `ingest` that records everything.
pub(crate) fn client(ingest: &Ingest) -> (Client, Arc<Losses>) {
    client_with(&ingest.dsn(), |options| options)
}

/// Creates a client that does not report its losses, so that a test can read them.
pub(crate) fn silent_client(dsn: &str) -> (Client, Arc<Losses>) {
    client_with(dsn, |options| options.send_client_reports(false))
}

pub(crate) fn client_with(dsn: &str, edit: impl FnOnce(Options) -> Options) -> (Client, Arc<Losses>) {
    let options = edit(
        Options::new()
            .dsn(dsn)
            .release("shop@1.4.0")
            .traces_sample_rate(1.0)
            // A test sees at once what it does to the network.
            .retry_timeout(Duration::ZERO),
    );
    let losses = Arc::new(Losses::default());
    let dsn = options.delivery().dsn.unwrap().clone();
    let delivery = Delivery::start(dsn, &options, Arc::clone(&losses)).unwrap();
    (Client::new(options, Arc::new(delivery), Arc::clone(&losses)).unwrap(), losses)
}

pub(crate) fn record_many(client: &Client, transactions: u64, children: u64) -> Tally {
    sentrace_testkit::record_many(client, transactions, children);
    Tally::of(transactions, children)
}

/// A DSN that nothing listens to: no test is ever given this port.
pub(crate) const DEAD_DSN: &str = "http://key@127.0.0.1:1/1";
