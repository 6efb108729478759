//! A connection on which answers have an end.

use std::io::{Error, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::task::{Context, Poll};

use http::{Extensions, StatusCode};
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// What may come without anything being sent in between. An answer, of which 64 KiB are read, is much smaller; hundreds of
/// them on one connection are too.
const MAX_UNASKED: usize = 1024 * 1024;
/// What hyper is told to read of a head. It has to be told: what it does not read is to be told from what it cannot.
pub(super) const MAX_FIELDS: usize = 100;
pub(super) const MAX_HEAD_BYTES: usize = 128 * 1024;
/// As much is read at once.
const CHUNK: usize = 2 * 1024;
/// `HTTP/1.1 200` and what ends the number.
const STATUS_BYTES: usize = 13;

/// Counts what comes. An ingest that answers `102 Processing` without end would otherwise keep the worker's thread busy for
/// good, because hyper reads on as long as something is there.
#[derive(Debug)]
pub(super) struct Metered<S> {
    inner: S,
    unasked: usize,
    start: [u8; STATUS_BYTES],
    started: usize,
    /// Of the head that is being read: its lines so far, the bytes of the last one, and whether it is over.
    lines: usize,
    line_bytes: usize,
    ended: bool,
    head: Head,
}

/// What is known of the HTTP/1 answer that is being read, even if hyper cannot read the rest of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Head(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    /// 0 if it is not known.
    status: AtomicU16,
    is_too_large: AtomicBool,
}

impl Head {
    /// Of the connection that a post failed on.
    pub(super) fn of(connected: &Connected) -> Option<Self> {
        let mut extras = Extensions::new();
        connected.get_extras(&mut extras);
        extras.remove()
    }

    /// The status, unless another answer follows this one.
    pub(super) fn status(&self) -> Option<StatusCode> {
        let status = StatusCode::from_u16(self.0.status.load(Ordering::Relaxed)).ok();
        status.filter(|status| !status.is_informational())
    }

    /// Whether it has more fields or bytes than hyper is told to read.
    pub(super) fn is_too_large(&self) -> bool {
        self.0.is_too_large.load(Ordering::Relaxed)
    }
}

impl<S> Metered<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            unasked: 0,
            start: [0; STATUS_BYTES],
            started: 0,
            lines: 0,
            line_bytes: 0,
            ended: false,
            head: Head::default(),
        }
    }

    fn came(&mut self, bytes: &[u8]) -> Result<()> {
        if self.started < STATUS_BYTES {
            let taken = bytes.len().min(STATUS_BYTES - self.started);
            self.start[self.started..self.started + taken].copy_from_slice(&bytes[..taken]);
            self.started += taken;
            self.head.0.status.store(status(&self.start[..self.started]).unwrap_or(0), Ordering::Relaxed);
        }
        self.count_lines(bytes);
        self.unasked = self.unasked.saturating_add(bytes.len());
        // The first line is the status.
        if !self.ended && (self.lines > MAX_FIELDS + 1 || self.unasked >= MAX_HEAD_BYTES) {
            self.head.0.is_too_large.store(true, Ordering::Relaxed);
        }
        if self.unasked > MAX_UNASKED {
            return Err(Error::other(format!("the answer goes on for more than {MAX_UNASKED} bytes")));
        }
        Ok(())
    }

    /// Up to the empty line that ends the head.
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

    fn went(&mut self) {
        (self.unasked, self.started) = (0, 0);
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
        Poll::Ready(self.came(chunk.filled()))
    }
}

impl<S: Write + Unpin> Write for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        self.went();
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
        self.went();
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
                answer.as_bytes().chunks(size).for_each(|chunk| metered.came(chunk).unwrap());
                assert_eq!(metered.head.is_too_large(), expected, "{reason}, {size} at a time");
                assert_eq!(metered.head.status(), Some(StatusCode::OK), "{reason}");
                metered.went();
                assert!(!metered.head.is_too_large() && metered.head.status().is_none(), "{reason}");
            }
        }
    }

    #[test]
    fn what_comes_unasked_has_an_end() {
        let mut metered = Metered::new(());
        let chunk = [0; CHUNK];
        for _ in 0..3 {
            for _ in 0..MAX_UNASKED / CHUNK {
                metered.came(&chunk).unwrap();
            }
            metered.went();
        }
        for _ in 0..MAX_UNASKED / CHUNK {
            metered.came(&chunk).unwrap();
        }
        let error = metered.came(&chunk).unwrap_err().to_string();
        assert!(error.contains("1048576 bytes"), "{error}");
    }
}
