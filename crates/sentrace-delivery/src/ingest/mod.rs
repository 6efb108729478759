//! The ingest of one DSN: requests to it, its rate limits, and whether it responds.

mod backpressure;
mod connect;
mod rate_limits;
mod reachability;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, InvalidHeaderValue, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use sentrace_core::deliver::{DeliverySettings, FinishedTransaction};
use sentrace_core::diagnostics;
use sentrace_protocol::{Dsn, envelope};

pub(crate) use self::backpressure::{Backpressure, HEALTH_CHECK_INTERVAL, HealthCheck};
pub(crate) use self::rate_limits::RateLimits;
pub(crate) use self::reachability::{PROBES, Reachability};
use crate::StartError;
use crate::error::OnMachine;
use crate::http::{Error, HttpClient, Response, Target};

const SENTRY_AUTH: HeaderName = HeaderName::from_static("x-sentry-auth");
const SENTRY_ERROR: HeaderName = HeaderName::from_static("x-sentry-error");

/// Posts envelopes to the ingest of one DSN (Sentry SDK specification, *Authentication* and *Compression*).
#[derive(Debug)]
pub(crate) struct Ingest {
    client: HttpClient,
    target: Target,
}

impl Ingest {
    /// `encoding` is the `content-encoding` of the bodies.
    pub(crate) fn new(
        dsn: &Dsn,
        settings: &DeliverySettings<'_>,
        encoding: Option<&'static str>,
        on_machine: OnMachine,
    ) -> Result<Self, StartError> {
        let url = dsn.envelope_url();
        let target = Target::parse(&url).map_err(|rule| {
            StartError::new(format!("the DSN leads to {url:?}, which is not a URL; correct its host"), rule)
        })?;
        let headers = headers(dsn, encoding).map_err(|error| {
            StartError::new("the DSN's keys cannot be sent in a header; correct them", error)
        })?;
        let client =
            connect::client(settings, &target, headers, connect::is_this_machine(dsn.host()), on_machine)?;
        Ok(Self { client, target })
    }

    /// Posts a compressed envelope. A refusal is a response, too.
    ///
    /// # Errors
    /// If there is no response: the ingest is unreachable, takes too long or does not speak HTTP.
    pub(crate) async fn post(&self, body: Bytes) -> Result<Response, Error> {
        let response = self.client.post(body).await?;
        if !response.status.is_success() {
            let error = response.headers.get(SENTRY_ERROR).map(HeaderValue::as_bytes).unwrap_or_default();
            diagnostics::debug(format_args!(
                "the ingest {} responded with {}, X-Sentry-Error {:?}, body {:?}",
                self.target.uri(),
                response.status,
                String::from_utf8_lossy(error),
                String::from_utf8_lossy(&response.body_start),
            ));
        }
        Ok(response)
    }
}

fn headers(dsn: &Dsn, encoding: Option<&'static str>) -> Result<HeaderMap, InvalidHeaderValue> {
    let sdk = FinishedTransaction::sdk();
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

#[cfg(test)]
mod tests {
    use sentrace_core::Options;

    use super::*;

    #[test]
    fn an_invalid_host_is_reported() {
        let dsn: Dsn = "http://key@256.256.256.256/1".parse().unwrap();
        let error =
            Ingest::new(&dsn, &Options::new().delivery(), None, OnMachine::Fail).unwrap_err().to_string();
        assert!(error.contains("256.256.256.256") && error.contains("correct its host"), "{error}");
    }
}
