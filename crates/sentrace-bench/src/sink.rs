//! Where our transactions go when nobody wants them: dropped on the spot, or handed to the real worker.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sentrace::protocol::{Category, Reason};
use sentrace::{Client, Compression, Options};
use sentrace::deliver::{Deliver, FinishedTransaction, Losses};
use serde_json::Value;

/// The options of every variant of ours.
pub fn options(dsn: &str) -> Options {
    Options::new()
        .dsn(dsn)
        .release("shop@1.4.0")
        .environment("production")
        .traces_sample_rate(1.0)
        .tracing_origins([sentrace::Origin::host("api.example.com")])
}

/// How long the worker may take for what it does at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// A DSN to which nothing is ever sent.
pub const NOWHERE: &str = "http://9c1f0d3e5b7a48c2a6d4e8f013579bdf@127.0.0.1:9/1";

/// Counts what it gets and drops it on the thread that brings it.
#[derive(Debug, Default)]
pub struct Dropping {
    transactions: AtomicU64,
    spans: AtomicU64,
    keeps_next: AtomicBool,
    kept: Mutex<Option<Value>>,
}

impl Dropping {
    /// A client that uses it, made global.
    ///
    /// # Panics
    /// Where the options are wrong.
    pub fn client(options: Options) -> (Client, Arc<Self>) {
        let sink = Arc::new(Self::default());
        let deliver: Arc<dyn Deliver> = Arc::<Self>::clone(&sink);
        let client =
            Client::new(options, deliver, Arc::new(Losses::default())).expect("the options are right");
        client.bind();
        (client, sink)
    }

    /// Transactions so far.
    pub fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Spans below transactions so far.
    pub fn spans(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    /// What `record` records, as it would be sent: the transaction, and `trace` from the envelope's header.
    pub fn envelope(&self, record: impl FnOnce()) -> Option<Value> {
        self.keeps_next.store(true, Ordering::Relaxed);
        record();
        self.keeps_next.store(false, Ordering::Relaxed);
        self.kept.lock().ok()?.take()
    }
}

impl Dropping {
    /// By itself, so that what is measured does not carry it along.
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

/// The real queue and worker, below an ingest that took one transaction and has asked for silence ever since: the
/// worker takes each record from the queue, counts it as lost and recycles it, and that is all it does.
#[derive(Debug)]
pub struct HandedOver {
    client: Client,
    first: Value,
}

impl HandedOver {
    /// Starts the worker and waits until it drops. The client is global.
    ///
    /// # Panics
    /// Where the worker cannot be started, or its first post does not come.
    pub fn start(record: impl Fn(&Client)) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let dsn = format!("http://9c1f0d3e5b7a48c2a6d4e8f013579bdf@{address}/1");
        let options = options(&dsn)
            .compression(Compression::Off)
            .send_client_reports(false)
            .backpressure_handling(false);
        let client = sentrace::client(options).expect("the worker starts");
        client.bind();
        let first = silence(listener);
        record(&client);
        let first = first.recv_timeout(PATIENCE).expect("the first transaction is posted");
        let handed_over = Self { client, first: envelope(&first) };
        let start = Instant::now();
        while handed_over.recycled() == 0 {
            assert!(start.elapsed() < PATIENCE, "the rate limit is not heeded");
            record(&handed_over.client);
            std::thread::sleep(Duration::from_millis(5));
        }
        // What is still in the queue belongs to nobody's batch.
        assert!(handed_over.client.flush(PATIENCE), "the worker comes to an end");
        handed_over
    }

    /// Transactions that came back from the worker.
    pub fn recycled(&self) -> u64 {
        lost(&self.client, Reason::RatelimitBackoff, Category::Transaction)
    }

    /// What went over the wire before the silence.
    pub fn first(&self) -> &Value {
        &self.first
    }
}

/// What a client has counted as lost.
pub fn lost(client: &Client, reason: Reason, category: Category) -> u64 {
    let losses = client.losses().peek();
    losses
        .iter()
        .filter(|loss| loss.reason == reason && loss.category == category)
        .map(|loss| loss.quantity)
        .sum()
}

/// Answers every post with a rate limit, and tells their bodies.
fn silence(listener: TcpListener) -> Receiver<String> {
    let (bodies, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            while let Ok(body) = read_post(&mut reader) {
                let _ = bodies.send(body);
                if (&stream).write_all(SILENCE).is_err() {
                    break;
                }
            }
        }
    });
    told
}

const SILENCE: &[u8] =
    b"HTTP/1.1 200 OK\r\nx-sentry-rate-limits: 86400:transaction:key\r\ncontent-length: 0\r\n\r\n";

fn read_post(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn envelope(text: &str) -> Value {
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
    let headers = lines.next().unwrap_or_default();
    serde_json::json!({ "trace": headers["trace"], "transaction": lines.nth(1) })
}
