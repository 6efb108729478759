//! A response body that does what it is told, frame by frame.

use std::cell::Cell;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use sentrace_core::current_span;
use sentrace_protocol::SpanId;
use tokio::sync::mpsc;
use tokio::time::Sleep;

#[derive(Debug)]
pub(crate) enum Step {
    Data(&'static str),
    /// Time that passes before the next frame.
    Pause(Duration),
    Trailers,
    Fail,
    Panic,
    /// Never goes on.
    Hang,
}

/// `Send` and not `Sync`, as bodies may be.
pub(crate) struct Script {
    steps: VecDeque<Step>,
    pause: Option<Pin<Box<Sleep>>>,
    size_hint: SizeHint,
    /// Told the current span whenever the body is polled or dropped.
    watcher: Option<mpsc::UnboundedSender<Option<SpanId>>>,
    not_sync: PhantomData<Cell<()>>,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = steps.into_iter().collect();
        Self { steps, pause: None, size_hint: SizeHint::default(), watcher: None, not_sync: PhantomData }
    }

    pub(crate) fn size_hint(mut self, hint: SizeHint) -> Self {
        self.size_hint = hint;
        self
    }

    pub(crate) fn watched(mut self) -> (Self, mpsc::UnboundedReceiver<Option<SpanId>>) {
        let (watcher, seen) = mpsc::unbounded_channel();
        self.watcher = Some(watcher);
        (self, seen)
    }

    fn tell_current(&self) {
        if let Some(watcher) = &self.watcher {
            let _ = watcher.send(current_span().span_id());
        }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.tell_current();
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            return Poll::Ready(match self.steps.pop_front() {
                None => None,
                Some(Step::Data(text)) => Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
                Some(Step::Trailers) => {
                    let checksum = HeaderValue::from_static("7");
                    Some(Ok(Frame::trailers(HeaderMap::from_iter([(CHECKSUM, checksum)]))))
                }
                Some(Step::Fail) => Some(Err(std::io::Error::other("the disk is gone"))),
                Some(Step::Panic) => panic!("a body may panic"),
                Some(Step::Pause(duration)) => {
                    self.pause = Some(Box::pin(tokio::time::sleep(duration)));
                    continue;
                }
                Some(Step::Hang) => {
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
            });
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.size_hint
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.tell_current();
    }
}

/// The trailer that [`Step::Trailers`] sends.
const CHECKSUM: http::HeaderName = http::HeaderName::from_static("x-checksum");
