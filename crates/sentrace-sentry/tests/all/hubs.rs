//! Hubs stay with their requests, in any order of layers, and go with them.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use axum::routing::get as route;
use futures_util::{StreamExt as _, future, stream};
use sentrace_sentry::SentryHubLayer;
use sentry::{Hub, Level};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::time::timeout;
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};

use crate::support::{LONG, Project, Tap, get, serve, streamed};

const REQUESTS: usize = 24;

#[derive(Clone)]
struct Shared {
    together: Arc<Barrier>,
    hubs: Arc<Mutex<Vec<Weak<Hub>>>>,
}

/// Captures where it is dropped, after everything else.
struct CapturesAtItsEnd(usize);

impl Drop for CapturesAtItsEnd {
    fn drop(&mut self) {
        sentry::capture_message(&format!("dropped {}", self.0), Level::Info);
    }
}

/// Touches its scope between all its polls, while all the others do the same.
async fn handler(Path(id): Path<usize>, State(shared): State<Shared>) -> Body {
    let at_end = CapturesAtItsEnd(id);
    shared.hubs.lock().unwrap().push(Arc::downgrade(&Hub::current()));
    sentry::configure_scope(|scope| scope.set_tag("request", id));
    shared.together.wait().await;
    for _ in 0..3 {
        tokio::task::yield_now().await;
        sentry::add_breadcrumb(sentry::Breadcrumb { message: Some(id.to_string()), ..Default::default() });
    }
    sentry::capture_message(&format!("handler {id}"), Level::Info);
    let body = stream::iter(0..3).then(move |frame| {
        let _ = &at_end;
        async move {
            tokio::task::yield_now().await;
            if frame == 1 {
                sentry::capture_message(&format!("body {id}"), Level::Info);
            }
            "frame"
        }
    });
    streamed(body)
}

#[tokio::test]
async fn concurrent_requests_on_one_thread_keep_their_scopes_in_any_order_of_layers() {
    type Order = fn(Router, &Project) -> Router;
    let orders: [(&str, Order); 4] = [
        ("hub inside", |routes, project| routes.layer(project.hubs()).layer(project.tracing())),
        ("hub outside", |routes, project| routes.layer(project.tracing()).layer(project.hubs())),
        ("hub alone", |routes, project| routes.layer(project.hubs())),
        ("hub on both sides", |routes, project| {
            routes.layer(project.hubs()).layer(project.tracing()).layer(project.hubs())
        }),
    ];
    for (reason, order) in orders {
        let tap = Tap::start();
        let project = Project::new(&tap);
        let shared = Shared { together: Arc::new(Barrier::new(REQUESTS)), hubs: Arc::default() };
        let routes = Router::new().route("/{id}", route(handler)).with_state(shared.clone());
        let service = order(routes, &project);
        // Without a server, so that all of them are polled by this thread.
        let requests = (0..REQUESTS).map(|id| {
            let request =
                axum::extract::Request::builder().uri(format!("/{id}")).body(Body::empty()).unwrap();
            let answer = service.clone().oneshot(request);
            async move {
                let answer = answer.await.unwrap();
                let body = axum::body::to_bytes(answer.into_body(), 1024).await.unwrap();
                assert_eq!(body, "frame".repeat(3));
            }
        });
        let captured_outside = Arc::clone(&project.hub);
        timeout(LONG, future::join_all(requests)).await.unwrap();
        captured_outside.capture_message("outside", Level::Info);
        assert!(
            shared.hubs.lock().unwrap().iter().all(|hub| hub.strong_count() == 0),
            "{reason}: a hub is left"
        );

        tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
        let mut own = 0;
        for event in tap.so_far("event") {
            let event = event.payload;
            let message = event["message"].as_str().unwrap();
            let Some((_, id)) = message.split_once(' ') else {
                assert_eq!(
                    (&event["tags"]["request"], &event["breadcrumbs"]),
                    (&().into(), &().into()),
                    "{reason}"
                );
                continue;
            };
            own += 1;
            assert_eq!(event["tags"]["request"], id, "{reason}: {message}");
            assert_eq!(event["transaction"], "GET /{id}", "{reason}: {message}");
            let crumbs = event["breadcrumbs"]["values"].as_array().unwrap();
            assert!(
                crumbs.len() == 3 && crumbs.iter().all(|crumb| crumb["message"] == id),
                "{reason}: {crumbs:?}"
            );
        }
        assert_eq!(own, 3 * REQUESTS, "{reason}: handler, body and drop");
    }
}

