//! Posts to one URL over kept connections.

mod connector;
mod deadline;
mod error;
mod metered;
mod pools;
mod proxy;
mod resolver;
mod stream;
mod target;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy;
use tokio::time::timeout;

use self::deadline::Deadlines;
pub(crate) use self::error::{Error, describe};
use self::metered::Head;
use self::pools::Pools;
pub(crate) use self::proxy::Proxy;
pub(crate) use self::target::Target;
use crate::tls;

/// A connection that nothing was sent on for so long is closed.
const IDLE: Duration = Duration::from_secs(60);
/// An answer is read up to here so that its connection can be used again; one that goes on closes it.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_ANSWER_TIME: Duration = Duration::from_secs(1);
/// What is shown in place of a refusal that could not be read.
const TOO_LARGE: &[u8] = b"(an answer with more header fields than can be read)";
/// How much of a refusal is kept.
const SHOWN_BYTES: usize = 512;

/// A client for one [`Target`]: what is the same in all posts is prepared once. It follows no redirects.
#[derive(Debug)]
pub(crate) struct Client {
    request: Request<()>,
    pools: Pools,
    deadlines: Deadlines,
}

/// How a [`Client`] connects.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) tls: tls::Config,
    pub(crate) proxy: Option<Proxy>,
    /// Whether HTTP/2 is spoken without asking.
    pub(crate) http2_prior_knowledge: bool,
    /// For one post, with the connection that it may need.
    pub(crate) timeout: Duration,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) version: Version,
    /// Of a refusal, the start of its body.
    pub(crate) said: Vec<u8>,
}

impl Client {
    /// `headers` go with each post.
    pub(crate) fn new(target: &Target, headers: HeaderMap, config: Config) -> Self {
        Self::idling(target, headers, config, IDLE)
    }

    fn idling(target: &Target, headers: HeaderMap, config: Config, idle: Duration) -> Self {
        let request = target.request(headers, config.proxy.as_ref());
        let deadlines = Deadlines::new(config.timeout);
        Self { request, pools: Pools::new(target, config, idle), deadlines }
    }

    /// Posts a body. Anything that is said is an answer, a refusal too.
    ///
    /// # Errors
    /// When no answer came: nobody can be reached, it took too long, or what came is no HTTP.
    pub(crate) async fn post(&self, body: Bytes) -> Result<Answer, Error> {
        let over = self.deadlines.next();
        tokio::select! {
            biased;
            outcome = self.try_twice(body) => outcome,
            () = over => Err(Error::TimedOut(self.deadlines.limit())),
        }
    }

    async fn try_twice(&self, body: Bytes) -> Result<Answer, Error> {
        match self.try_once(body.clone()).await {
            // A kept connection may be closed at the very moment it is used again. That is nobody's fault, and the
            // ingest knows an envelope that it should see twice by its event id.
            Err(Error::Broken(_)) => self.try_once(body).await,
            outcome => outcome,
        }
    }

    async fn try_once(&self, body: Bytes) -> Result<Answer, Error> {
        let request = self.request.clone().map(|()| Full::new(body));
        match self.pools.request(request).await {
            Ok(response) => self.read(response).await,
            Err(error) => unread(error),
        }
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, Error> {
        let (head, body) = response.into_parts();
        let shown = if head.status.is_success() { 0 } else { SHOWN_BYTES };
        let said = if body.is_end_stream() {
            Vec::new()
        } else {
            timeout(MAX_ANSWER_TIME, read(body, shown)).await.unwrap_or_default()
        };
        Ok(Answer { status: head.status, headers: head.headers, version: head.version, said })
    }
}

/// What is known of an answer that hyper could not read. If it only has too much in its head, the status says whether the
/// envelope arrived; to send it again would be to send it twice.
fn unread(error: legacy::Error) -> Result<Answer, Error> {
    let is_unreadable = error::of_hyper(&error).is_some_and(hyper::Error::is_parse);
    let head = error.connect_info().filter(|_| is_unreadable).and_then(Head::of);
    match head.and_then(|head| Some((head.status()?, head.is_too_large()))) {
        Some((status, true)) => {
            let version = Version::HTTP_11;
            Ok(Answer { status, headers: HeaderMap::new(), version, said: TOO_LARGE.to_vec() })
        }
        Some((_, false)) => Err(Error::Unreadable(error)),
        None => Err(error.into()),
    }
}

/// Reads to the end, unless that is far away, and keeps so much of the start.
async fn read(mut body: Incoming, shown: usize) -> Vec<u8> {
    let mut start = Vec::new();
    let mut total = 0;
    while let Some(Ok(frame)) = body.frame().await {
        let Some(chunk) = frame.data_ref() else { continue };
        total += chunk.len();
        start.extend(chunk.iter().take(shown.saturating_sub(start.len())));
        if total > MAX_ANSWER_BYTES {
            break;
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Runtime;
    use tokio::time::sleep;

    use super::*;
    use crate::error::OnMachine;
    use crate::support::{Ingest, LONG, Reply};

    fn target(ingest: &Ingest) -> Target {
        Target::parse(&ingest.url("/stream")).unwrap()
    }

    fn config(timeout: Duration) -> Config {
        let tls = tls::config(false, &[], OnMachine::Fail).unwrap();
        Config { tls, proxy: None, http2_prior_knowledge: false, timeout }
    }

    fn client(ingest: &Ingest, timeout: Duration) -> Client {
        Client::new(&target(ingest), HeaderMap::new(), config(timeout))
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
        let client = Client::idling(&target(&ingest), HeaderMap::new(), config(LONG), idle);
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
        assert_eq!(describe(&error), "there was no answer within 100ms");
        assert_eq!(ingest.requests(), 1);
    }

    #[test]
    fn of_a_refusal_the_start_is_kept_and_what_does_not_end_is_not_waited_for() {
        let ingest = Ingest::start(|_| Reply::Stall(b"HTTP/1.1 403 No\r\ncontent-length: 9\r\n\r\nbad"));
        let client = client(&ingest, LONG);
        let answer = run(client.post(envelope())).unwrap();
        assert_eq!((answer.status, answer.said.len()), (StatusCode::FORBIDDEN, 0));
        let ingest = Ingest::start(|_| Reply::status(403));
        let client = self::client(&ingest, LONG);
        let answer = run(client.post(envelope())).unwrap();
        assert_eq!(answer.said, b"{\"id\":null}");
    }
}
