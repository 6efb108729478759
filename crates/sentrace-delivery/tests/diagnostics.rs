//! What delivery says about itself. One test: a process has one handler for messages.

#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#[expect(dead_code, unused_imports, reason = "one test needs little of it")]
#[path = "all/support.rs"]
mod support;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use sentrace_core::deliver::Losses;
use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_core::{Client, Options};
use sentrace_delivery::Delivery;

use self::support::{Ingest, LONG, Reply, record};

static CLIENT: OnceLock<Client> = OnceLock::new();

#[test]
fn a_refusal_is_told_once_aloud_and_in_full_in_debug_mode() {
    let messages = Arc::new(Mutex::new(Vec::new()));
    set_handler({
        let messages = Arc::clone(&messages);
        move |level, message| {
            let start = Instant::now();
            let flushed = CLIENT.get().is_some_and(|client| client.flush(LONG));
            assert!(!flushed && start.elapsed() < LONG / 2, "the worker cannot wait for itself");
            messages.lock().unwrap().push((level, message.to_owned()));
        }
    });
    let ingest = Ingest::start(|_| Reply::Answer(403, vec![("x-sentry-error", "bad project key")]));
    let options =
        Options::new().dsn(ingest.dsn()).traces_sample_rate(1.0).debug(true).send_client_reports(false);
    let losses = Arc::new(Losses::default());
    let delivery =
        Delivery::start(options.delivery().dsn.unwrap().clone(), &options, Arc::clone(&losses)).unwrap();
    let client = CLIENT.get_or_init(|| Client::new(options, Arc::new(delivery), losses).unwrap());
    record(client, "first", 0);
    record(client, "second", 0);
    assert!(client.close(LONG).complete);
    let messages = messages.lock().unwrap();
    let warnings: Vec<_> = messages.iter().filter(|(level, _)| *level == Level::Warning).collect();
    assert_eq!(warnings.len(), 1, "{messages:?}");
    assert!(warnings[0].1.contains("403"), "{warnings:?}");
    let full = messages
        .iter()
        .filter(|(level, message)| *level == Level::Debug && message.contains("bad project key"));
    assert_eq!(full.count(), 2, "{messages:?}");
}