#[tokio::test]
async fn what_ends_because_the_client_went_away_ends_in_the_requests_hub() {
    async fn waits() {
        let _at_end = CapturesAtItsEnd(7);
        sentry::configure_scope(|scope| scope.set_tag("request", "abandoned"));
        sentry::capture_message("waiting", Level::Info);
        future::pending::<()>().await;
    }
    let tap = Tap::start();
    let project = Project::new(&tap);
    let app = Router::new().route("/", route(waits)).layer(project.hubs()).layer(project.tracing());
    let url = serve(app).await;
    let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").await.unwrap();
    let waiting = tap.clone();
    tokio::task::spawn_blocking(move || waiting.items("event", 1)).await.unwrap();
    drop(socket);
    let ending = tap.clone();
    let events = tokio::task::spawn_blocking(move || ending.items("event", 2)).await.unwrap();
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
    let event = &events[1].payload;
    assert_eq!(event["message"], "dropped 7");
    assert_eq!(event["tags"]["request"], "abandoned");
    let transaction = tap.item("transaction").payload;
    assert_eq!(transaction["contexts"]["trace"]["status"], "cancelled");
    assert_eq!(event["contexts"]["trace"]["trace_id"], transaction["contexts"]["trace"]["trace_id"]);
}

#[tokio::test]
async fn a_body_that_is_abandoned_is_dropped_in_its_hub() {
    let tap = Tap::start();
    let project = Project::new(&tap);
    let endless = async || {
        let at_end = CapturesAtItsEnd(1);
        streamed(stream::repeat("frame").then(move |frame| {
            let _ = &at_end;
            future::ready(frame)
        }))
    };
    let app = Router::new().route("/", route(endless)).layer(project.hubs()).layer(project.tracing());
    let mut socket = TcpStream::connect(serve(app).await.trim_start_matches("http://")).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n").await.unwrap();
    socket.read_exact(&mut [0; 64]).await.unwrap();
    drop(socket);
    let ending = tap.clone();
    let events = tokio::task::spawn_blocking(move || ending.items("event", 1)).await.unwrap();
    assert_eq!(events[0].payload["transaction"], "GET /");
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
}

#[tokio::test]
async fn a_request_begins_with_the_scope_around_it_and_leaves_it_as_it_was() {
    let tap = Tap::start();
    let project = Project::new(&tap);
    let service = service_fn(async |_: axum::extract::Request| {
        sentry::configure_scope(|scope| scope.set_tag("inside", "yes"));
        sentry::capture_message("inside", Level::Info);
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    project.hub.configure_scope(|scope| scope.set_tag("region", "eu"));
    let answer = Hub::run(Arc::clone(&project.hub), || {
        SentryHubLayer::new().layer(service).call(axum::extract::Request::default())
    });
    answer.await.unwrap();
    project.hub.capture_message("outside", Level::Info);
    tokio::task::spawn_blocking(move || project.flush()).await.unwrap();
    let events = tap.items("event", 2);
    let of =
        |message: &str| &events.iter().find(|event| event.payload["message"] == message).unwrap().payload;
    assert_eq!(of("inside")["tags"], serde_json::json!({ "inside": "yes", "region": "eu" }));
    assert_eq!(of("outside")["tags"], serde_json::json!({ "region": "eu" }));
    assert!(of("outside")["transaction"].is_null());
}

#[tokio::test]
async fn without_an_official_client_nothing_happens() {
    let nobody = Arc::new(Hub::new(None, Arc::default()));
    let layer = SentryHubLayer::new().hub(move || Arc::clone(&nobody)).capture_failed_requests(true);
    let before = Arc::as_ptr(&Hub::current()) as usize;
    let service = service_fn(async |_: axum::extract::Request| {
        Ok::<_, Infallible>(Response::new((Arc::as_ptr(&Hub::current()) as usize).to_string()))
    });
    let answer = layer.layer(service).call(axum::extract::Request::default()).await.unwrap();
    let body = axum::body::to_bytes(Body::new(answer.into_body()), 64).await.unwrap();
    assert_eq!(body, before.to_string(), "the hub around it");
}

#[tokio::test]
async fn a_hub_source_that_panics_costs_nobody_the_request() {
    let layer = SentryHubLayer::new().hub(|| panic!("no hub today"));
    let app = Router::new().route("/", route(async || "fine")).layer(layer);
    assert_eq!(get(serve(app).await).await, (200, "fine".to_owned()));
}

#[test]
fn a_future_that_outlives_its_threads_hub_is_dropped_without_a_panic() {
    use std::cell::RefCell;

    type Held = Pin<Box<dyn Future<Output = ()>>>;
    thread_local! {
        static LATE: RefCell<Option<Held>> = const { RefCell::new(None) };
    }
    let tap = Tap::start();
    let project = Project::new(&tap);
    std::thread::spawn(move || {
        // Made before the thread's Hub, so that it goes after it.
        LATE.with(|_| ());
        let service = service_fn(async |_: axum::extract::Request| {
            future::pending::<()>().await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let mut answer = Box::pin(project.hubs().layer(service).call(axum::extract::Request::default()));
        let waker = futures_util::task::noop_waker();
        assert!(answer.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
        LATE.with(|late| *late.borrow_mut() = Some(Box::pin(async move { drop(answer.await) })));
    })
    .join()
    .unwrap();
}
