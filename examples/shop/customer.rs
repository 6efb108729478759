//! The customer's browser, which does not use sentrace.

use std::time::{Duration, Instant};

use reqwest::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
use reqwest::{Client, Method, RequestBuilder};
use sentrace::protocol::{SentryTrace, TraceId};

use crate::script::{Patience, SCRIPT, Scene};
use crate::shop::Shop;
use crate::{Error, outgoing};

/// A finished visit.
pub(crate) struct Visit {
    pub(crate) scene: &'static Scene,
    pub(crate) trace_id: TraceId,
    /// The status of the page's call.
    pub(crate) status: u16,
    /// The duration of that call.
    pub(crate) took: Duration,
}

/// Plays all scenes one after the other.
pub(crate) async fn follow_the_script(shop: &Shop) -> Result<Vec<Visit>, Error> {
    let browser = Browser { http: outgoing::builder().build()?, shop: &shop.storefront, api: &shop.backend };
    let mut visits = Vec::new();
    for scene in &SCRIPT {
        visits.push(
            browser.visit(scene).await.map_err(|error| format!("the customer {}: {error}", scene.story))?,
        );
    }
    Ok(visits)
}

struct Browser<'a> {
    http: Client,
    shop: &'a str,
    api: &'a str,
}

impl Browser<'_> {
    async fn visit(&self, scene: &'static Scene) -> Result<Visit, Error> {
        let page = self
            .http
            .get(format!("{}{}", self.shop, scene.page))
            .send()
            .await?
            .error_for_status()?
            .text()
            .await?;
        let sentry_trace = meta(&page, "sentry-trace").ok_or("the page has no meta tag sentry-trace")?;
        let baggage = meta(&page, "baggage").ok_or("the page has no meta tag baggage")?;
        let trace_id = SentryTrace::parse(sentry_trace.as_bytes())?.trace_id;

        self.ask_before(scene).await?;
        let began = Instant::now();
        let call = self.request(scene.method.parse()?, scene.path);
        let mut answer = call.header("sentry-trace", sentry_trace).header("baggage", baggage).send().await?;
        let status = answer.status().as_u16();
        while answer.chunk().await?.is_some() {
            if scene.patience == Patience::LeavesAfterFirstChunk {
                break;
            }
        }
        drop(answer); // what has not been read by now never will be: the connection is closed
        Ok(Visit { scene, trace_id, status, took: began.elapsed() })
    }

    /// Sends the preflight. A browser only makes the call if the answer allows the trace headers.
    async fn ask_before(&self, scene: &Scene) -> Result<(), Error> {
        let ask = self
            .request(Method::OPTIONS, scene.path)
            .header("access-control-request-method", scene.method)
            .header("access-control-request-headers", "baggage,sentry-trace");
        let answer = ask.send().await?.error_for_status()?;
        let header =
            |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if header(ACCESS_CONTROL_ALLOW_ORIGIN) != self.shop {
            return Err(format!("the backend does not allow {}", self.shop).into());
        }
        let allowed = header(ACCESS_CONTROL_ALLOW_HEADERS).to_ascii_lowercase();
        let allows = |wanted| allowed.split(',').any(|name| name.trim() == wanted);
        if !allows("sentry-trace") || !allows("baggage") {
            return Err(format!("the backend does not allow trace headers, only {allowed:?}").into());
        }
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.api)).header(ORIGIN, self.shop)
    }
}

/// Returns the content of a meta tag.
fn meta(page: &str, name: &str) -> Option<String> {
    let (_, tag) = page.split_once(&format!("<meta name=\"{name}\" content=\""))?;
    let (content, _) = tag.split_once('"')?;
    let characters = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Some(characters.iter().fold(content.to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}
