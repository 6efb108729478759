//! From the answer's head to its last byte.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::bound::BoundHub;

pin_project! {
    /// The body of an answer of [`SentryHub`](super::SentryHub).
    #[derive(Debug)]
    pub struct HubBody<B> {
        #[pin]
        inner: Option<B>,
        hub: BoundHub,
    }

    impl<B> PinnedDrop for HubBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.hub.enter_to_drop(|| this.inner.set(None));
        }
    }
}

impl<B> HubBody<B> {
    pub(super) fn new(inner: B, hub: BoundHub) -> Self {
        Self { inner: Some(inner), hub }
    }
}

impl<B: Default> Default for HubBody<B> {
    fn default() -> Self {
        Self::new(B::default(), BoundHub::none())
    }
}

impl<B: Body> Body for HubBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Ready(None) };
        this.hub.enter(|| inner.poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
