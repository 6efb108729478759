//! What the tests share.

pub(crate) mod server;
pub(crate) mod setters;
pub(crate) mod traced;
pub(crate) mod trip;

use std::time::Duration;

/// Runs a test on a runtime of its own, with an end to it.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), test).await.unwrap() })
}
