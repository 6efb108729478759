//! The layer works at any place.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use sentrace_tests::{Ingest, Project, get as ask, serve, serve_hyper};
use tower::Layer;

fn users(project: &Project) -> Router {
    let http = project.http.clone();
    let user = get(async move |Path(id): Path<u64>| {
        let span = sentrace::current_span();
        span.set_tag("seen", "by the handler");
        drop(http);
        sentrace::in_span("task", "load", async move { format!("user {id}") }).await
    });
    Router::new().route("/users/{id}", user)
}

#[tokio::test]
async fn inside_the_router_around_it_and_twice_it_opens_one_transaction() {
    type Place = fn(&Project) -> (Router, bool);
    let rows: [(Place, &str, &str, &str); 4] = [
        (|shop| (users(shop).layer(shop.layer()), false), "GET /users/{id}", "route", "inside the router"),
        (|shop| (users(shop), true), "GET /users/7", "url", "around the router"),
        (
            |shop| (users(shop).layer(shop.layer()).layer(shop.layer()), false),
            "GET /users/{id}",
            "route",
            "twice inside",
        ),
        (
            |shop| (users(shop).layer(shop.layer()), true),
            "GET /users/7",
            "url",
            "inside and around: the outer one",
        ),
    ];
    for (place, name, source, reason) in rows {
        let ingest = Ingest::start();
        let shop = ingest.project("shop");
        let (app, around) = place(&shop);
        let base = if around { serve_hyper(shop.layer().layer(Hyper(app))).await } else { serve(app).await };
        let answer = ask(format!("{base}/users/7")).await;
        assert_eq!(answer.text().await.unwrap(), "user 7", "{reason}");
        shop.flush().await;
        let trace = ingest.trace(1).await;
        let transaction = trace.transaction_named(name);
        assert_eq!(transaction.source.as_deref(), Some(source), "{reason}");
        assert_eq!(transaction.tags["seen"], "by the handler", "{reason}");
        assert_eq!((trace.summary.transactions, trace.summary.spans), (1, 2), "{reason}");
        ingest.assert_no_problems();
    }
}

/// A router for hyper: its request bodies are hyper's.
#[derive(Clone)]
struct Hyper(Router);

impl tower::Service<http::Request<hyper::body::Incoming>> for Hyper {
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = axum::routing::future::RouteFuture<std::convert::Infallible>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<hyper::body::Incoming>) -> Self::Future {
        tower::Service::call(&mut self.0, request)
    }
}
