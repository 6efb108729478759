//! Servers that follow a script and keep every request that they get.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentrace_testkit::http1::{self, HttpServer, Request};

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
    fn new(server: &'static str, request: &Request) -> Self {
        let mut words = request.line.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        let (method, target, version) = (word(), word(), word());
        let mut headers = request.headers.clone();
        headers.sort();
        let body = String::from_utf8_lossy(&request.body).into_owned();
        Self { server, method, target, version, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The reply of a path. All of them close the connection, so that no pooled one decides which of two equal trips succeeds.
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

impl Reply {
    fn script(self) -> http1::Reply {
        match self {
            Self::Status(status) => http1::Reply::Text(format!(
                "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody"
            )),
            Self::Redirect(status, to) => http1::Reply::Text(format!(
                "HTTP/1.1 {status} Moved\r\nlocation: {to}\r\nconnection: close\r\ncontent-length: 5\r\n\r\nmoved"
            )),
            Self::SlowRedirect(status, to, after) => {
                http1::Reply::After(after, Box::new(Self::Redirect(status, to).script()))
            }
            Self::Silence => http1::Reply::Stall(b""),
            Self::HalfABody => http1::Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf"),
            Self::Hangup => http1::Reply::Close,
        }
    }
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
    pub(crate) fn new() -> Self {
        let log = Log::default();
        Self {
            home: Server::start("home", log.clone()),
            sister: Server::start("sister", log.clone()),
            foreign: Server::start("foreign", log.clone()),
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
    http: HttpServer,
    routes: Arc<Mutex<HashMap<String, Reply>>>,
}

impl Server {
    fn start(name: &'static str, log: Log) -> Self {
        let routes = Arc::<Mutex<HashMap<String, Reply>>>::default();
        let script = Arc::clone(&routes);
        let http = HttpServer::start(move |request: &Request| {
            let seen = Seen::new(name, request);
            let path = seen.target.split('?').next().unwrap_or_default().to_owned();
            log.lock().unwrap().push(seen);
            script.lock().unwrap().get(&path).cloned().unwrap_or(Reply::Status(404)).script()
        });
        Self { name, http, routes }
    }

    fn address(&self) -> SocketAddr {
        self.http.address()
    }

    pub(crate) fn authority(&self) -> String {
        self.address().to_string()
    }

    pub(crate) fn host_and_port(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.address().port())
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
