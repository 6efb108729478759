//! A connection that limits the size of responses.

use std::io::{Error, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::task::{Context, Poll};

use http::{Extensions, StatusCode};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// How much may be received without anything being sent. A response, of which 64 KiB are read, is much smaller. So are hundreds
/// of them on one connection.
const MAX_UNSOLICITED: usize = 1024 * 1024;
/// What hyper reads of a head. It is set here so that a head that is too large can be told from one that is invalid.
pub(super) const MAX_FIELDS: usize = 100;
pub(super) const MAX_HEAD_BYTES: usize = 128 * 1024;
/// The size of a read.
const CHUNK: usize = 2 * 1024;
/// `HTTP/1.1 200` and the byte after it.
const STATUS_BYTES: usize = 13;

/// Counts what is received. A peer that sends `102 Processing` without end would otherwise keep the worker's thread busy
/// forever, because hyper reads as long as there is data.
#[derive(Debug)]
pub(super) struct Metered<S> {
    inner: S,
    unsolicited: usize,
    start: [u8; STATUS_BYTES],
    started: usize,
    /// Of the head that is being read: its lines so far, the bytes of the last one, and whether it is complete.
    lines: usize,
    line_bytes: usize,
    ended: bool,
    head: Head,
}

/// What is known of the HTTP/1 response that is being read, even if hyper cannot parse the rest of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Head(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// 0 if unknown.
    status: AtomicU16,
    is_too_large: AtomicBool,
}

impl Head {
    /// Returns the head that was read last on a connection.
    pub(super) fn of(connected: &Connected) -> Option<Self> {
        let mut extras = Extensions::new();
        connected.get_extras(&mut extras);
        extras.remove()
    }

    /// Returns the status unless it is informational: then another response follows.
    pub(super) fn status(&self) -> Option<StatusCode> {
        let status = StatusCode::from_u16(self.0.status.load(Ordering::Relaxed)).ok();
        status.filter(|status| !status.is_informational())
    }

    /// Returns `true` if it has more fields or bytes than hyper reads.
    pub(super) fn is_too_large(&self) -> bool {
        self.0.is_too_large.load(Ordering::Relaxed)
    }
}

impl<S> Metered<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            unsolicited: 0,
            start: [0; STATUS_BYTES],
            started: 0,
            lines: 0,
            line_bytes: 0,
            ended: false,
            head: Head::default(),
        }
    }

    fn on_read(&mut self, bytes: &[u8]) -> Result<()> {
        if self.started < STATUS_BYTES {
            let taken = bytes.len().min(STATUS_BYTES - self.started);
            self.start[self.started..self.started + taken].copy_from_slice(&bytes[..taken]);
            self.started += taken;
            self.head.0.status.store(status(&self.start[..self.started]).unwrap_or(0), Ordering::Relaxed);
        }
        self.count_lines(bytes);
        self.unsolicited = self.unsolicited.saturating_add(bytes.len());
        // The first line is the status.
        if !self.ended && (self.lines > MAX_FIELDS + 1 || self.unsolicited >= MAX_HEAD_BYTES) {
            self.head.0.is_too_large.store(true, Ordering::Relaxed);
        }
        if self.unsolicited > MAX_UNSOLICITED {
            return Err(Error::other(format!("the response is longer than {MAX_UNSOLICITED} bytes")));
        }
        Ok(())
    }

    /// Counts lines up to the empty one that ends the head.
    fn count_lines(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                _ if self.ended => return,
                b'\n' if self.line_bytes == 0 => {
                    self.ended = true;
                    if self.lines > MAX_FIELDS + 1 {
                        self.head.0.is_too_large.store(true, Ordering::Relaxed);
                    }
                }
                b'\n' => (self.lines, self.line_bytes) = (self.lines + 1, 0),
                b'\r' => {}
                _ => self.line_bytes += 1,
            }
        }
    }

    fn on_write(&mut self) {
        (self.unsolicited, self.started) = (0, 0);
        (self.lines, self.line_bytes, self.ended) = (0, 0, false);
        self.head.0.status.store(0, Ordering::Relaxed);
        self.head.0.is_too_large.store(false, Ordering::Relaxed);
    }
}

