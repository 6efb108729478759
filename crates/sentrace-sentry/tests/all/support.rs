//! A tap before the collector that also reads what the collector does not keep: events and logs; and services.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use sentrace_collector::Collector;
use sentrace_collector::model::Severity;
use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Compression};
use sentrace_delivery::Delivery;
use sentrace_protocol::envelope;
use sentrace_sentry::{SentraceIntegration, SentryHubLayer, options_from};
pub(crate) use sentrace_testkit::serve;
use sentrace_tower::SentryTracingLayer;
use sentry::transports::DefaultTransportFactory;
use sentry::{ClientOptions, Hub};
use serde_json::Value;
use tokio::net::TcpListener;

/// No single wait takes longer, whatever goes wrong.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// An item as it came, in its envelope.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) kind: String,
    pub(crate) payload: Value,
    pub(crate) envelope: Value,
}

#[derive(Default)]
struct Seen {
    items: Mutex<Vec<Item>>,
    arrived: Condvar,
}

/// The ingest of a test.
#[derive(Clone)]
pub(crate) struct Tap {
    address: SocketAddr,
    seen: Arc<Seen>,
    pub(crate) collector: Arc<Collector>,
}

impl Tap {
    /// On a thread of its own, so that no test's runtime makes it wait.
    pub(crate) fn start() -> Self {
        let collector = Arc::new(Collector::start_in_background("127.0.0.1:0").unwrap());
        let seen = Arc::<Seen>::default();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let (items, forward_to) = (Arc::clone(&seen), collector.url().trim_end_matches('/').to_owned());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let app = Router::new().fallback(take).with_state((items, forward_to));
                axum::serve(listener, app).await
            })
        });
        Self { address: told.recv().unwrap(), seen, collector }
    }

    pub(crate) fn dsn(&self) -> String {
        format!("http://key@{}/1", self.address)
    }

    /// Waits until `count` items of this kind have come, and gives them.
    #[track_caller]
    pub(crate) fn items(&self, kind: &str, count: usize) -> Vec<Item> {
        let of_kind = |items: &[Item]| items.iter().filter(|item| item.kind == kind).count();
        let waited = self
            .seen
            .arrived
            .wait_timeout_while(self.seen.items.lock().unwrap(), LONG, |items| of_kind(items) < count);
        let (items, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "{count} of {kind} in {items:#?}");
        items.iter().filter(|item| item.kind == kind).cloned().collect()
    }

    /// The only item of this kind.
    #[track_caller]
    pub(crate) fn item(&self, kind: &str) -> Item {
        let mut items = self.items(kind, 1);
        assert_eq!(items.len(), 1, "{items:#?}");
        items.remove(0)
    }

    /// What has come so far.
    pub(crate) fn so_far(&self, kind: &str) -> Vec<Item> {
        let items = self.seen.items.lock().unwrap();
        items.iter().filter(|item| item.kind == kind).cloned().collect()
    }

    /// Sentry would have liked it all, but for how the official crate writes its headers.
    #[track_caller]
    pub(crate) fn assert_no_problems(&self) {
        let mut problems = self.collector.problems();
        problems.retain(|problem| problem.trace_id.is_some() || problem.problem.severity == Severity::Error);
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

async fn take(
    State((seen, forward_to)): State<(Arc<Seen>, String)>,
    request: Request,
) -> (StatusCode, String) {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap();
    let auth = head.headers.get("x-sentry-auth").cloned();
    let mut forwarded = reqwest::Client::new().post(format!("{forward_to}{}", head.uri)).body(body.clone());
    forwarded = forwarded.header(header::CONTENT_TYPE, "application/x-sentry-envelope");
    if let Some(auth) = auth {
        forwarded = forwarded.header("x-sentry-auth", auth);
    }
    let Ok(answer) = forwarded.send().await else {
        // The test is over, and its collector gone.
        return (StatusCode::BAD_GATEWAY, String::new());
    };
    let read = envelope::read(&body).unwrap();
    let envelope = Value::Object(read.headers.into_iter().collect());
    seen.items.lock().unwrap().extend(read.items.iter().map(|item| Item {
        kind: item.kind().to_owned(),
        payload: serde_json::from_slice(item.payload).unwrap(),
        envelope: envelope.clone(),
    }));
    seen.arrived.notify_all();
    (StatusCode::from_u16(answer.status().as_u16()).unwrap(), answer.text().await.unwrap())
}

/// A service with both SDKs, apart from all others of this process.
#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) hub: Arc<Hub>,
    pub(crate) client: Client,
}

impl Project {
    pub(crate) fn new(tap: &Tap) -> Self {
        let hub = official(tap, |options| options);
        let options =
            options_from(&hub.client().unwrap()).traces_sample_rate(1.0).compression(Compression::Off);
        let losses = Arc::new(Losses::default());
        let delivery =
            Delivery::start(options.delivery().dsn.unwrap().clone(), &options, Arc::clone(&losses)).unwrap();
        Self { hub, client: Client::new(options, Arc::new(delivery), losses).unwrap() }
    }

    pub(crate) fn tracing(&self) -> SentryTracingLayer {
        SentryTracingLayer::new().client(self.client.clone())
    }

    pub(crate) fn hubs(&self) -> SentryHubLayer {
        let hub = Arc::clone(&self.hub);
        SentryHubLayer::new().hub(move || Arc::clone(&hub))
    }

    /// Sends all that there is.
    pub(crate) fn flush(&self) {
        assert!(self.client.flush(LONG));
        assert!(self.hub.client().unwrap().flush(Some(LONG)));
    }
}

/// An official client that reports to the tap, on a Hub of its own.
pub(crate) fn official(tap: &Tap, set_up: impl FnOnce(ClientOptions) -> ClientOptions) -> Arc<Hub> {
    let mut options = ClientOptions::new()
        .dsn(&tap.dsn())
        .release("shop@1.4.0")
        .environment("test")
        .transport(DefaultTransportFactory)
        .add_integration(sentry::integrations::panic::PanicIntegration::new())
        .add_integration(SentraceIntegration::new());
    options.transport_channel_capacity = NonZeroUsize::new(1000); // of which no test captures as many
    let client = sentry::Client::with_options(set_up(options));
    Arc::new(Hub::new(Some(Arc::new(client)), Arc::default()))
}

/// Asks, and reads the answer to its end, whatever it is.
pub(crate) async fn get(url: String) -> (u16, String) {
    let client = reqwest::Client::builder().timeout(LONG).build().unwrap();
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

/// An answer whose frames come one by one.
pub(crate) fn streamed(frames: impl futures_util::Stream<Item = &'static str> + Send + 'static) -> Body {
    use futures_util::StreamExt as _;
    Body::from_stream(frames.map(Ok::<_, std::convert::Infallible>))
}
