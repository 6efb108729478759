//! A copy of a request, to be sent again.

use std::time::{Duration, Instant};

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, REFERER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::{Request, Url};
use sentrace_core::adapter::remove_trace_headers;

use super::foreign_hop::ForeignHop;
use super::headers::CREDENTIALS;
use super::settings::Settings;

const PAYLOAD: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING];

/// What is needed to send the request of a call again.
pub(crate) struct SavedRequest {
    request: Request,
    /// When the call began and how long it may take.
    deadline: Option<(Instant, Duration)>,
}

impl SavedRequest {
    pub(super) fn new(request: &Request, settings: &Settings) -> Self {
        let copy = copy(request);
        let timeout = copy.timeout().copied().or(settings.timeout);
        Self { request: copy, deadline: timeout.map(|timeout| (Instant::now(), timeout)) }
    }

    pub(super) fn method(&self) -> &Method {
        self.request.method()
    }

    /// Removes the trace headers, whoever set them.
    pub(super) fn remove_trace_headers(&mut self, settings: &Settings) {
        let headers = self.request.headers_mut();
        remove_trace_headers(headers);
        for name in &settings.fixed_trace_headers {
            // As with credentials below.
            if !headers.contains_key(name) {
                headers.insert(name.clone(), HeaderValue::from_static(""));
            }
        }
    }

    /// Changes the request as the redirects before `hop` change every request.
    pub(super) fn rewrite(&mut self, hop: &ForeignHop, settings: &Settings) {
        *self.request.method_mut() = hop.method.clone();
        if hop.payload_dropped {
            *self.request.body_mut() = None;
            remove_all(self.request.headers_mut(), &PAYLOAD);
        }
        let hops = hop.previous.iter().zip(hop.previous.iter().skip(1).chain([&hop.to]));
        if hops.into_iter().any(|(from, to)| is_cross_host(from, to)) {
            remove_all(self.request.headers_mut(), &CREDENTIALS);
            for name in &settings.fixed_credentials {
                // reqwest adds a default header wherever there is none: only an empty one keeps it out.
                self.request.headers_mut().insert(name.clone(), HeaderValue::from_static(""));
            }
        }
    }

    pub(super) fn request_for(&self, hop: &ForeignHop, settings: &Settings) -> Request {
        let mut request = copy(&self.request);
        *request.url_mut() = hop.to.clone();
        if let Some((began, timeout)) = self.deadline {
            *request.timeout_mut() = Some(timeout.saturating_sub(began.elapsed()));
        }
        let referer = hop.previous.last().and_then(|previous| referer(previous, &hop.to));
        if let (true, Some(referer)) = (settings.referer, referer) {
            request.headers_mut().insert(REFERER, referer);
        }
        request
    }

    /// Names the URL of the call in errors of the connection, whichever hop they happened on.
    pub(super) fn with_own_url(&self, error: reqwest::Error, to: &Url) -> reqwest::Error {
        if error.is_request() && error.url() == Some(to) {
            return error.with_url(self.request.url().clone());
        }
        error
    }
}

/// Copies `request`, without its body if that is a stream.
///
/// reqwest asks about a hop only if it could send the body again, so a stream is not missed.
fn copy(request: &Request) -> Request {
    let has_bytes = request.body().is_some_and(|body| body.as_bytes().is_some());
    if has_bytes && let Some(copy) = request.try_clone() {
        return copy;
    }
    let mut copy = Request::new(request.method().clone(), request.url().clone());
    copy.headers_mut().clone_from(request.headers());
    *copy.version_mut() = request.version();
    if let Some(timeout) = request.timeout() {
        *copy.timeout_mut() = Some(*timeout);
    }
    copy
}

fn remove_all(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

fn is_cross_host(from: &Url, to: &Url) -> bool {
    let place =
        |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default(), url.scheme().to_owned());
    place(from) != place(to)
}

/// Returns the `referer` that reqwest sends: without userinfo, and none from https to http.
fn referer(previous: &Url, next: &Url) -> Option<HeaderValue> {
    if next.scheme() == "http" && previous.scheme() == "https" {
        return None;
    }
    let mut referer = previous.clone();
    let _ = referer.set_username("");
    let _ = referer.set_password(None);
    referer.as_str().parse().ok()
}
