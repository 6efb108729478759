//! An ingest on a real socket, with threads of its own, whose answers the test decides.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use flate2::read::GzDecoder;
use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options};
use sentrace_delivery::Delivery;
use sentrace_protocol::{Category, DiscardedEvents, Reason, envelope};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

/// Far more than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// What the ingest does with a request that it has read.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, &'static str)>),
    After(Duration, Box<Reply>),
    /// Closes the connection without a word.
    Close,
    /// Writes these bytes and closes.
    Raw(&'static [u8]),
    /// Writes these bytes and then nothing, until the other side closes or the ingest is dropped.
    Stall(&'static [u8]),
    /// Writes these bytes over and over, until the other side closes.
    Endless(&'static [u8]),
}

impl Reply {
    pub(crate) fn ok() -> Self {
        Self::Answer(200, Vec::new())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new())
    }

    pub(crate) fn after(millis: u64) -> Self {
        Self::After(Duration::from_millis(millis), Box::new(Self::ok()))
    }
}

/// One request and what it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body_bytes: usize,
    pub(crate) envelope_headers: Value,
    pub(crate) items: Vec<(String, Value)>,
    /// `None` where there was no proper answer.
    pub(crate) status: Option<u16>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn item(&self, kind: &str) -> Option<&Value> {
        self.items.iter().find(|(own, _)| own == kind).map(|(_, payload)| payload)
    }

    fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

pub(crate) struct Ingest {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    reply: Box<dyn Fn(usize) -> Reply + Send + Sync>,
    requests: AtomicUsize,
    received: Mutex<Vec<Received>>,
    changed: Condvar,
    ending: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Ingest {
    /// `reply` is asked with the number of the request, counted from 0.
    pub(crate) fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), reply)
    }

    /// An ingest where nobody listened until now.
    pub(crate) fn start_at(place: Place) -> Self {
        Self::start_at_with(place, |_| Reply::ok())
    }

    pub(crate) fn start_at_with(
        place: Place,
        reply: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        place.socket.listen(1024).unwrap();
        Self::listen(place.socket.into(), reply)
    }

    fn listen(listener: TcpListener, reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            reply: Box::new(reply),
            requests: AtomicUsize::new(0),
            received: Mutex::default(),
            changed: Condvar::new(),
            ending: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    pub(crate) fn ok() -> Self {
        Self::start(|_| Reply::ok())
    }

    pub(crate) fn dsn(&self) -> String {
        dsn(self.address)
    }

    /// Ends it, so that nobody listens there.
    pub(crate) fn into_place(self) -> Place {
        let address = self.address;
        drop(self);
        Place::at(address)
    }

    /// Its address as a URL.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.lock().unwrap().len()
    }

    /// How many requests were read to their end, answered or not.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.lock().clone()
    }

    /// Waits for what arrived to become such, and returns it.
    pub(crate) fn wait_for(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let waited = self.shared.changed.wait_timeout_while(self.lock(), LONG, |received| !enough(received));
        let (received, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "the ingest waited in vain; it received {} requests", received.len());
        received.clone()
    }

    /// The ids of the transactions that were accepted, as often as they were.
    pub(crate) fn event_ids(&self) -> Vec<String> {
        let received = self.lock();
        let accepted = received.iter().filter(|request| request.is_accepted());
        accepted
            .filter_map(|request| request.envelope_headers["event_id"].as_str().map(str::to_owned))
            .collect()
    }

    /// The names of the transactions that were accepted.
    pub(crate) fn transactions(&self) -> Vec<String> {
        let received = self.lock();
        let accepted = received.iter().filter(|request| request.is_accepted());
        let names = accepted
            .filter_map(|request| request.item("transaction")?["transaction"].as_str().map(str::to_owned));
        names.collect()
    }

    /// How many transactions and spans (each transaction is one too) were answered with a status that `counts`.
    pub(crate) fn count(&self, counts: impl Fn(Option<u16>) -> bool) -> Tally {
        let mut tally = Tally::default();
        for request in self.lock().iter().filter(|request| counts(request.status)) {
            if let Some(transaction) = request.item("transaction") {
                tally.transactions += 1;
                tally.spans += 1 + transaction["spans"].as_array().map_or(0, Vec::len) as u64;
            }
        }
        tally
    }

    pub(crate) fn accepted(&self) -> Tally {
        self.count(|status| status == Some(200))
    }

    /// What client reports said that were accepted: quantities by reason and category.
    pub(crate) fn reported(&self) -> BTreeMap<(String, String), u64> {
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

    /// All that was reported lost.
    pub(crate) fn reported_losses(&self) -> Tally {
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
        self.shared.received.lock().unwrap()
    }
}

/// An address of this machine where nobody listens yet, and which nobody else gets: neither another test's ingest, nor
/// a client that connects from it.
pub(crate) struct Place {
    socket: Socket,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    fn at(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // Connections of whoever listened before may still be ending.
        socket.set_reuse_address(true).unwrap();
        socket.bind(&address.into()).unwrap();
        Self { socket }
    }

    pub(crate) fn dsn(&self) -> String {
        dsn(self.socket.local_addr().unwrap().as_socket().unwrap())
    }
}

fn dsn(address: SocketAddr) -> String {
    format!("http://9c1f0d3e@{address}/base/42")
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for connection in self.shared.connections.lock().unwrap().iter() {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Transactions and spans; a transaction is a span too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) transactions: u64,
    pub(crate) spans: u64,
}

impl Tally {
    pub(crate) fn of(transactions: u64, children: u64) -> Self {
        Self { transactions, spans: transactions * (children + 1) }
    }
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { transactions: self.transactions + other.transactions, spans: self.spans + other.spans }
    }
}

