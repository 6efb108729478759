//! The server that all layers are added to, called without a socket.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::get;
use http_body_util::BodyExt as _;
use tokio::runtime::Runtime;
use tower_service::Service as _;

use crate::payload::DESCRIPTION;
use crate::request::RequestHead;
use crate::variant::Subject;

/// What a variant has recorded.
pub trait Recorded {
    /// See [`Subject::yielded`].
    fn yielded(&self) -> u64 {
        0
    }

    /// See [`Subject::check`]. `serve` serves one request and returns the body of the response.
    fn check(&self, _serve: &mut dyn FnMut() -> String) {}
}

/// For variants that record nothing.
#[derive(Debug)]
pub struct Nothing;

impl Recorded for Nothing {}

/// A router with a layer.
pub struct Server {
    runtime: Runtime,
    router: Router,
    request: RequestHead,
    recorded: Box<dyn Recorded>,
}

impl Server {
    /// Creates a server that calls `router` with `request`.
    pub fn new(router: Router, request: RequestHead, recorded: impl Recorded + 'static) -> Self {
        // As in `axum::serve`: otherwise all layers would be applied again for every request.
        let router = router.with_state(());
        Self { runtime: runtime(), router, request, recorded: Box::new(recorded) }
    }

    /// Serves one request and returns the body of the response.
    pub fn answer(&mut self) -> String {
        let Self { runtime, router, request, .. } = self;
        answer(runtime, router, request)
    }
}

impl Subject for Server {
    fn run(&mut self, calls: u32) {
        let Self { runtime, router, request, .. } = self;
        runtime.block_on(async {
            for _ in 0..calls {
                drain(serve(router, request).await).await;
            }
        });
    }

    fn yielded(&self) -> u64 {
        self.recorded.yielded()
    }

    fn router(&self) -> Option<Router> {
        Some(self.router.clone())
    }

    fn check(&mut self) {
        let Self { runtime, router, request, recorded } = self;
        recorded.check(&mut || answer(runtime, router, request));
    }
}

fn answer(runtime: &Runtime, router: &mut Router, request: &RequestHead) -> String {
    runtime.block_on(async {
        let body = serve(router, request).await.into_body().collect().await;
        String::from_utf8_lossy(&body.expect("the body comes from memory").to_bytes()).into_owned()
    })
}

async fn serve(router: &mut Router, request: &RequestHead) -> Response {
    let answer: Result<Response, Infallible> = router.call(request.fresh()).await;
    let Ok(response) = answer;
    response
}

/// Reads the body to its end, as a connection does.
async fn drain(response: Response) {
    let mut body: Body = response.into_body();
    while let Some(frame) = body.frame().await {
        drop(frame);
    }
}

/// Returns a router with one route, `/users/{id}`.
pub fn router<H: Handler<T, ()>, T: 'static>(handler: H) -> Router {
    Router::new().route("/users/{id}", get(handler))
}

/// The handler of most variants.
pub async fn user(Path(id): Path<u64>) -> &'static str {
    if id == 1_000 { "the thousandth" } else { "somebody" }
}

/// The handler with ten spans of the `tracing` crate.
pub async fn user_with_tracing_spans(path: Path<u64>) -> &'static str {
    for _ in 0..10 {
        query();
    }
    user(path).await
}

#[tracing::instrument(fields(sentry.op = "db.query", sentry.name = DESCRIPTION))]
fn query() {}

/// Creates a runtime with a single thread, on which everything is measured.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("the system gives a runtime")
}
