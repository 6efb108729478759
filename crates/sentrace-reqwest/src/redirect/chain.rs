//! The redirects that one `execute` of reqwest follows, and the thread-local through which the client's redirect policy
//! finds them.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::AccessError;

use http::{Method, StatusCode};
use reqwest::Url;
use reqwest::redirect::Attempt;
use sentrace_core::Client;

use super::foreign_hop::ForeignHop;
use super::saved_request::SavedRequest;

thread_local! {
    /// Boxed, since it is swapped in and out around every poll.
    static CURRENT: Cell<Option<Box<RedirectChain>>> = const { Cell::new(None) };
}

/// What the policy needs to know about the current request, and what it has seen.
pub(crate) struct RedirectChain {
    /// The client whose origins decide how far the trace headers go; `None` once they are removed.
    carries_trace: Option<Client>,
    /// Whether the request got a `referer` from the guard, which reqwest would keep from https to http.
    carries_referer: bool,
    /// The URLs of earlier chains.
    earlier: Vec<Url>,
    method: Method,
    payload_dropped: bool,
    hops: u32,
    foreign_hop: Option<Box<ForeignHop>>,
    /// The request of the call, in its first chain.
    saved: Option<SavedRequest>,
}

/// What happens to the next hop.
pub(super) enum HopDecision {
    /// reqwest sends it as it is.
    Follow,
    /// The guard sends it.
    Reissue,
}

impl RedirectChain {
    /// Begins the chain of a call that carries trace headers, of which `saved` is a copy; `client` decides how far they go.
    /// Boxed at once, since moving it costs more than that.
    pub(crate) fn first(saved: SavedRequest, client: Client) -> Box<Self> {
        Box::new(Self {
            carries_trace: Some(client),
            carries_referer: false,
            earlier: Vec::new(),
            method: saved.method().clone(),
            payload_dropped: false,
            hops: 0,
            foreign_hop: None,
            saved: Some(saved),
        })
    }

    /// Begins the chain that follows a hop of the guard.
    pub(super) fn after(hop: ForeignHop, carries_referer: bool) -> Box<Self> {
        let ForeignHop { method, payload_dropped, previous, .. } = hop;
        Box::new(Self {
            carries_trace: None,
            carries_referer,
            earlier: previous,
            method,
            payload_dropped,
            hops: 0,
            foreign_hop: None,
            saved: None,
        })
    }

    pub(super) fn earlier(&self) -> &[Url] {
        &self.earlier
    }

    /// Records a hop that the policy follows, and decides who sends it.
    pub(super) fn follow(&mut self, attempt: &Attempt<'_>) -> HopDecision {
        self.hops += 1;
        self.rewrite(attempt.status());
        if !self.must_reissue(attempt) {
            return HopDecision::Follow;
        }
        self.foreign_hop = Some(Box::new(ForeignHop {
            to: attempt.url().clone(),
            method: self.method.clone(),
            payload_dropped: self.payload_dropped,
            previous: [&self.earlier, attempt.previous()].concat(),
        }));
        HopDecision::Reissue
    }

    /// Changes the request as reqwest does (RFC 9110, 15.4).
    fn rewrite(&mut self, status: StatusCode) {
        match status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if self.method == Method::POST => {
                self.method = Method::GET;
                self.payload_dropped = true;
            }
            StatusCode::SEE_OTHER => {
                if self.method != Method::HEAD {
                    self.method = Method::GET;
                }
                self.payload_dropped = true;
            }
            _ => {}
        }
    }

    fn must_reissue(&self, attempt: &Attempt<'_>) -> bool {
        let next = attempt.url();
        let foreign = self
            .carries_trace
            .as_ref()
            .is_some_and(|client| !client.propagation_targets().allows(next.as_str()));
        let downgraded =
            next.scheme() == "http" && attempt.previous().last().is_some_and(|last| last.scheme() == "https");
        foreign || (self.carries_referer && downgraded)
    }
}

/// Takes the chain of the call that is polled on this thread out of its place; `None` if that call is not guarded.
pub(super) fn take_current() -> Result<Option<Box<RedirectChain>>, AccessError> {
    CURRENT.try_with(Cell::take)
}

pub(super) fn put_back(chain: Box<RedirectChain>) {
    let _ = CURRENT.try_with(|current| current.set(Some(chain)));
}

/// A future of reqwest with its [`RedirectChain`] in place on every poll.
pub(crate) struct GuardedFuture<F> {
    future: F,
    chain: Option<Box<RedirectChain>>,
    leaves_outer: bool,
}

impl<F> GuardedFuture<F> {
    /// Without a chain for a call that needs no guard, so that it does not use the chain of a call around it.
    pub(crate) fn new(future: F, chain: Option<Box<RedirectChain>>) -> Self {
        Self { future, chain, leaves_outer: false }
    }

    /// For a middleware without a guard. If it is inside one that has a guard, the chain of that stays in place.
    pub(crate) fn transparent(future: F) -> Self {
        Self { future, chain: None, leaves_outer: true }
    }

    /// Returns how many redirects were followed, the hop that is left to the guard, and the request to send it with.
    pub(crate) fn into_end(self) -> (u32, Option<Box<ForeignHop>>, Option<Box<SavedRequest>>) {
        match self.chain.map(|chain| *chain) {
            None => (0, None, None),
            Some(RedirectChain { hops, foreign_hop: None, .. }) => (hops, None, None),
            Some(RedirectChain { hops, foreign_hop, saved, .. }) => (hops, foreign_hop, saved.map(Box::new)),
        }
    }
}

impl<F: Future + Unpin> Future for GuardedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.leaves_outer {
            return Pin::new(&mut this.future).poll(cx);
        }
        let chain = this.chain.take();
        let outer = CURRENT.try_with(|current| current.replace(chain)).unwrap_or_default();
        let _entered = Entered { chain: &mut this.chain, outer };
        Pin::new(&mut this.future).poll(cx)
    }
}

/// Restores both chains, even if a poll panics.
struct Entered<'a> {
    chain: &'a mut Option<Box<RedirectChain>>,
    outer: Option<Box<RedirectChain>>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        *self.chain = CURRENT.try_with(|current| current.replace(outer)).unwrap_or_default();
    }
}
