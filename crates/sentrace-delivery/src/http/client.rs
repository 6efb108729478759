//! Posts to one URL over kept connections.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy;
use tokio::time::timeout;

use super::config::Config;
use super::deadline::Deadlines;
use super::error::{self, Error};
use super::metered::Head;
use super::pools::Pools;
use super::proxy::Proxy;
use super::target::Target;

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);
/// A response body is read up to here so that its connection can be reused. A longer one closes it.
const MAX_BODY_BYTES: usize = 64 * 1024;
const MAX_BODY_TIME: Duration = Duration::from_secs(1);
/// Stands in for the body of a response that could not be read.
const TOO_LARGE: &[u8] = b"(a response with more header fields than can be read)";
/// How much of the body of a refusal is kept.
const BODY_START_BYTES: usize = 512;

/// A client for one [`Target`]. It prepares once what all posts share, and follows no redirects.
#[derive(Debug)]
pub(crate) struct HttpClient {
    request: Request<()>,
    pools: Pools,
    deadlines: Deadlines,
}

/// A response of any status.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) version: Version,
    /// The start of the body if this is a refusal.
    pub(crate) body_start: Vec<u8>,
}

impl HttpClient {
    /// Creates a client that sends `headers` with each post.
    pub(crate) fn new(target: &Target, headers: HeaderMap, config: Config) -> Self {
        Self::idling(target, headers, config, IDLE)
    }

    fn idling(target: &Target, headers: HeaderMap, config: Config, idle: Duration) -> Self {
        let request = request(target, headers, config.proxy.as_ref());
        let deadlines = Deadlines::new(config.timeout);
        Self { request, pools: Pools::new(target, config, idle), deadlines }
    }

    /// Posts a body. A refusal is a response, too.
    ///
    /// # Errors
    /// If there is no response: the connection fails, the timeout passes, or the peer does not speak HTTP.
    pub(crate) async fn post(&self, body: Bytes) -> Result<Response, Error> {
        let timed_out = self.deadlines.next();
        tokio::select! {
            biased;
            outcome = self.try_twice(body) => outcome,
            () = timed_out => Err(Error::TimedOut(self.deadlines.limit())),
        }
    }

    async fn try_twice(&self, body: Bytes) -> Result<Response, Error> {
        match self.try_once(body.clone()).await {
            // A kept connection may be closed at the moment it is reused. The ingest recognises an envelope that it receives
            // twice by its event id.
            Err(Error::Broken(_)) => self.try_once(body).await,
            outcome => outcome,
        }
    }

    async fn try_once(&self, body: Bytes) -> Result<Response, Error> {
        let request = self.request.clone().map(|()| Full::new(body));
        match self.pools.request(request).await {
            Ok(response) => self.read(response).await,
            Err(error) => unparsed(error),
        }
    }

    async fn read(&self, response: http::Response<Incoming>) -> Result<Response, Error> {
        let (head, body) = response.into_parts();
        let kept = if head.status.is_success() { 0 } else { BODY_START_BYTES };
        let body_start = if body.is_end_stream() {
            Vec::new()
        } else {
            timeout(MAX_BODY_TIME, read(body, kept)).await.unwrap_or_default()
        };
        Ok(Response { status: head.status, headers: head.headers, version: head.version, body_start })
    }
}

/// Returns what is known of a response that hyper could not parse. If only its head is too large, its status tells whether
/// the envelope arrived, and a retry would send that twice.
fn unparsed(error: legacy::Error) -> Result<Response, Error> {
    let is_unreadable = error::of_hyper(&error).is_some_and(hyper::Error::is_parse);
    let head = error.connect_info().filter(|_| is_unreadable).and_then(Head::of);
    match head.and_then(|head| Some((head.status()?, head.is_too_large()))) {
        Some((status, true)) => {
            let version = Version::HTTP_11;
            Ok(Response { status, headers: HeaderMap::new(), version, body_start: TOO_LARGE.to_vec() })
        }
        Some((_, false)) => Err(Error::Unreadable(error)),
        None => Err(error.into()),
    }
}

/// Reads to the end of a body of moderate size, and returns its start.
async fn read(mut body: Incoming, kept: usize) -> Vec<u8> {
    let mut start = Vec::new();
    let mut total = 0;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(chunk) = frame.data_ref() else { continue };
        total += chunk.len();
        start.extend(chunk.iter().take(kept.saturating_sub(start.len())));
        if total > MAX_BODY_BYTES {
            break;
        }
    }
    start
}

