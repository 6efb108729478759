//! HTTP/1.1 by hand, for clients that go away and requests that no library sends.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::in_time;

/// One connection. Dropping it is a client that goes away.
#[derive(Debug)]
pub struct Wire {
    socket: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    /// Connects to a server of this machine, by its address or its base URL.
    pub async fn connect(server: impl ToString) -> Self {
        let server = server.to_string();
        let address = server.strip_prefix("http://").unwrap_or(&server);
        let socket = in_time(TcpStream::connect(address)).await.expect("the server listens");
        Self { socket, received: Vec::new() }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        in_time(self.socket.write_all(bytes.as_ref())).await.expect("the server reads");
    }

    /// Reads until `text` has come, and takes what has come up to its end.
    pub async fn read_past(&mut self, text: &str) -> String {
        let past = loop {
            let found = self.received.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                break at + text.len();
            }
            let read = in_time(self.socket.read_buf(&mut self.received)).await.expect("a readable socket");
            let received = String::from_utf8_lossy(&self.received);
            assert_ne!(read, 0, "the connection ended before {text:?}: {received:?}");
        };
        let read = self.received.drain(..past).collect();
        String::from_utf8(read).expect("tests write UTF-8")
    }

    /// Returns what comes until the server closes the connection.
    pub async fn rest(mut self) -> Answer {
        in_time(async {
            // A server that resets the connection has ended it, too.
            while self.socket.read_buf(&mut self.received).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        Answer(String::from_utf8(self.received).expect("tests write UTF-8"))
    }

    /// Sends one request (its head without the empty line), and returns what comes until the server
    /// closes the connection.
    pub async fn ask(mut self, head: &str) -> Answer {
        self.send(format!("{head}Connection: close\r\n\r\n")).await;
        self.rest().await
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer(String);

impl Answer {
    /// Returns the status; 0 if there is no answer.
    pub fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Returns the first value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// Returns all values of a header field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.split().0.lines().filter_map(|line| line.split_once(':'));
        fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// Returns the body.
    pub fn body(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        self.0.split_once("\r\n\r\n").unwrap_or((&self.0, ""))
    }

    /// Returns `true` if the answer contains a text.
    pub fn contains(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}
