//! The same request with and without sentrace, for comparison.

use reqwest::{ClientBuilder, Request, Response};
use reqwest_middleware::ClientWithMiddleware;

use super::server::{Seen, World};

/// What servers and caller saw of one request and its redirects.
#[derive(Debug, PartialEq)]
pub(crate) struct Trip {
    pub(crate) hops: Vec<Seen>,
    /// Status, URL and body of the answer, or the error with its kind, URL and sources.
    pub(crate) answer: Result<(u16, String, String), String>,
}

impl Trip {
    pub(crate) async fn plain(world: &World, builder: ClientBuilder, request: Request) -> Self {
        let client = builder.build().unwrap();
        world.take_log();
        let answer = match client.execute(request).await {
            Ok(response) => read(response).await,
            Err(error) => Err(format!("{error:?}")),
        };
        Self { hops: world.take_log(), answer }
    }

    pub(crate) async fn traced(world: &World, client: &ClientWithMiddleware, request: Request) -> Self {
        world.take_log();
        let answer = match client.execute(request).await {
            Ok(response) => read(response).await,
            Err(reqwest_middleware::Error::Reqwest(error)) => Err(format!("{error:?}")),
            Err(reqwest_middleware::Error::Middleware(error)) => Err(format!("not reqwest's: {error:?}")),
        };
        Self { hops: world.take_log(), answer }
    }

    /// Which requests had trace headers; checks that foreign ones had none.
    pub(crate) fn carried(&self) -> Vec<bool> {
        let carries = |seen: &Seen| seen.header("sentry-trace").is_some();
        for seen in self.hops.iter().filter(|seen| seen.server == "foreign") {
            assert!(
                !carries(seen) && !seen.header("baggage").is_some_and(|value| value.contains("sentry-")),
                "{seen:#?}"
            );
        }
        self.hops.iter().map(carries).collect()
    }

    /// The same without what sentrace adds.
    pub(crate) fn without_trace(mut self) -> Self {
        for seen in &mut self.hops {
            seen.headers.retain(|(name, _)| name != "sentry-trace" && name != "baggage");
        }
        self
    }
}

async fn read(response: Response) -> Result<(u16, String, String), String> {
    let (status, url) = (response.status().as_u16(), response.url().to_string());
    match response.text().await {
        Ok(body) => Ok((status, url, body)),
        Err(error) => Err(format!("{error:?}")),
    }
}
