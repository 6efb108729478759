//! Traces through official transports.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sentrace_collector::Behaviour;
use sentrace_core::{Client, Options};
use sentrace_protocol::{Category, Reason};
use sentrace_sentry::{TransportDeliver, TransportError, options_from};
use sentry::protocol::Envelope;
use sentry::{ClientOptions, Transport};

use crate::support::{LONG, Tap, official};

fn client(tap: &Tap, set_up: impl FnOnce(Options) -> Options) -> Client {
    let official = official(tap, |options| options).client().unwrap();
    let options = options_from(&official).traces_sample_rate(1.0);
    TransportDeliver::client(&official, set_up(options)).unwrap()
}

fn record(client: &Client, name: &str) {
    let transaction = client.start_transaction(name, "task");
    transaction.start_span("db.query", "SELECT 1").finish();
    transaction.finish();
}

/// What was lost for a reason, as transactions.
fn lost(client: &Client, reason: Reason) -> u64 {
    let discarded = client.losses().peek();
    let of = |events: &&sentrace_protocol::DiscardedEvents| {
        events.reason == reason && events.category == Category::Transaction
    };
    discarded.iter().filter(of).map(|events| events.quantity).sum()
}

#[test]
fn more_transactions_than_the_transport_has_room_for_arrive_whole() {
    let tap = Tap::start();
    let client = client(&tap, |options| options);
    for number in 0..100 {
        record(&client, &format!("task {number}"));
    }
    assert!(client.flush(LONG));
    let items = tap.items("transaction", 100);
    assert_eq!(items.len(), 100);
    for item in &items {
        let trace = &item.payload["contexts"]["trace"];
        assert_eq!(item.payload["release"], "shop@1.4.0");
        assert_eq!(item.payload["transaction_info"]["source"], "custom");
        assert_eq!(item.payload["spans"][0]["description"], "SELECT 1");
        assert_eq!(item.envelope["trace"]["trace_id"], trace["trace_id"], "the context travels along");
        assert_eq!(item.envelope["event_id"], item.payload["event_id"]);
    }
    tap.assert_no_problems();
    assert!(client.close(LONG).complete);
    assert!(client.losses().peek().is_empty());
}

#[test]
fn everything_recorded_is_delivered_or_counted_while_the_ingest_is_slow() {
    let tap = Tap::start();
    tap.collector.set_behaviour(Behaviour::default().delay(Duration::from_millis(20)));
    let client = client(&tap, |options| options.queue_bytes(64 * 1024).send_client_reports(false));
    let recorded = 400;
    for number in 0..recorded {
        record(&client, &format!("task {number}"));
    }
    assert!(client.close(LONG).complete);
    let arrived = tap.so_far("transaction").len() as u64;
    assert!(arrived >= 16, "{arrived}");
    assert_eq!(arrived + lost(&client, Reason::QueueOverflow), recorded);
}

#[test]
fn losses_are_reported_through_the_transport() {
    let tap = Tap::start();
    let client = client(&tap, |options| {
        options.before_send_transaction(|transaction| match &*transaction.name {
            "unwanted" => false,
            "panics" => panic!("a hook of the service"),
            _ => {
                transaction.spans.clear();
                true
            }
        })
    });
    for name in ["unwanted", "panics", "thinned"] {
        record(&client, name);
    }
    assert!(client.flush(LONG));
    assert_eq!(tap.item("transaction").payload["transaction"], "thinned");
    let report = tap.item("client_report").payload;
    let mut discarded: Vec<String> =
        report["discarded_events"].as_array().unwrap().iter().map(ToString::to_string).collect();
    discarded.sort();
    assert_eq!(
        discarded,
        [
            r#"{"category":"span","quantity":5,"reason":"before_send"}"#,
            r#"{"category":"transaction","quantity":2,"reason":"before_send"}"#,
        ]
    );
    tap.assert_no_problems();
}

