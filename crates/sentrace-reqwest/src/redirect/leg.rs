//! A leg of a call: the hops that one `execute` of reqwest follows, and the thread-local through which the
//! client's redirect policy learns about it.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::AccessError;

use http::{Method, StatusCode};
use reqwest::Url;
use reqwest::redirect::Attempt;
use sentrace_core::Client;

use super::reissue::Kept;

thread_local! {
    /// Boxed, since it is swapped in and out around every poll.
    static CURRENT: Cell<Option<Box<Leg>>> = const { Cell::new(None) };
}

/// What the policy has to know of the request that is under way, and what it has seen.
pub(crate) struct Leg {
    /// Whose origins decide how far the trace headers go; `None` once they are off.
    carries_trace: Option<Client>,
    /// The request got a `referer` from the guard, which reqwest would take along from https to http.
    carries_referer: bool,
    /// Requests of earlier legs.
    earlier: Vec<Url>,
    method: Method,
    payload_dropped: bool,
    hops: u32,
    departure: Option<Box<Departure>>,
    /// The call's request; of the first leg.
    kept: Option<Kept>,
}

/// A hop that the policy approved and the guard has to send.
pub(crate) struct Departure {
    pub(crate) to: Url,
    pub(crate) method: Method,
    /// A redirect on the way made the request one without body.
    pub(crate) payload_dropped: bool,
    /// Every URL requested before `to`, never empty.
    pub(crate) previous: Vec<Url>,
}

/// Whether reqwest may send the next hop as it is.
pub(crate) enum Way {
    Stays,
    Departs,
}

impl Leg {
    /// The first leg of a call that carries trace headers, of which `kept` is a copy; `client` decides how far they go.
    /// Boxed at once, since moving it costs more than that.
    pub(crate) fn first(kept: Kept, client: Client) -> Box<Self> {
        Box::new(Self {
            carries_trace: Some(client),
            carries_referer: false,
            earlier: Vec::new(),
            method: kept.method().clone(),
            payload_dropped: false,
            hops: 0,
            departure: None,
            kept: Some(kept),
        })
    }

    /// The leg after a departure.
    pub(crate) fn after(departure: Departure, carries_referer: bool) -> Box<Self> {
        let Departure { method, payload_dropped, previous, .. } = departure;
        let (carries_trace, departure) = (None, None);
        Box::new(Self {
            carries_trace,
            carries_referer,
            earlier: previous,
            method,
            payload_dropped,
            hops: 0,
            departure,
            kept: None,
        })
    }

    pub(crate) fn earlier(&self) -> &[Url] {
        &self.earlier
    }

    /// Takes note of a hop that is going to be followed.
    pub(crate) fn follow(&mut self, attempt: &Attempt<'_>) -> Way {
        self.hops += 1;
        self.rewrite(attempt.status());
        if !self.must_depart(attempt) {
            return Way::Stays;
        }
        self.departure = Some(Box::new(Departure {
            to: attempt.url().clone(),
            method: self.method.clone(),
            payload_dropped: self.payload_dropped,
            previous: [&self.earlier, attempt.previous()].concat(),
        }));
        Way::Departs
    }

    /// What reqwest makes of the request on the way (RFC 9110, 15.4).
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

    fn must_depart(&self, attempt: &Attempt<'_>) -> bool {
        let next = attempt.url();
        let foreign =
            self.carries_trace.as_ref().is_some_and(|client| !client.outgoing().allows(next.as_str()));
        let downgraded =
            next.scheme() == "http" && attempt.previous().last().is_some_and(|last| last.scheme() == "https");
        foreign || (self.carries_referer && downgraded)
    }
}

/// Takes the leg that is being polled on this thread out of its place; `None` for a call that is not guarded.
pub(super) fn take_current() -> Result<Option<Box<Leg>>, AccessError> {
    CURRENT.try_with(Cell::take)
}

pub(super) fn put_back(leg: Box<Leg>) {
    let _ = CURRENT.try_with(|current| current.set(Some(leg)));
}

/// A future of reqwest with its [`Leg`] in place on every poll.
pub(crate) struct Guarded<F> {
    future: F,
    leg: Option<Box<Leg>>,
    leaves_outer: bool,
}

impl<F> Guarded<F> {
    /// Without a leg for a call that needs no guard, so that one inside another's poll is not taken for that.
    pub(crate) fn new(future: F, leg: Option<Box<Leg>>) -> Self {
        Self { future, leg, leaves_outer: false }
    }

    /// For a middleware without a guard. It may be inside one that has a guard, whose leg stays in place.
    pub(crate) fn transparent(future: F) -> Self {
        Self { future, leg: None, leaves_outer: true }
    }

    /// How many redirects were followed, the one that is left to the guard, and with what it can do so.
    pub(crate) fn into_end(self) -> (u32, Option<Box<Departure>>, Option<Box<Kept>>) {
        match self.leg {
            None => (0, None, None),
            Some(leg) if leg.departure.is_none() => (leg.hops, None, None),
            Some(leg) => {
                let Leg { hops, departure, kept, .. } = *leg;
                (hops, departure, kept.map(Box::new))
            }
        }
    }
}

impl<F: Future + Unpin> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.leaves_outer {
            return Pin::new(&mut this.future).poll(cx);
        }
        let leg = this.leg.take();
        let outer = CURRENT.try_with(|current| current.replace(leg)).unwrap_or_default();
        let _entered = Entered { leg: &mut this.leg, outer };
        Pin::new(&mut this.future).poll(cx)
    }
}

/// Puts things back also when a poll panics.
struct Entered<'a> {
    leg: &'a mut Option<Box<Leg>>,
    outer: Option<Box<Leg>>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        *self.leg = CURRENT.try_with(|current| current.replace(outer)).unwrap_or_default();
    }
}
