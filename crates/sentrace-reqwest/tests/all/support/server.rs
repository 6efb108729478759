//! Hand-written HTTP/1.1 servers that follow a script and keep everything they were sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) server: &'static str,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    /// In lower case, sorted by name.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What a path answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    Redirect(u16, String),
    /// Like a redirect, but only after a while.
    SlowRedirect(u16, String, Duration),
    /// Never.
    Silence,
    /// A head that promises more body than comes.
    HalfABody,
    /// Closes the connection instead of answering.
    Hangup,
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// Three services: the trace may go to `home` and `sister`, but not to `foreign`.
pub(crate) struct World {
    pub(crate) home: Server,
    pub(crate) sister: Server,
    pub(crate) foreign: Server,
    log: Log,
}

impl World {
    pub(crate) async fn new() -> Self {
        let log = Log::default();
        Self {
            home: Server::start("home", log.clone()).await,
            sister: Server::start("sister", log.clone()).await,
            foreign: Server::start("foreign", log.clone()).await,
            log,
        }
    }

    /// All requests since the last call, in order.
    pub(crate) fn take_log(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// The parts of URLs that are allowed.
    pub(crate) fn allowed(&self) -> [String; 2] {
        [self.home.authority(), self.sister.authority()]
    }
}

pub(crate) struct Server {
    pub(crate) name: &'static str,
    port: u16,
    routes: Arc<Mutex<HashMap<String, Reply>>>,
}

impl Server {
    async fn start(name: &'static str, log: Log) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let routes = Arc::<Mutex<HashMap<String, Reply>>>::default();
        let script = routes.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(name, stream, script.clone(), log.clone()));
            }
        });
        Self { name, port, routes }
    }

    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn host_and_port(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.port)
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority())
    }

    pub(crate) fn on(&self, path: &str, reply: Reply) {
        self.routes.lock().unwrap().insert(path.to_owned(), reply);
    }

    pub(crate) fn redirects(&self, path: &str, status: u16, to: impl Into<String>) {
        self.on(path, Reply::Redirect(status, to.into()));
    }
}

async fn serve(
    server: &'static str,
    mut stream: TcpStream,
    routes: Arc<Mutex<HashMap<String, Reply>>>,
    log: Log,
) -> Option<()> {
    let seen = read_request(server, &mut stream).await?;
    let path = seen.target.split('?').next().unwrap_or_default().to_owned();
    log.lock().unwrap().push(seen);
    let reply = routes.lock().unwrap().get(&path).cloned().unwrap_or(Reply::Status(404));
    let head = match reply {
        Reply::Status(status) => format!("HTTP/1.1 {status} Said\r\ncontent-length: 4\r\n\r\nbody"),
        Reply::Redirect(status, to) => redirect(status, &to),
        Reply::SlowRedirect(status, to, after) => {
            tokio::time::sleep(after).await;
            redirect(status, &to)
        }
        Reply::Silence => return std::future::pending().await,
        Reply::HalfABody => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf".to_owned(),
        Reply::Hangup => return None,
    };
    stream.write_all(head.as_bytes()).await.ok()?;
    // One request a connection, so that no pooled one decides which of two equal trips succeeds.
    stream.shutdown().await.ok()?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok()?;
    Some(())
}

fn redirect(status: u16, to: &str) -> String {
    format!(
        "HTTP/1.1 {status} Moved\r\nlocation: {to}\r\nconnection: close\r\ncontent-length: 5\r\n\r\nmoved"
    )
}

async fn read_request(server: &'static str, stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        read_some(stream, &mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut body = bytes.split_off(head_end + 4);
    let mut lines = head.split("\r\n");
    let mut start = lines.next()?.split(' ');
    let mut word = || start.next().map(str::to_owned);
    let (method, target, version) = (word()?, word()?, word()?);
    let mut headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    headers.sort();
    let mut seen = Seen { server, method, target, version, headers, body: String::new() };
    if let Some(length) = seen.header("content-length").and_then(|length| length.parse().ok()) {
        while body.len() < length {
            read_some(stream, &mut body).await?;
        }
    } else if seen.header("transfer-encoding") == Some("chunked") {
        while !body.ends_with(b"0\r\n\r\n") {
            read_some(stream, &mut body).await?;
        }
    }
    seen.body = String::from_utf8_lossy(&body).into_owned();
    Some(seen)
}

async fn read_some(stream: &mut TcpStream, into: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(into).await.ok()? > 0).then_some(())
}
