//! One request to the ingest.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use reqwest::{Client, Method, Request, Response, StatusCode, Url, Version};
use sentrace_core::{Finished, Options, diagnostics};
use sentrace_protocol::{Dsn, envelope};

use crate::{StartError, connect};

/// An answer is read up to here so that its connection can be used again; one that goes on closes it.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const MAX_ANSWER_TIME: Duration = Duration::from_secs(1);
/// How much of a refusal is shown in debug mode.
const SHOWN_BYTES: usize = 512;

const SENTRY_AUTH: HeaderName = HeaderName::from_static("x-sentry-auth");
const SENTRY_ERROR: HeaderName = HeaderName::from_static("x-sentry-error");

/// Where one DSN's envelopes go (Sentry SDK specification, *Authentication* and *Compression*).
#[derive(Debug)]
pub(crate) struct Ingest {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

/// What the ingest said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) version: Version,
}

impl Ingest {
    /// `encoding`: how the bodies are going to be compressed.
    pub(crate) fn new(
        dsn: &Dsn,
        options: &Options,
        encoding: Option<&'static str>,
    ) -> Result<Self, StartError> {
        let text = dsn.envelope_url();
        let url = Url::parse(&text).map_err(|error| {
            StartError::new(format!("the DSN leads to {text:?}, which is no URL; correct its host"), error)
        })?;
        let headers = headers(dsn, encoding).map_err(|error| {
            StartError::new("the DSN's keys cannot be sent in a header; correct them", error)
        })?;
        let client = connect::client(options, url.scheme() == "https", connect::is_this_machine(dsn.host()))?;
        Ok(Self { client, url, headers })
    }

    /// Posts an envelope, compressed. Anything that the ingest says is an answer, a refusal too.
    ///
    /// # Errors
    /// When no answer came: the ingest cannot be reached, took too long or does not speak HTTP.
    pub(crate) async fn post(&self, body: Bytes) -> Result<Answer, reqwest::Error> {
        match self.send(body.clone()).await {
            // A kept connection may be closed at the very moment it is used again. That is nobody's fault, and the
            // ingest knows an envelope that it should see twice by its event id.
            Err(error) if error.is_request() && !error.is_timeout() && !error.is_connect() => {
                self.send(body).await
            }
            outcome => outcome,
        }
    }

    async fn send(&self, body: Bytes) -> Result<Answer, reqwest::Error> {
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        *request.body_mut() = Some(body.into());
        let mut response = self.client.execute(request).await?;
        let (status, version) = (response.status(), response.version());
        let headers = std::mem::take(response.headers_mut());
        let said = tokio::time::timeout(MAX_ANSWER_TIME, read(response)).await.unwrap_or_default();
        if !status.is_success() {
            let error = headers.get(SENTRY_ERROR).map(HeaderValue::as_bytes).unwrap_or_default();
            diagnostics::debug(format_args!(
                "the ingest {} answered {status}, X-Sentry-Error {:?}, body {:?}",
                self.url,
                String::from_utf8_lossy(error),
                String::from_utf8_lossy(&said),
            ));
        }
        Ok(Answer { status, headers, version })
    }
}

/// The error with all its causes, which tell more than it does.
pub(crate) fn explain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn headers(dsn: &Dsn, encoding: Option<&'static str>) -> Result<HeaderMap, InvalidHeaderValue> {
    let sdk = Finished::sdk();
    let client = format!("{}/{}", sdk.name, sdk.version);
    let mut auth = HeaderValue::try_from(dsn.auth_header(&client))?;
    auth.set_sensitive(true);
    let headers = [
        (SENTRY_AUTH, auth),
        (CONTENT_TYPE, HeaderValue::from_static(envelope::CONTENT_TYPE)),
        (USER_AGENT, HeaderValue::try_from(client)?),
    ];
    let encoding = encoding.map(|encoding| (CONTENT_ENCODING, HeaderValue::from_static(encoding)));
    Ok(headers.into_iter().chain(encoding).collect())
}

async fn read(mut response: Response) -> Vec<u8> {
    let mut start = Vec::new();
    let mut total = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        total += chunk.len();
        start.extend(chunk.iter().take(SHOWN_BYTES.saturating_sub(start.len())));
        if total > MAX_ANSWER_BYTES {
            break;
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_none_is_told() {
        let dsn: Dsn = "http://key@256.256.256.256/1".parse().unwrap();
        let error = Ingest::new(&dsn, &Options::new(), None).unwrap_err().to_string();
        assert!(error.contains("256.256.256.256") && error.contains("correct its host"), "{error}");
    }
}
