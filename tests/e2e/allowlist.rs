//! Trace headers reach only the allowed hosts.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Request};
use axum::response::Redirect;
use axum::routing::{any, get};
use http::HeaderMap;
use sentrace::Origin;
use sentrace_tests::{Ingest, Project, get as ask, serve};

/// The requests that a host has received: paths and headers.
#[derive(Debug, Clone, Default)]
struct Received(Arc<Mutex<Vec<(String, HeaderMap)>>>);

impl Received {
    async fn host(&self) -> String {
        let received = self.clone();
        let keep = move |request: Request| {
            let received = received.clone();
            async move {
                let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
                received.0.lock().unwrap().push((path, headers));
            }
        };
        serve(Router::new().fallback(any(keep))).await
    }

    fn take(&self) -> Vec<(String, HeaderMap)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A service that calls a URL for each of its requests.
async fn service_that_calls(project: &Project, urls: Vec<String>) -> String {
    let http = project.http.clone();
    let call = get(async move |Path(index): Path<usize>| {
        let call = http.get(&urls[index]).header("baggage", "tenant=7");
        call.send().await.unwrap().status().to_string()
    });
    serve(Router::new().route("/call/{index}", call).layer(project.layer())).await
}

fn trace_headers(headers: &HeaderMap) -> (bool, Option<&str>) {
    (headers.contains_key("sentry-trace"), headers.get("baggage").map(|baggage| baggage.to_str().unwrap()))
}

/// Returns the URL of the same server with the name that is not in the list.
fn foreign(base: &str) -> String {
    base.replace("127.0.0.1", "localhost")
}

#[tokio::test]
async fn allowed_hosts_get_the_headers_and_foreign_ones_do_not() {
    let ingest = Ingest::start();
    let front = ingest.project_with("front", |options| {
        options.traces_sample_rate(1.0).tracing_origins([Origin::host("127.0.0.1")])
    });
    let received = Received::default();
    let other = received.host().await;
    let urls = vec![format!("{other}/allowed"), format!("{}/foreign?to=127.0.0.1", foreign(&other))];
    let base = service_that_calls(&front, urls).await;
    for index in 0..2 {
        ask(format!("{base}/call/{index}")).await;
    }
    let [allowed, stranger] = &received.take()[..] else { panic!("two calls") };
    let (sentry_trace, baggage) = trace_headers(&allowed.1);
    assert!(sentry_trace);
    let baggage = baggage.unwrap();
    assert!(baggage.starts_with("tenant=7,sentry-"), "the caller's own member stays, ours follow: {baggage}");
    assert_eq!(trace_headers(&stranger.1), (false, Some("tenant=7")), "only what the caller set itself");
    ingest.traces(2).await;
    ingest.assert_no_problems();
}

#[tokio::test]
async fn redirects_carry_no_headers_to_a_foreign_host() {
    let ingest = Ingest::start();
    let front = ingest.project_with("front", |options| {
        options.traces_sample_rate(1.0).tracing_origins([Origin::host("127.0.0.1")])
    });
    let received = Received::default();
    let end = received.host().await;
    let to_foreign = format!("{}/end", foreign(&end));
    let to_allowed = format!("{end}/end");
    let redirecting = Router::new()
        .route("/foreign/302", get(async move || (http::StatusCode::FOUND, [("location", to_foreign)])))
        .route(
            "/foreign/307",
            get({
                let to = format!("{}/end", foreign(&end));
                async move || Redirect::temporary(&to)
            }),
        )
        .route("/allowed/307", get(async move || Redirect::temporary(&to_allowed)));
    let redirecting = serve(redirecting).await;
    let paths = ["/foreign/302", "/foreign/307", "/allowed/307"];
    let base = service_that_calls(&front, paths.map(|path| format!("{redirecting}{path}")).to_vec()).await;
    for (index, (path, carried)) in paths.into_iter().zip([false, false, true]).enumerate() {
        let answer = ask(format!("{base}/call/{index}")).await;
        assert_eq!(answer.text().await.unwrap(), "200 OK", "{path}: the redirect is followed");
        let [(end, headers)] = &received.take()[..] else { panic!("{path}: one request at the end") };
        assert_eq!(end, "/end");
        let (sentry_trace, baggage) = trace_headers(headers);
        assert_eq!(sentry_trace, carried, "{path}");
        assert_eq!(
            baggage.is_some_and(|baggage| baggage.contains("sentry-")),
            carried,
            "{path}: {baggage:?}"
        );
        assert!(
            baggage.is_some_and(|baggage| baggage.contains("tenant=7")),
            "{path}: what the caller set stays"
        );
    }
}

#[tokio::test]
async fn calls_outside_any_request_carry_the_processs_trace() {
    let ingest = Ingest::start();
    let project = ingest.project("cron");
    let received = Received::default();
    let other = received.host().await;
    for _ in 0..2 {
        project.http.get(&other).send().await.unwrap();
    }
    let calls = received.take();
    let traces: Vec<_> =
        calls.iter().map(|(_, headers)| headers["sentry-trace"].to_str().unwrap().to_owned()).collect();
    assert_eq!(traces.len(), 2);
    assert_eq!(traces[0][..32], traces[1][..32], "the same trace each time");
}
