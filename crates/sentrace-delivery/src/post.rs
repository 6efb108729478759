//! One request to the ingest.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue, USER_AGENT,
};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use sentrace_core::{Finished, diagnostics};
use sentrace_protocol::{Dsn, envelope};

use crate::{StartError, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For one request from its first byte to the answer's last.
const TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
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
}

impl Ingest {
    pub(crate) fn new(dsn: &Dsn, connections: usize) -> Result<Self, StartError> {
        let text = dsn.envelope_url();
        let url = Url::parse(&text).map_err(|error| {
            StartError::new(format!("the DSN leads to {text:?}, which is no URL; correct its host"), error)
        })?;
        let headers = headers(dsn).map_err(|error| {
            StartError::new("the DSN's keys cannot be sent in a header; correct them", error)
        })?;
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls::config(url.scheme() == "https")?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(connections)
            .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT);
        if is_this_machine(dsn.host()) {
            // A proxy would look for the collector on its own machine.
            client = client.no_proxy();
        }
        let client =
            client.build().map_err(|error| StartError::new("the HTTP client cannot be built", error))?;
        Ok(Self { client, url, headers })
    }

    /// Posts an envelope, compressed with gzip. Anything that the ingest says is an answer, a refusal too.
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
        let request = self.client.post(self.url.clone()).headers(self.headers.clone()).body(body);
        let mut response = request.send().await?;
        let status = response.status();
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
        Ok(Answer { status, headers })
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

fn headers(dsn: &Dsn) -> Result<HeaderMap, InvalidHeaderValue> {
    let sdk = Finished::sdk();
    let client = format!("{}/{}", sdk.name, sdk.version);
    let mut auth = HeaderValue::try_from(dsn.auth_header(&client))?;
    auth.set_sensitive(true);
    let headers = [
        (SENTRY_AUTH, auth),
        (CONTENT_TYPE, HeaderValue::from_static(envelope::CONTENT_TYPE)),
        (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        (USER_AGENT, HeaderValue::try_from(client)?),
    ];
    Ok(headers.into_iter().collect())
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
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
    fn this_machine_is_reached_without_a_proxy() {
        let rows = [
            ("localhost", true, "by name"),
            ("app.localhost", true, "names below it"),
            ("127.0.0.1", true, "IPv4"),
            ("127.9.9.9", true, "all of 127/8"),
            ("[::1]", true, "IPv6"),
            ("o1.ingest.sentry.io", false, "a foreign host"),
            ("notlocalhost", false, "another name"),
            ("10.0.0.1", false, "a neighbour"),
        ];
        for (host, expected, reason) in rows {
            assert_eq!(is_this_machine(host), expected, "{reason}");
        }
    }

    #[test]
    fn a_host_that_is_none_is_told() {
        let dsn: Dsn = "http://key@256.256.256.256/1".parse().unwrap();
        let error = Ingest::new(&dsn, 1).unwrap_err().to_string();
        assert!(error.contains("256.256.256.256") && error.contains("correct its host"), "{error}");
    }
}
