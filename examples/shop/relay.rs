//! Forwards every envelope to the collector and to `SENTRY_DSN`.
//!
//! A client has one DSN, so a relay makes the second copy.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use bytes::Bytes;
use sentrace::protocol::Dsn;
use tokio::net::TcpListener;

use crate::Error;

pub(crate) struct Relay {
    addr: SocketAddr,
    ways: Arc<Ways>,
}

struct Ways {
    collector: String,
    dsn: Dsn,
    http: reqwest::Client,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    sent: usize,
    taken: usize,
    last_refusal: Option<String>,
}

impl Relay {
    pub(crate) async fn start(collector: String, dsn: Dsn) -> Result<Self, Error> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        let ways = Arc::new(Ways { collector, dsn, http, tally: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let app = Router::new().route("/api/{project}/envelope/", post(relay)).with_state(Arc::clone(&ways));
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok(Self { addr, ways })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn summary(&self) -> String {
        let Tally { sent, taken, last_refusal } = &*self.ways.tally();
        let why = last_refusal.as_ref().map(|why| format!(" (last refusal: {why})")).unwrap_or_default();
        format!("SENTRY_DSN   {} took {taken} of {sent} envelopes{why}", self.ways.dsn.host())
    }
}

async fn relay(
    State(ways): State<Arc<Ways>>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let collector = format!("{}/api/{project}/envelope/", ways.collector);
    let answer = ways.post(&collector, &headers, headers.get("x-sentry-auth").cloned(), body.clone()).await;

    let auth = ways.dsn.auth_header("sentrace-shop/1.0").try_into().ok();
    let taken = ways.post(&ways.dsn.envelope_url(), &headers, auth, body).await;
    ways.note(taken);
    answer.map_err(|_| StatusCode::BAD_GATEWAY)
}

impl Ways {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, answer: reqwest::Result<StatusCode>) {
        let mut tally = self.tally();
        tally.sent += 1;
        match answer {
            Ok(status) if status.is_success() => tally.taken += 1,
            Ok(status) => tally.last_refusal = Some(status.to_string()),
            // reqwest's error names the URL, and its innermost source the reason.
            Err(error) => tally.last_refusal = Some(root_cause(&error)),
        }
    }

    async fn post(
        &self,
        url: &str,
        from: &HeaderMap,
        auth: Option<header::HeaderValue>,
        body: Bytes,
    ) -> reqwest::Result<StatusCode> {
        let mut headers = HeaderMap::new();
        let kept = [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::USER_AGENT];
        headers.extend(kept.into_iter().filter_map(|name| Some((name.clone(), from.get(name)?.clone()))));
        headers.extend(auth.map(|auth| (header::HeaderName::from_static("x-sentry-auth"), auth)));
        Ok(self.http.post(url).headers(headers).body(body).send().await?.status())
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
