//! Sinks for transactions: dropped at once, or passed to the real worker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sentrace::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace::protocol::{Category, Reason};
use sentrace::{Client, Compression, Options};
use sentrace_testkit::http1::{HttpServer, Reply, Request};
use serde_json::Value;

/// Returns the options of all sentrace variants.
pub fn options(dsn: &str) -> Options {
    Options::new()
        .dsn(dsn)
        .release("shop@1.4.0")
        .environment("production")
        .traces_sample_rate(1.0)
        .tracing_origins([sentrace::Origin::host("api.example.com")])
}

/// The limit for waiting for the worker.
const PATIENCE: Duration = Duration::from_secs(10);

/// A DSN that nothing is ever sent to.
pub const NOWHERE: &str = "http://9c1f0d3e5b7a48c2a6d4e8f013579bdf@127.0.0.1:9/1";

/// Counts transactions and drops them on the thread that delivers them.
#[derive(Debug, Default)]
pub struct Dropping {
    transactions: AtomicU64,
    spans: AtomicU64,
    keeps_next: AtomicBool,
    kept: Mutex<Option<Value>>,
}

impl Dropping {
    /// Creates a client with this sink and makes it global.
    ///
    /// # Panics
    /// Panics if the options are invalid.
    pub fn client(options: Options) -> (Client, Arc<Self>) {
        let sink = Arc::new(Self::default());
        let deliver: Arc<dyn Deliver> = Arc::<Self>::clone(&sink);
        let client =
            Client::new(options, deliver, Arc::new(Losses::default())).expect("the options are right");
        client.bind();
        (client, sink)
    }

    /// Returns the number of transactions so far.
    pub fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Returns the number of child spans so far.
    pub fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    /// Returns what `record` records, as it would be sent: the transaction, and `trace` of the
    /// envelope header.
    pub fn envelope(&self, record: impl FnOnce()) -> Option<Value> {
        self.keeps_next.store(true, Ordering::Relaxed);
        record();
        self.keeps_next.store(false, Ordering::Relaxed);
        self.kept.lock().ok()?.take()
    }
}

impl Dropping {
    /// Separate, so that it does not affect the measured code.
    #[cold]
    #[inline(never)]
    fn keep(&self, finished: &FinishedTransaction) {
        self.keeps_next.store(false, Ordering::Relaxed);
        let trace = finished.dynamic_sampling_context();
        let envelope = serde_json::json!({ "trace": trace, "transaction": finished.transaction() });
        *self.kept.lock().expect("nobody panics with it") = Some(envelope);
    }
}

impl Deliver for Dropping {
    fn deliver(&self, finished: FinishedTransaction) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let spans = finished.child_spans();
        if spans > 0 {
            self.spans.fetch_add(spans, Ordering::Relaxed);
        }
        if self.keeps_next.load(Ordering::Relaxed) {
            self.keep(&finished);
        }
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}

/// The real queue and worker, with an ingest that accepted one transaction and has rate-limited all
/// others since. So the worker only takes each record from the queue, counts it as lost, and
/// recycles it.
#[derive(Debug)]
pub struct HandedOver {
    client: Client,
    first: Value,
    _ingest: HttpServer,
}

impl HandedOver {
    /// Starts the worker and waits until it is rate-limited. The client is global.
    ///
    /// # Panics
    /// Panics if the worker cannot be started, or does not send the first transaction.
    pub fn start(record: impl Fn(&Client)) -> Self {
        let (bodies, first) = channel();
        let bodies = Mutex::new(bodies);
        // Answers every post with a rate limit.
        let ingest = HttpServer::start(move |request: &Request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let _ = bodies.lock().map(|bodies| bodies.send(body));
            Reply::Answer(200, vec![("x-sentry-rate-limits", "86400:transaction:key")])
        });
        let address = ingest.address();
        let dsn = format!("http://9c1f0d3e5b7a48c2a6d4e8f013579bdf@{address}/1");
        let options = options(&dsn)
            .compression(Compression::Off)
            .send_client_reports(false)
            .backpressure_handling(false);
        let client = sentrace::client(options).expect("the worker starts");
        client.bind();
        record(&client);
        let first = first.recv_timeout(PATIENCE).expect("the first transaction is posted");
        let handed_over = Self { client, first: envelope(&first), _ingest: ingest };
        let start = Instant::now();
        while handed_over.recycled() == 0 {
            assert!(start.elapsed() < PATIENCE, "the rate limit is ignored");
            record(&handed_over.client);
            std::thread::sleep(Duration::from_millis(5));
        }
        // Records that are still in the queue would count to the first batch.
        assert!(handed_over.client.flush(PATIENCE), "the worker finishes");
        handed_over
    }

    /// Returns the number of transactions that the worker has recycled.
    pub fn recycled(&self) -> u64 {
        lost(&self.client, Reason::RatelimitBackoff, Category::Transaction)
    }

    /// Returns the first transaction as it was sent.
    pub fn first(&self) -> &Value {
        &self.first
    }
}

/// Returns how much a client has counted as lost.
pub fn lost(client: &Client, reason: Reason, category: Category) -> u64 {
    let losses = client.losses().peek();
    losses
        .iter()
        .filter(|loss| loss.reason == reason && loss.category == category)
        .map(|loss| loss.quantity)
        .sum()
}

fn envelope(text: &str) -> Value {
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
    let headers = lines.next().unwrap_or_default();
    serde_json::json!({ "trace": headers["trace"], "transaction": lines.nth(1) })
}