/// What is counted as lost and not reported yet.
pub(crate) fn counted(losses: &Losses) -> Tally {
    let sum = |category| {
        losses.peek().iter().filter(|events| events.category == category).map(|events| events.quantity).sum()
    };
    Tally { transactions: sum(Category::Transaction), spans: sum(Category::Span) }
}

/// Waits until `done`, for as long as anything here may take.
pub(crate) fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The loss counters that one reason leaves behind.
pub(crate) fn only(reason: Reason, tally: Tally) -> Vec<DiscardedEvents> {
    [(Category::Transaction, tally.transactions), (Category::Span, tally.spans)]
        .map(|(category, quantity)| DiscardedEvents { reason, category, quantity })
        .to_vec()
}

/// A client of `ingest` that records everything.
pub(crate) fn client(ingest: &Ingest) -> (Client, Arc<Losses>) {
    client_with(&ingest.dsn(), |options| options)
}

/// A client that keeps its losses to itself, so that a test can read them.
pub(crate) fn silent_client(dsn: &str) -> (Client, Arc<Losses>) {
    client_with(dsn, |options| options.send_client_reports(false))
}

pub(crate) fn client_with(dsn: &str, edit: impl FnOnce(Options) -> Options) -> (Client, Arc<Losses>) {
    let options = edit(
        Options::new()
            .dsn(dsn)
            .release("shop@1.4.0")
            .traces_sample_rate(1.0)
            // What a test does to the network is to be seen at once.
            .retry_timeout(Duration::ZERO),
    );
    let losses = Arc::new(Losses::default());
    let dsn = options.get_dsn().unwrap().clone();
    let delivery = Delivery::start(dsn, &options, Arc::clone(&losses)).unwrap();
    (Client::new(options, Arc::new(delivery), Arc::clone(&losses)).unwrap(), losses)
}

/// Records a transaction with `children` spans.
pub(crate) fn record(client: &Client, name: &str, children: u64) {
    let transaction = client.start_transaction(name, "queue.task");
    transaction.set_data("attempt", 1);
    for number in 0..children {
        let span = transaction.start_span("db.query", "SELECT price FROM cart WHERE id = ?");
        span.set_data("row", i64::try_from(number).unwrap());
        span.finish();
    }
    transaction.finish();
}

pub(crate) fn record_many(client: &Client, transactions: u64, children: u64) -> Tally {
    for number in 0..transactions {
        record(client, &format!("task {number}"), children);
    }
    Tally::of(transactions, children)
}

/// Where nobody listens; no test is ever given this port.
pub(crate) const DEAD_DSN: &str = "http://key@127.0.0.1:1/1";

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ending.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.connections.lock().unwrap().push(stream.try_clone().unwrap());
        let shared = Arc::clone(shared);
        std::thread::spawn(move || serve(&stream, &shared));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(mut received) = read(&mut reader) {
        let mut reply = (shared.reply)(shared.requests.fetch_add(1, Ordering::SeqCst));
        while let Reply::After(delay, then) = reply {
            std::thread::sleep(delay);
            reply = *then;
        }
        // Who has gone meanwhile has not delivered.
        if has_gone(stream) {
            reply = Reply::Close;
        }
        let (bytes, close) = match &reply {
            Reply::Answer(status, headers) => {
                received.status = Some(*status);
                let body = format!("{{\"id\":{}}}", received.envelope_headers["event_id"]);
                let mut head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                (format!("{head}\r\n{body}").into_bytes(), false)
            }
            Reply::Raw(bytes) => (bytes.to_vec(), true),
            Reply::Close => (Vec::new(), true),
            Reply::Stall(bytes) => {
                (&*stream).write_all(bytes).unwrap();
                let _ = reader.read(&mut [0]);
                (Vec::new(), true)
            }
            Reply::Endless(bytes) => {
                let many = bytes.repeat(200);
                while (&*stream).write_all(&many).is_ok() {}
                (Vec::new(), true)
            }
            Reply::After(..) => unreachable!("delays are over"),
        };
        // Known before it is answered, so that a flush that has ended finds it here.
        shared.received.lock().unwrap().push(received);
        shared.changed.notify_all();
        if (&*stream).write_all(&bytes).is_err() || close {
            break;
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn has_gone(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let gone = matches!(stream.peek(&mut [0]), Ok(0));
    stream.set_nonblocking(false).unwrap();
    gone
}

/// Reads one request; `None` at the end of the connection.
fn read(reader: &mut impl BufRead) -> Option<Received> {
    let line = read_line(reader)?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length =
        headers.iter().find(|(name, _)| name == "content-length").expect("every request tells its length");
    let mut body = vec![0; length.1.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let encoding = headers.iter().find(|(name, _)| name == "content-encoding");
    let text = decode(encoding.map(|(_, encoding)| encoding.as_str()), &body);
    let envelope = envelope::read(&text).unwrap();
    let items = envelope
        .items
        .iter()
        .map(|item| (item.kind().to_owned(), serde_json::from_slice(item.payload).unwrap()))
        .collect();
    Some(Received {
        line,
        headers,
        body_bytes: body.len(),
        envelope_headers: Value::Object(envelope.headers.clone()),
        items,
        status: None,
    })
}

fn decode(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    match encoding {
        Some("gzip") => {
            let mut text = Vec::new();
            GzDecoder::new(body).read_to_end(&mut text).unwrap();
            text
        }
        #[cfg(feature = "zstd")]
        Some("zstd") => zstd::decode_all(body).unwrap(),
        None => body.to_vec(),
        Some(other) => panic!("no ingest reads {other}"),
    }
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
