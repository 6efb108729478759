//! An HTTP/1.1 server on threads of its own that follows a script.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request line: method, target and version.
    pub line: String,
    /// The header fields in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; of a chunked one the chunks as they came.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns the first value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request that it has read.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers with this status and these header fields, and reads the next request.
    Answer(u16, Vec<(&'static str, &'static str)>),
    /// Waits first.
    After(Duration, Box<Reply>),
    /// Closes the connection without an answer.
    Close,
    /// Writes these bytes and closes the connection.
    Raw(&'static [u8]),
    /// Writes this text and closes the connection.
    Text(String),
    /// Writes these bytes and then nothing, until the client closes the connection or the server is
    /// dropped.
    Stall(&'static [u8]),
    /// Writes these bytes over and over, until the client closes the connection.
    Endless(&'static [u8]),
}

impl Reply {
    /// Answers with 200.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// Answers with a status.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new())
    }

    /// Answers with 200 after so many milliseconds.
    pub fn after(millis: u64) -> Self {
        Self::After(Duration::from_millis(millis), Box::new(Self::ok()))
    }
}

/// Decides what becomes of requests. A closure from a request to a reply is a script.
pub trait Script: Send + Sync + 'static {
    /// Returns the reply to a request that has been read.
    fn reply(&self, request: &Request) -> Reply;

    /// Called before the reply is written; without a status if it is not a proper answer, or the
    /// client has gone.
    fn replying(&self, request: Request, status: Option<u16>) {
        let _ = (request, status);
    }
}

impl<F: Fn(&Request) -> Reply + Send + Sync + 'static> Script for F {
    fn reply(&self, request: &Request) -> Reply {
        self(request)
    }
}

/// The server; it ends when it is dropped.
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    script: Box<dyn Script>,
    ending: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl HttpServer {
    /// Starts on a free port of this machine.
    pub fn start(script: impl Script) -> Self {
        Self::listen(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), script)
    }

    /// Starts on a socket that listens.
    pub fn listen(listener: TcpListener, script: impl Script) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            ending: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, acceptor: Some(acceptor) }
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.lock().unwrap().len()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for connection in self.shared.connections.lock().unwrap().iter() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl std::fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpServer").field("address", &self.address).finish_non_exhaustive()
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.ending.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.connections.lock().unwrap().push(stream.try_clone().unwrap());
        let shared = Arc::clone(shared);
        std::thread::spawn(move || serve(&stream, &*shared.script));
    }
}

fn serve(mut stream: &TcpStream, script: &dyn Script) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let mut reply = script.reply(&request);
        while let Reply::After(delay, then) = reply {
            std::thread::sleep(delay);
            reply = *then;
        }
        if has_gone(stream) {
            reply = Reply::Close;
        }
        let status = if let Reply::Answer(status, _) = reply { Some(status) } else { None };
        // Before the answer, so that a test which has seen the answer finds the request.
        script.replying(request, status);
        let written = match &reply {
            Reply::Answer(status, headers) => {
                let mut head = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n");
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                stream.write_all(format!("{head}\r\n{{}}").as_bytes())
            }
            Reply::Raw(bytes) => stream.write_all(bytes),
            Reply::Text(text) => stream.write_all(text.as_bytes()),
            Reply::Stall(bytes) => stream.write_all(bytes).and_then(|()| reader.read(&mut [0]).map(drop)),
            Reply::Endless(bytes) => {
                let many = bytes.repeat(200);
                while stream.write_all(&many).is_ok() {}
                Ok(())
            }
            Reply::Close | Reply::After(..) => Ok(()),
        };
        if status.is_none() || written.is_err() {
            break;
        }
    }
    // Reads what still comes: closing on unread bytes would reset the connection before the client
    // has read the answer.
    let _ = stream.shutdown(Shutdown::Write);
    let _ = std::io::copy(&mut reader, &mut std::io::sink());
    let _ = stream.shutdown(Shutdown::Both);
}

fn has_gone(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let gone = matches!(stream.peek(&mut [0]), Ok(0));
    stream.set_nonblocking(false).unwrap();
    gone
}

/// Reads one request; `None` at the end of the connection.
fn read(reader: &mut impl BufRead) -> Option<Request> {
    let line = read_line(reader)?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { line, headers, body: Vec::new() };
    if let Some(length) = request.header("content-length") {
        request.body.resize(length.parse().unwrap(), 0);
        reader.read_exact(&mut request.body).ok()?;
    } else if request.header("transfer-encoding") == Some("chunked") {
        while !request.body.ends_with(b"0\r\n\r\n") {
            let read = reader.read_until(b'\n', &mut request.body).ok()?;
            (read > 0).then_some(())?;
        }
    }
    Some(request)
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    let read = reader.read_until(b'\n', &mut line).ok()?;
    (read > 0).then(|| String::from_utf8_lossy(&line).trim_end().to_owned())
}