fn status(start: &[u8]) -> Option<u16> {
    let version = start.strip_prefix(b"HTTP/1.0 ").or_else(|| start.strip_prefix(b"HTTP/1.1 "));
    let (code, end) = version?.split_at_checked(3)?;
    if !end.starts_with(b" ") && !end.starts_with(b"\r") {
        return None;
    }
    std::str::from_utf8(code).ok()?.parse().ok()
}

impl<S: Connection> Connection for Metered<S> {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.head.clone())
    }
}

impl<S: Read + Unpin> Read for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<Result<()>> {
        let mut chunk = [0; CHUNK];
        let room = buffer.remaining().min(CHUNK);
        let mut chunk = ReadBuf::new(&mut chunk[..room]);
        match Pin::new(&mut self.inner).poll_read(context, chunk.unfilled()) {
            Poll::Ready(Ok(())) => {}
            other => return other,
        }
        buffer.put_slice(chunk.filled());
        Poll::Ready(self.on_read(chunk.filled()))
    }
}

impl<S: Write + Unpin> Write for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.on_write();
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.on_write();
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_as_soon_as_it_is_read() {
        let rows: [(&[u8], Option<u16>, &str); 9] = [
            (b"HTTP/1.1 200 ", Some(200), "a usual one"),
            (b"HTTP/1.1 429\r", Some(429), "without a reason"),
            (b"HTTP/1.1 200", None, "perhaps a longer number"),
            (b"HTTP/1.1 2000", None, "a longer number"),
            (b"HTTP/1.1 2x0 ", None, "no number"),
            (b"HTTP/1.0 200 ", Some(200), "an older version"),
            (b"HTTP/2 200 OK", None, "another version"),
            (b"nonsense", None, "no HTTP"),
            (b"", None, "nothing"),
        ];
        for (start, expected, reason) in rows {
            assert_eq!(status(start), expected, "{reason}");
        }
    }

    #[test]
    fn a_head_is_too_large_with_too_many_fields_or_bytes_and_a_body_does_not_count() {
        let fields = |count: usize| "a: b\r\n".repeat(count);
        let long = "x".repeat(MAX_HEAD_BYTES);
        let rows = [
            (format!("HTTP/1.1 200 OK\r\n{}\r\n", fields(MAX_FIELDS)), false, "as many as are read"),
            (format!("HTTP/1.1 200 OK\r\n{}\r\n", fields(MAX_FIELDS + 1)), true, "one more"),
            (format!("HTTP/1.1 200 OK\n{}\n", fields(MAX_FIELDS + 1)), true, "with half of the line ends"),
            (format!("HTTP/1.1 200 OK\r\na: {long}"), true, "a long one"),
            (format!("HTTP/1.1 200 OK\r\n\r\n{}", fields(500)), false, "lines of a body"),
            (format!("HTTP/1.1 200 OK\r\n\r\n{long}"), false, "a long body"),
        ];
        for (answer, expected, reason) in rows {
            for size in [1, 7, CHUNK] {
                let mut metered = Metered::new(());
                answer.as_bytes().chunks(size).for_each(|chunk| metered.on_read(chunk).unwrap());
                assert_eq!(metered.head.is_too_large(), expected, "{reason}, {size} at a time");
                assert_eq!(metered.head.status(), Some(StatusCode::OK), "{reason}");
                metered.on_write();
                assert!(!metered.head.is_too_large() && metered.head.status().is_none(), "{reason}");
            }
        }
    }

    #[test]
    fn what_is_received_unsolicited_has_a_limit() {
        let mut metered = Metered::new(());
        let chunk = [0; CHUNK];
        for _ in 0..3 {
            for _ in 0..MAX_UNSOLICITED / CHUNK {
                metered.on_read(&chunk).unwrap();
            }
            metered.on_write();
        }
        for _ in 0..MAX_UNSOLICITED / CHUNK {
            metered.on_read(&chunk).unwrap();
        }
        let error = metered.on_read(&chunk).unwrap_err().to_string();
        assert!(error.contains("1048576 bytes"), "{error}");
    }
}
