//! The minimal cost of a layer for this job: what remains without everything that makes it useful.
//! Each row does what the previous one does, and one thing more.
//!
//! This layer is not usable: it has no settings, hooks, secrets, child spans, other threads,
//! clients or panics.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::Router;
use axum::extract::MatchedPath;
use bytes::Buf;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sentrace::protocol::SentryTrace;
use tower_layer::layer_fn;
use tower_service::Service;

use crate::http::server::{Recorded, Server, router, user};
use crate::request::{Baggage, PARENT_SPAN_ID, RequestHead, TRACE_ID};
use crate::variant::{Subject, Variant};

/// How much the layer does.
trait Step: Clone + Send + Sync + 'static {
    const DOES: u8;
}

macro_rules! steps {
    ($($(#[$doc:meta])+ $name:ident = $does:literal,)+) => {
        $($(#[$doc])+ #[derive(Debug, Clone)] struct $name; impl Step for $name { const DOES: u8 = $does; })+
    };
}

steps! {
    /// Wraps future and body to observe the end.
    Wrapped = 0,
    /// Makes a reused block of memory current in the call, in polls and in frames.
    Current = 1,
    /// Finds both trace headers, parses one and copies the other.
    Traced = 2,
    /// Generates ids, reads the clock, and records status and size.
    Timed = 3,
    /// Copies method, route, path, query and ten header fields, and omits three values.
    Copied = 4,
}

/// The rows.
pub const VARIANTS: &[Variant] = &[
    Variant::server("least-wrapped", 0, |baggage| build::<Wrapped>(baggage)),
    Variant::server("least-current", 1, |baggage| build::<Current>(baggage)),
    Variant::server("least-trace", 1, |baggage| build::<Traced>(baggage)),
    Variant::server("least-timed", 1, |baggage| build::<Timed>(baggage)),
    Variant::server("least-copied", 1, |baggage| build::<Copied>(baggage)),
];

fn build<D: Step>(baggage: Baggage) -> Box<dyn Subject> {
    let router: Router = router(user).layer(layer_fn(|inner| Least { inner, does: PhantomData::<D> }));
    Box::new(Server::new(router, RequestHead::new(baggage, true), Last::<D>(baggage, PhantomData)))
}

#[derive(Debug, Default)]
struct Record {
    trace: Option<SentryTrace>,
    ids: [u64; 3],
    baggage: Vec<u8>,
    text: Vec<u8>,
    fields: Vec<(u32, u32)>,
    started: Option<Instant>,
    ended: Option<Instant>,
    status: u16,
    sent: u64,
}

/// The content of the last closed record, and the number of closed ones.
#[derive(Debug, Clone, Copy, Default)]
struct Closed {
    number: u64,
    trace: Option<SentryTrace>,
    baggage: usize,
    fields: usize,
    status: u16,
    sent: u64,
}

type Held = Option<Box<Record>>;

thread_local! {
    static NOW: RefCell<Held> = const { RefCell::new(None) };
    #[expect(clippy::vec_box, reason = "the boxes are what goes from one hand to the next")]
    static SPARE: RefCell<Vec<Box<Record>>> = const { RefCell::new(Vec::new()) };
    static LAST: Cell<Closed> = Cell::default();
    static RANDOM: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
}

impl Record {
    fn open<B, D: Step>(request: &Request<B>) -> Box<Self> {
        let mut record = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        if D::DOES >= Traced::DOES {
            record.read_trace(request.headers());
        }
        if D::DOES >= Timed::DOES {
            record.ids = [random(), random(), random()];
            record.started = Some(Instant::now());
        }
        if D::DOES >= Copied::DOES {
            record.copy(request);
        }
        record
    }

    fn read_trace(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            match name.as_str() {
                "sentry-trace" => self.trace = SentryTrace::parse_opt(value.as_bytes()),
                "baggage" => self.baggage.extend_from_slice(value.as_bytes()),
                _ => {}
            }
        }
    }

    fn copy<B>(&mut self, request: &Request<B>) {
        self.push(request.method().as_str().as_bytes(), request.uri().path().as_bytes());
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        self.push(route.as_bytes(), request.uri().query().unwrap_or_default().as_bytes());
        for (name, value) in request.headers() {
            match name.as_str() {
                "sentry-trace" | "baggage" => {}
                "authorization" | "cookie" | "x-forwarded-for" => self.push(name.as_str().as_bytes(), b""),
                name => self.push(name.as_bytes(), value.as_bytes()),
            }
        }
    }

    fn push(&mut self, name: &[u8], value: &[u8]) {
        self.text.extend_from_slice(name);
        let name_end = self.text.len() as u32;
        self.text.extend_from_slice(value);
        self.fields.push((name_end, self.text.len() as u32));
    }

    fn close<D: Step>(mut self: Box<Self>) {
        if D::DOES >= Timed::DOES {
            self.ended = Some(Instant::now());
        }
        let record = black_box(&mut *self);
        LAST.set(Closed {
            number: LAST.get().number + 1,
            trace: record.trace,
            baggage: record.baggage.len(),
            fields: record.fields.len(),
            status: record.status,
            sent: record.sent,
        });
        record.baggage.clear();
        record.text.clear();
        record.fields.clear();
        SPARE.with_borrow_mut(|spare| spare.push(self));
    }
}

fn random() -> u64 {
    let mut state = RANDOM.get();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    RANDOM.set(state);
    state
}

/// Makes the record current during a call.
fn enter<T, D: Step>(held: &mut Held, run: impl FnOnce() -> T) -> T {
    if D::DOES < Current::DOES {
        return run();
    }
    NOW.with_borrow_mut(|now| std::mem::swap(now, held));
    let done = run();
    NOW.with_borrow_mut(|now| std::mem::swap(now, held));
    done
}

#[derive(Debug, Clone)]
struct Least<S, D: Step> {
    inner: S,
    does: PhantomData<D>,
}

impl<S, B, R, D: Step> Service<Request<B>> for Least<S, D>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<LeastBody<R, D>>;
    type Error = S::Error;
    type Future = LeastFuture<S::Future, D>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut held = (D::DOES >= Current::DOES).then(|| Record::open::<_, D>(&request));
        let inner = enter::<_, D>(&mut held, || self.inner.call(request));
        LeastFuture { inner, held, does: PhantomData }
    }
}

pin_project! {
    struct LeastFuture<F, D> {
        #[pin]
        inner: F,
        held: Held,
        does: PhantomData<D>,
    }
}

impl<F, R, E, D: Step> Future for LeastFuture<F, D>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<LeastBody<R, D>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(enter::<_, D>(this.held, || this.inner.poll(cx)))?;
        let mut held = this.held.take();
        if D::DOES >= Timed::DOES
            && let Some(record) = &mut held
        {
            record.status = response.status().as_u16();
        }
        Poll::Ready(Ok(response.map(|inner| LeastBody { inner, held, does: PhantomData })))
    }
}

