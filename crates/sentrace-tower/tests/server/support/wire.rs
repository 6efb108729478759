//! HTTP/1.1 by hand: what arrives is what was sent.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::in_time;

/// One connection. Dropping it is a client that goes away.
pub(crate) struct Wire {
    socket: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let socket = in_time(TcpStream::connect(address)).await.expect("the server listens");
        Self { socket, received: Vec::new() }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        in_time(self.socket.write_all(bytes)).await.expect("the server reads");
    }

    /// Reads until `text` has come, and forgets what came up to its end.
    pub(crate) async fn read_past(&mut self, text: &str) -> String {
        let past = loop {
            let found = self.received.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                break at + text.len();
            }
            let read =
                in_time(self.socket.read_buf(&mut self.received)).await.expect("the socket is readable");
            assert_ne!(
                read,
                0,
                "the connection ended before {text:?}: {:?}",
                String::from_utf8_lossy(&self.received)
            );
        };
        let read = self.received.drain(..past).collect();
        String::from_utf8(read).expect("tests write UTF-8")
    }

    /// What comes until the server closes, as one answer.
    pub(crate) async fn rest(mut self) -> Answer {
        in_time(async {
            // A server that resets the connection has ended it, too.
            while self.socket.read_buf(&mut self.received).await.is_ok_and(|read| read > 0) {}
        })
        .await;
        Answer(String::from_utf8(self.received).expect("tests write UTF-8"))
    }
}

#[derive(Debug)]
pub(crate) struct Answer(String);

impl Answer {
    /// 0 where none came.
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}
