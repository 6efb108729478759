//! The response body.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sentrace_core::adapter::Inside;

use super::bound::BoundHub;

pin_project! {
    /// Response body of [`SentryHub`](super::SentryHub).
    #[derive(Debug)]
    pub struct HubBody<B> {
        #[pin]
        inside: Inside<B, BoundHub>,
    }
}

impl<B> HubBody<B> {
    pub(super) fn new(inner: B, hub: BoundHub) -> Self {
        Self { inside: Inside::new(inner, hub) }
    }
}

impl<B: Default> Default for HubBody<B> {
    fn default() -> Self {
        Self { inside: Inside::default() }
    }
}

impl<B: Body> Body for HubBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().inside.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inside.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inside.size_hint()
    }
}
