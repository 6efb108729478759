//! Sends the hop before which the policy stopped, as reqwest would have sent it, but without trace headers.

use reqwest::{Request, Response};
use reqwest_middleware::Result;

use super::chain::{GuardedFuture, RedirectChain};
use super::foreign_hop::ForeignHop;
use super::saved_request::SavedRequest;
use super::settings::Settings;

/// The guard of a client: the reqwest client whose policy stops, and its settings.
pub(crate) struct RedirectGuard {
    client: reqwest::Client,
    settings: Settings,
}

impl RedirectGuard {
    pub(crate) fn new(client: reqwest::Client, settings: Settings) -> Self {
        Self { client, settings }
    }

    /// Copies `request`, to be sent again.
    pub(crate) fn save(&self, request: &Request) -> SavedRequest {
        SavedRequest::new(request, &self.settings)
    }

    /// Sends the hop before which the policy stopped after `hops` others, and those that follow from it.
    ///
    /// Returns reqwest's own response and how many redirects were followed.
    pub(crate) async fn reissue(
        &self,
        mut saved: Box<SavedRequest>,
        mut hop: Box<ForeignHop>,
        mut hops: u32,
    ) -> (Result<Response>, u32) {
        saved.remove_trace_headers(&self.settings);
        loop {
            saved.rewrite(&hop, &self.settings);
            let request = saved.request_for(&hop, &self.settings);
            let to = hop.to.clone();
            let chain = RedirectChain::after(*hop, self.settings.referer);
            let mut call = GuardedFuture::new(Box::pin(self.client.execute(request)), Some(chain));
            let response = (&mut call).await.map_err(|error| saved.with_own_url(error, &to).into());
            let (more, next, _) = call.into_end();
            hops += more;
            match next {
                Some(next) if is_redirect(&response) => hop = next,
                _ => return (response, hops),
            }
        }
    }
}

/// Returns `true` if the response is the redirect itself.
pub(crate) fn is_redirect(response: &Result<Response>) -> bool {
    response.as_ref().is_ok_and(|response| response.status().is_redirection())
}
