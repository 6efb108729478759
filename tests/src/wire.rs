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
    /// Connects to a base URL of [`serve`](crate::serve).
    pub async fn connect(base: &str) -> Self {
        let address = base.strip_prefix("http://").expect("a base URL of this crate");
        let socket = in_time(TcpStream::connect(address)).await.expect("the server listens");
        Self { socket, received: Vec::new() }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        in_time(self.socket.write_all(bytes.as_ref())).await.expect("the server reads");
    }

    /// Reads until `text` has come.
    pub async fn read_to(&mut self, text: &str) {
        while !self.received.windows(text.len()).any(|window| window == text.as_bytes()) {
            let read = in_time(self.socket.read_buf(&mut self.received)).await.expect("a readable socket");
            assert_ne!(read, 0, "the connection ended before {text:?}");
        }
    }

    /// One request (its head without the empty line), and what comes until the server closes.
    pub async fn ask(base: &str, head: &str) -> Answer {
        let mut wire = Self::connect(base).await;
        wire.send(format!("{head}Connection: close\r\n\r\n")).await;
        in_time(async {
            // A server that resets the connection has ended it, too.
            while wire.socket.read_buf(&mut wire.received).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        Answer(String::from_utf8(wire.received).expect("tests write UTF-8"))
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer(String);

impl Answer {
    /// The status; 0 where no answer came.
    pub fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The first value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields =
            self.0.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
        fields.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}
