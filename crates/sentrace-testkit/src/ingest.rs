//! An ingest whose answers a test decides.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use flate2::read::GzDecoder;
use sentrace_core::deliver::Losses;
use sentrace_protocol::{Category, DiscardedEvents, Reason, envelope};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::PATIENCE;
use crate::http1::{HttpServer, Reply, Request, Script};

/// One request and what it was answered.
#[derive(Debug, Clone)]
pub struct Received {
    /// The request line.
    pub line: String,
    /// The header fields, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The length of the body as it came.
    pub body_bytes: usize,
    /// The headers of the envelope.
    pub envelope_headers: Value,
    /// The items of the envelope: their types and payloads.
    pub items: Vec<(String, Value)>,
    /// The status of the answer; `None` if there was no proper one.
    pub status: Option<u16>,
}

impl Received {
    /// Returns the first value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the payload of the first item of a type.
    pub fn item(&self, kind: &str) -> Option<&Value> {
        self.items.iter().find(|(own, _)| own == kind).map(|(_, payload)| payload)
    }

    fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// The ingest; it ends when it is dropped.
#[derive(Debug)]
pub struct Ingest {
    server: HttpServer,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: AtomicUsize,
    received: Mutex<Vec<Received>>,
    changed: Condvar,
}

struct Answers<F> {
    reply: F,
    seen: Arc<Seen>,
}

impl<F: Fn(usize) -> Reply + Send + Sync + 'static> Script for Answers<F> {
    fn reply(&self, _: &Request) -> Reply {
        (self.reply)(self.seen.requests.fetch_add(1, Ordering::SeqCst))
    }

    fn replying(&self, request: Request, status: Option<u16>) {
        self.seen.received.lock().unwrap().push(Received::read(request, status));
        self.seen.changed.notify_all();
    }
}

impl Ingest {
    /// Starts an ingest that gets each reply from the number of the request, counted from 0.
    pub fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), reply)
    }

    /// Starts an ingest that accepts everything.
    pub fn ok() -> Self {
        Self::start(|_| Reply::ok())
    }

    /// Starts an ingest that accepts everything, at a place that has been kept for it.
    pub fn start_at(place: Place) -> Self {
        Self::start_at_with(place, |_| Reply::ok())
    }

    /// Starts an ingest at a place that has been kept for it.
    pub fn start_at_with(place: Place, reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        place.socket.listen(1024).unwrap();
        Self::listen(place.socket.into(), reply)
    }

    fn listen(listener: TcpListener, reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let seen = Arc::<Seen>::default();
        let server = HttpServer::listen(listener, Answers { reply, seen: Arc::clone(&seen) });
        Self { server, seen }
    }

    /// Returns a DSN that sends here.
    pub fn dsn(&self) -> String {
        dsn(self.server.address())
    }

    /// Ends the ingest and keeps its address.
    pub fn into_place(self) -> Place {
        let address = self.server.address();
        drop(self);
        Place::at(address)
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Returns the number of requests that were read to their end, answered or not.
    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// Returns what has arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.lock().clone()
    }

    /// Waits until what has arrived is enough, and returns it.
    ///
    /// # Panics
    ///
    /// Panics if it takes longer than [`PATIENCE`].
    pub fn wait_for(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let waited =
            self.seen.changed.wait_timeout_while(self.lock(), PATIENCE, |received| !enough(received));
        let (received, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "the ingest waited in vain; it received {} requests", received.len());
        received.clone()
    }

    /// Returns the ids of accepted transactions, once for each time.
    pub fn event_ids(&self) -> Vec<String> {
        self.accepted_with(|request| request.envelope_headers["event_id"].as_str().map(str::to_owned))
    }

    /// Returns the names of accepted transactions.
    pub fn transactions(&self) -> Vec<String> {
        self.accepted_with(|request| request.item("transaction")?["transaction"].as_str().map(str::to_owned))
    }

    fn accepted_with(&self, read: impl Fn(&Received) -> Option<String>) -> Vec<String> {
        self.lock().iter().filter(|request| request.is_accepted()).filter_map(read).collect()
    }

    /// Counts the transactions and spans that were answered with a status for which `counts` holds.
    pub fn count(&self, counts: impl Fn(Option<u16>) -> bool) -> Tally {
        let mut tally = Tally::default();
        for request in self.lock().iter().filter(|request| counts(request.status)) {
            if let Some(transaction) = request.item("transaction") {
                tally.transactions += 1;
                tally.spans += 1 + transaction["spans"].as_array().map_or(0, Vec::len) as u64;
            }
        }
        tally
    }

    /// Counts the transactions and spans that were answered with 200.
    pub fn accepted(&self) -> Tally {
        self.count(|status| status == Some(200))
    }

    /// Sums up accepted client reports by reason and category.
    pub fn reported(&self) -> BTreeMap<(String, String), u64> {
        let mut reported = BTreeMap::new();
        for request in self.lock().iter().filter(|request| request.is_accepted()) {
            for (_, report) in request.items.iter().filter(|(kind, _)| kind == "client_report") {
                for entry in report["discarded_events"].as_array().unwrap() {
                    let text = |key: &str| entry[key].as_str().unwrap().to_owned();
                    *reported.entry((text("reason"), text("category"))).or_default() +=
                        entry["quantity"].as_u64().unwrap();
                }
            }
        }
        reported
    }

    /// Sums up accepted client reports.
    pub fn reported_losses(&self) -> Tally {
        let mut tally = Tally::default();
        for ((_, category), quantity) in self.reported() {
            match category.as_str() {
                "transaction" => tally.transactions += quantity,
                "span" => tally.spans += quantity,
                other => panic!("a report about {other}"),
            }
        }
        tally
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Received>> {
        self.seen.received.lock().unwrap()
    }
}