#[test]
fn an_ingest_that_never_answers_holds_nobody_and_nothing_goes_uncounted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // It takes what comes and says nothing until the test is over.
    std::thread::spawn(move || {
        let mut connections = Vec::new();
        while let Ok((mut socket, _)) = listener.accept() {
            connections
                .push(std::thread::spawn(move || while socket.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {}));
        }
    });
    let official = sentry::Client::with_options(
        ClientOptions::new()
            .dsn(&format!("http://key@{address}/1"))
            .transport(sentry::transports::DefaultTransportFactory),
    );
    let options = options_from(&official).traces_sample_rate(1.0).send_client_reports(false);
    let client = TransportDeliver::client(&official, options).unwrap();
    let recorded = 200;
    let start = Instant::now();
    for number in 0..recorded {
        record(&client, &format!("task {number}"));
    }
    assert!(start.elapsed() < Duration::from_secs(2), "handing over waits for nobody");
    assert!(!client.flush(Duration::from_millis(200)), "nothing is confirmed");
    let start = Instant::now();
    assert!(!client.close(Duration::from_millis(500)).complete);
    assert!(start.elapsed() < Duration::from_secs(2));
    // What the transport took is its own; the rest is counted.
    let counted = lost(&client, Reason::NetworkError);
    assert_eq!(counted, recorded - 16);
    record(&client, "late");
    assert_eq!(lost(&client, Reason::QueueOverflow), 1);
}

/// A transport as a team may have its own.
#[derive(Clone, Default)]
struct Custom {
    envelopes: Arc<Mutex<Vec<Envelope>>>,
    made: Arc<AtomicUsize>,
    panics: bool,
}

impl Transport for Custom {
    fn send_envelope(&self, envelope: Envelope) {
        assert!(!self.panics, "a transport of the service");
        self.envelopes.lock().unwrap().push(envelope);
    }
}

impl Custom {
    fn client(&self) -> Client {
        let custom = self.clone();
        let options =
            ClientOptions::new().dsn("http://key@sentry.invalid/1").transport(move |_: &ClientOptions| {
                custom.made.fetch_add(1, Ordering::Relaxed);
                Arc::new(custom.clone()) as Arc<dyn Transport>
            });
        let official = sentry::Client::with_options(options);
        let options = options_from(&official).traces_sample_rate(1.0).send_client_reports(false);
        TransportDeliver::client(&official, options).unwrap()
    }
}

#[test]
fn a_transport_of_the_teams_own_gets_envelopes_it_can_write() {
    let custom = Custom::default();
    let client = custom.client();
    assert_eq!(custom.made.load(Ordering::Relaxed), 2, "traces take no room from errors");
    record(&client, "task");
    assert!(client.flush(LONG));
    let mut bytes = Vec::new();
    custom.envelopes.lock().unwrap()[0].to_writer(&mut bytes).unwrap();
    let envelope = sentrace_protocol::envelope::read(&bytes).unwrap();
    assert_eq!(envelope.items[0].kind(), "transaction");
}

#[test]
fn a_transport_that_panics_costs_one_transaction_each() {
    let client = Custom { panics: true, ..Custom::default() }.client();
    record(&client, "one");
    record(&client, "two");
    assert!(client.flush(LONG));
    assert_eq!(lost(&client, Reason::InternalSdkError), 2);
    assert!(client.close(LONG).complete);
}

#[test]
fn a_client_that_sends_nothing_is_told_at_the_start() {
    let rows = [
        ("no DSN", ClientOptions::new().transport(sentry::transports::DefaultTransportFactory)),
        ("no transport", ClientOptions::new().dsn("http://key@sentry.invalid/1")),
    ];
    for (reason, options) in rows {
        let official = sentry::Client::with_options(options);
        let error = TransportDeliver::client(&official, options_from(&official)).unwrap_err();
        assert!(matches!(error, TransportError::NoTransport), "{reason}");
        assert!(error.to_string().contains("set both"), "{error}");
    }
    let official = sentry::Client::with_options(ClientOptions::new());
    let error = TransportDeliver::client(&official, Options::new().traces_sample_rate(2.0)).unwrap_err();
    assert!(error.to_string().contains("traces_sample_rate"), "{error}");
}

#[test]
fn dropping_the_client_ends_the_thread_and_sends_what_is_left() {
    let tap = Tap::start();
    let client = client(&tap, |options| options.shutdown_timeout(LONG));
    record(&client, "the last one");
    drop(client);
    assert_eq!(tap.item("transaction").payload["transaction"], "the last one");
}
