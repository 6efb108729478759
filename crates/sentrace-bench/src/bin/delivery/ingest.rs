//! A collector that counts, with configurable faults.

use std::collections::HashSet;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// How the collector behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Accepts everything after 50 ms.
    Well,
    /// Accepts everything after 2 s.
    Slow,
    /// Answers with this status.
    Status(u16),
    /// Answers with 429 and a rate limit of 2 s.
    Limit,
    /// Reads, then resets the connection.
    Reset,
    /// Reads and never answers.
    Hang,
    /// Answers with bytes that are not HTTP.
    Garbage,
    /// Reads 64 bytes every 20 ms.
    SlowRead,
    /// Does not listen.
    Down,
}

/// What has been received.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    pub accepted: u64,
    pub twice: u64,
    pub refused_429: u64,
    pub reported: u64,
    pub body_bytes: u64,
    ids: HashSet<String>,
}

struct Shared {
    mode: Mutex<Mode>,
    counts: Mutex<Counts>,
}

pub struct Ingest {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Runtime,
    acceptor: Option<JoinHandle<()>>,
}

impl Ingest {
    pub fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Shared { mode: Mutex::new(Mode::Well), counts: Mutex::default() });
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Some(runtime.spawn(accept(listener, Arc::clone(&shared))));
        Self { address, shared, runtime, acceptor }
    }

    pub fn dsn(&self) -> String {
        format!("http://9c1f0d3e5b7a48c2a6d4e8f013579bdf@{}/42", self.address)
    }

    pub fn set(&mut self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
        if mode == Mode::Down {
            if let Some(acceptor) = self.acceptor.take() {
                acceptor.abort();
                let _ = self.runtime.block_on(acceptor);
            }
        } else if self.acceptor.is_none() {
            let _guard = self.runtime.enter();
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(self.address).unwrap();
            let listener = socket.listen(1024).unwrap();
            self.acceptor = Some(self.runtime.spawn(accept(listener, Arc::clone(&self.shared))));
        }
    }

    pub fn counts(&self) -> Counts {
        self.shared.counts.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mode = *shared.mode.lock().unwrap();
    match mode {
        Mode::Garbage => {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(b"\0\xff\r\n\r\n").await;
        }
        Mode::SlowRead => {
            let mut read = [0; 64];
            while *shared.mode.lock().unwrap() == Mode::SlowRead {
                if !matches!(stream.read(&mut read).await, Ok(1..)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        _ => {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http2().max_concurrent_streams(250);
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        }
    }
}

#[derive(Debug)]
struct BreakOff;

impl std::fmt::Display for BreakOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off on purpose")
    }
}

impl std::error::Error for BreakOff {}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Empty<Bytes>>, BreakOff> {
    let gzip = request.headers().contains_key("content-encoding");
    let body = request.into_body().collect().await.map_err(|_| BreakOff)?.to_bytes();
    let mode = *shared.mode.lock().unwrap();
    let (status, delay) = match mode {
        Mode::Well => (200, 50),
        Mode::Slow => (200, 2_000),
        Mode::Status(status) => (status, 5),
        Mode::Limit => (429, 5),
        Mode::Hang => (200, 3_600_000),
        Mode::Reset | Mode::Garbage | Mode::SlowRead | Mode::Down => return Err(BreakOff),
    };
    tokio::time::sleep(Duration::from_millis(delay)).await;
    shared.counts.lock().unwrap().add(&body, gzip, status);
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if mode == Mode::Limit {
        let limit = "2:transaction:key".parse().unwrap();
        response.headers_mut().insert("x-sentry-rate-limits", limit);
    }
    Ok(response)
}

impl Counts {
    fn add(&mut self, body: &[u8], gzip: bool, status: u16) {
        let plain = if gzip {
            let mut plain = Vec::new();
            let _ = GzDecoder::new(body).read_to_end(&mut plain);
            plain
        } else {
            body.to_vec()
        };
        let text = String::from_utf8_lossy(&plain);
        let mut lines = text.lines();
        let headers: serde_json::Value = serde_json::from_str(lines.next().unwrap_or("")).unwrap_or_default();
        if status == 200 {
            self.add_reports(&text);
        }
        let Some(id) = headers["event_id"].as_str() else { return };
        match status {
            200 => {
                self.body_bytes += body.len() as u64;
                if self.ids.insert(id.to_owned()) {
                    self.accepted += 1;
                } else {
                    self.twice += 1;
                }
            }
            429 => self.refused_429 += 1,
            _ => {}
        }
    }

    fn add_reports(&mut self, text: &str) {
        for line in text.lines().filter(|line| line.contains("\"discarded_events\"")) {
            let report: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            for entry in report["discarded_events"].as_array().into_iter().flatten() {
                if entry["category"] == "transaction" {
                    self.reported += entry["quantity"].as_u64().unwrap_or(0);
                }
            }
        }
    }
}