impl Received {
    fn read(request: Request, status: Option<u16>) -> Self {
        let text = decode(request.header("content-encoding"), &request.body);
        let envelope = envelope::read(&text).unwrap();
        let items = envelope
            .items
            .iter()
            .map(|item| (item.kind().to_owned(), serde_json::from_slice(item.payload).unwrap()))
            .collect();
        let envelope_headers = Value::Object(envelope.headers.clone());
        let Request { line, headers, body } = request;
        Self { line, headers, body_bytes: body.len(), envelope_headers, items, status }
    }
}

fn decode(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    match encoding {
        Some("gzip") => {
            let mut text = Vec::new();
            GzDecoder::new(body).read_to_end(&mut text).unwrap();
            text
        }
        Some("zstd") => zstd::decode_all(body).unwrap(),
        None => body.to_vec(),
        Some(other) => panic!("no ingest reads {other}"),
    }
}

/// An address of this machine where nothing listens yet. It is taken, so neither another ingest nor
/// a client's connection can get it.
#[derive(Debug)]
pub struct Place {
    socket: Socket,
}

impl Place {
    /// Takes a free port.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    fn at(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // Connections to the previous listener may still be closing.
        socket.set_reuse_address(true).unwrap();
        socket.bind(&address.into()).unwrap();
        Self { socket }
    }

    /// Returns a DSN that sends here.
    pub fn dsn(&self) -> String {
        dsn(self.socket.local_addr().unwrap().as_socket().unwrap())
    }
}

fn dsn(address: SocketAddr) -> String {
    format!("http://9c1f0d3e@{address}/base/42")
}

/// Transactions and spans; a transaction is a span too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Transactions.
    pub transactions: u64,
    /// Spans, including those that transactions are.
    pub spans: u64,
}

impl Tally {
    /// Counts transactions with so many child spans each.
    pub fn of(transactions: u64, children: u64) -> Self {
        Self { transactions, spans: transactions * (children + 1) }
    }

    /// Counts what is lost and not yet reported.
    pub fn lost(losses: &Losses) -> Self {
        let sum = |category| {
            let of_category = losses.peek().into_iter().filter(|events| events.category == category);
            of_category.map(|events| events.quantity).sum()
        };
        Self { transactions: sum(Category::Transaction), spans: sum(Category::Span) }
    }

    /// Returns the counters that it leaves behind when all of it is lost for one reason.
    pub fn discarded(self, reason: Reason) -> Vec<DiscardedEvents> {
        [(Category::Transaction, self.transactions), (Category::Span, self.spans)]
            .map(|(category, quantity)| DiscardedEvents { reason, category, quantity })
            .to_vec()
    }
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { transactions: self.transactions + other.transactions, spans: self.spans + other.spans }
    }
}