pin_project! {
    struct LeastBody<B, D> {
        #[pin]
        inner: B,
        held: Held,
        does: PhantomData<D>,
    }
}

impl<B: Body, D: Step> Body for LeastBody<B, D> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(enter::<_, D>(this.held, || this.inner.poll_frame(cx)));
        if D::DOES >= Timed::DOES
            && let Some(record) = this.held
            && let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref())
        {
            record.sent += data.remaining() as u64;
        }
        if frame.is_none()
            && let Some(record) = this.held.take()
        {
            record.close::<D>();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The last closed record of this thread, which serves all requests.
struct Last<D>(Baggage, PhantomData<D>);

impl<D: Step> Recorded for Last<D> {
    fn yielded(&self) -> u64 {
        LAST.get().number
    }

    fn check(&self, serve: &mut dyn FnMut() -> String) {
        serve();
        let last = LAST.get();
        if D::DOES >= Traced::DOES {
            let trace = last.trace.expect("the trace is read");
            assert_eq!((&*trace.trace_id.to_hex(), &*trace.span_id.to_hex()), (TRACE_ID, PARENT_SPAN_ID));
            assert_eq!(last.baggage, self.0.value().len(), "all of the baggage is copied");
        }
        if D::DOES >= Timed::DOES {
            assert_eq!((last.status, last.sent), (200, "the thousandth".len() as u64));
        }
        if D::DOES >= Copied::DOES {
            assert_eq!(last.fields, 12, "method and path, route and query, and ten header fields");
        }
    }
}
