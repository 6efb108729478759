//! An ingest that is down, slow, or answers nonsense does not affect requests.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode};
use sentrace_collector::Behaviour;
use sentrace_tests::{Ingest, Project, plain_http, serve};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

const REQUESTS: usize = 200;

/// The limit for responses. All faults below last for seconds.
const BOUND: Duration = Duration::from_secs(1);

/// Asserts that all requests are answered, none slower than [`BOUND`].
async fn assert_it_costs_nothing(project: &Project, reason: &str) {
    let app =
        Router::new().route("/x", get(async || sentrace::in_span("task", "work", async { "fine" }).await));
    let base = serve(app.layer(project.layer())).await;
    let http = plain_http().build().unwrap();
    let mut slowest = Duration::ZERO;
    for _ in 0..REQUESTS {
        let start = Instant::now();
        let answer = http.get(format!("{base}/x")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{reason}");
        assert_eq!(answer.text().await.unwrap(), "fine", "{reason}");
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < BOUND, "{reason}: the slowest answer took {slowest:?}");
}

fn sampled(dsn: String) -> Project {
    Project::new("shop", dsn, |options| options.traces_sample_rate(1.0).queue_bytes(64 * 1024))
}

#[tokio::test]
async fn down_slow_and_refusing() {
    let ingest = Ingest::start();
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let limited = header("x-sentry-rate-limits", "60:transaction:key");
    let nonsense = header("x-sentry-rate-limits", ":::,,99999999999999999999:;;;:-1,NaN:span");
    let later = header("retry-after", "-5 apples");
    let rows = [
        (Behaviour::default(), "all is well"),
        (Behaviour::default().delay(Duration::from_secs(5)), "it answers after five seconds"),
        (Behaviour::default().hang_up(), "it hangs up"),
        (Behaviour::default().status(StatusCode::INTERNAL_SERVER_ERROR), "it fails"),
        (
            Behaviour::default().status(StatusCode::TOO_MANY_REQUESTS).header(limited.0, limited.1),
            "it limits",
        ),
        (
            Behaviour::default()
                .status(StatusCode::IM_A_TEAPOT)
                .header(nonsense.0, nonsense.1)
                .header(later.0, later.1),
            "its limits make no sense",
        ),
    ];
    for (behaviour, reason) in rows {
        ingest.behave(behaviour);
        assert_it_costs_nothing(&sampled(ingest.dsn("shop")), reason).await;
    }
}

#[tokio::test]
async fn nobody_listens() {
    // Bound and dropped, so nothing listens on the port.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let project = sampled(format!("http://key@{address}/1"));
    assert_it_costs_nothing(&project, "nobody listens").await;
}

#[tokio::test]
async fn something_else_listens() {
    for (answer, reason) in [
        (&b"SSH-2.0-OpenSSH_9.9\r\n"[..], "another protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{", "an answer that never ends"),
        (b"\0\xff\0\xff", "bytes"),
        (b"", "nothing, with an open connection"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.write_all(answer).await;
                open.push(socket);
            }
        });
        assert_it_costs_nothing(&sampled(format!("http://key@{address}/1")), reason).await;
    }
}

#[tokio::test]
async fn what_is_not_taken_is_counted() {
    let ingest = Ingest::start();
    ingest.behave(Behaviour::default().status(StatusCode::INTERNAL_SERVER_ERROR));
    let project = sampled(ingest.dsn("shop"));
    assert_it_costs_nothing(&project, "it fails").await;
    let client = project.client.clone();
    tokio::task::spawn_blocking(move || client.flush(Duration::from_secs(10))).await.unwrap();
    ingest.behave(Behaviour::default());
    project.flush().await;
    let (transactions, spans) = (ingest.reports().lost("transaction"), ingest.reports().lost("span"));
    assert_eq!((transactions, spans), (REQUESTS as u64, 2 * REQUESTS as u64), "{:?}", ingest.reports());
}