/// Returns the request that all posts are copies of.
fn request(target: &Target, mut headers: HeaderMap, proxy: Option<&Proxy>) -> Request<()> {
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    // A proxy that tunnels `https` gets its header when the tunnel is opened.
    let auth = proxy.filter(|_| !target.is_https()).and_then(Proxy::auth);
    headers.extend(auth.map(|auth| (PROXY_AUTHORIZATION, auth.clone())));
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.uri().clone();
    *request.headers_mut() = headers;
    request
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;
    use tokio::time::sleep;

    use super::*;
    use crate::error::OnMachine;
    use crate::http::{describe_error, tls};
    use crate::support::{Ingest, LONG, Reply};

    fn target(ingest: &Ingest) -> Target {
        Target::parse(&ingest.url("/stream")).unwrap()
    }

    fn config(timeout: Duration) -> Config {
        let tls = tls::config(false, &[], OnMachine::Fail).unwrap();
        Config { tls, proxy: None, http2_prior_knowledge: false, timeout, max_idle_connections: 1 }
    }

    fn client(ingest: &Ingest, timeout: Duration) -> HttpClient {
        HttpClient::new(&target(ingest), HeaderMap::new(), config(timeout))
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime: Runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async { timeout(LONG, future).await.expect("it takes too long") })
    }

    fn envelope() -> Bytes {
        Bytes::from_static(b"{}\n")
    }

    #[test]
    fn one_connection_is_enough_for_posts_one_after_the_other() {
        let ingest = Ingest::ok();
        let client = client(&ingest, LONG);
        run(async {
            for _ in 0..50 {
                assert_eq!(client.post(envelope()).await.unwrap().status, StatusCode::OK);
            }
        });
        assert_eq!((ingest.requests(), ingest.connections()), (50, 1));
    }

    #[test]
    fn an_idle_connection_is_closed_and_the_next_post_opens_another() {
        let ingest = Ingest::ok();
        let idle = Duration::from_millis(100);
        let client = HttpClient::idling(&target(&ingest), HeaderMap::new(), config(LONG), idle);
        run(async {
            client.post(envelope()).await.unwrap();
            sleep(2 * idle).await;
            client.post(envelope()).await.unwrap();
        });
        assert_eq!(ingest.connections(), 2);
    }

    #[test]
    fn a_post_whose_connection_breaks_is_sent_once_more_and_not_more_often() {
        for (failures, expected) in [(1, Some(StatusCode::OK)), (2, None)] {
            let ingest =
                Ingest::start(move |number| if number < failures { Reply::Close } else { Reply::ok() });
            let client = client(&ingest, LONG);
            let answer = run(client.post(envelope()));
            assert_eq!(answer.ok().map(|answer| answer.status), expected, "{failures}");
            assert_eq!(ingest.requests(), 2, "{failures}");
        }
    }

    #[test]
    fn a_post_that_nobody_answers_ends_in_time_and_is_not_sent_again() {
        let ingest = Ingest::start(|_| Reply::Stall(b""));
        let client = client(&ingest, Duration::from_millis(100));
        let error = run(client.post(envelope())).unwrap_err();
        assert_eq!(describe_error(&error), "there was no response within 100ms");
        assert_eq!(ingest.requests(), 1);
    }

    #[test]
    fn of_a_refusal_the_start_is_kept_and_what_does_not_end_is_not_waited_for() {
        let ingest = Ingest::start(|_| Reply::Stall(b"HTTP/1.1 403 No\r\ncontent-length: 9\r\n\r\nbad"));
        let client = client(&ingest, LONG);
        let answer = run(client.post(envelope())).unwrap();
        assert_eq!((answer.status, answer.body_start.len()), (StatusCode::FORBIDDEN, 0));
        let ingest =
            Ingest::start(|_| Reply::Raw(b"HTTP/1.1 403 No\r\ncontent-length: 11\r\n\r\n{\"id\":null}"));
        let client = self::client(&ingest, LONG);
        let answer = run(client.post(envelope())).unwrap();
        assert_eq!(answer.body_start, b"{\"id\":null}");
    }
}
