//! Sends the hop before which the policy stopped, as reqwest would have sent it, but without trace headers.

use std::time::{Duration, Instant};

use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION, REFERER,
    TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::{Request, Response, Url};
use reqwest_middleware::Result;
use sentrace_core::remove_trace_headers;

use super::leg::{Departure, Guarded, Leg};
use super::settings::Settings;

/// The headers that reqwest takes off when a redirect leads to another host, port or scheme.
pub(crate) const CREDENTIALS: [HeaderName; 5] =
    [AUTHORIZATION, COOKIE, HeaderName::from_static("cookie2"), PROXY_AUTHORIZATION, WWW_AUTHENTICATE];

const PAYLOAD: [HeaderName; 4] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING];

/// The guarding half of a client: the reqwest client whose policy stops, and what is known about it.
pub(crate) struct Guard {
    client: reqwest::Client,
    settings: Settings,
}

impl Guard {
    pub(crate) fn new(client: reqwest::Client, settings: Settings) -> Self {
        Self { client, settings }
    }

    /// A copy of `request`, to be sent again.
    pub(crate) fn keep(&self, request: &Request) -> Kept {
        let copy = copy(request);
        let timeout = copy.timeout().copied().or(self.settings.timeout);
        Kept { request: copy, deadline: timeout.map(|timeout| (Instant::now(), timeout)) }
    }

    /// Sends the hop before which the policy stopped after `hops` others, and those that follow from it.
    ///
    /// Returns reqwest's own answer and how many redirects were followed.
    pub(crate) async fn go_on(
        &self,
        mut kept: Box<Kept>,
        mut departure: Box<Departure>,
        mut hops: u32,
    ) -> (Result<Response>, u32) {
        kept.remove_trace_headers(&self.settings);
        loop {
            kept.rewrite(&departure, &self.settings);
            let request = kept.request_for(&departure, &self.settings);
            let to = departure.to.clone();
            let leg = Leg::after(*departure, self.settings.referer);
            let mut call = Guarded::new(Box::pin(self.client.execute(request)), Some(leg));
            let answer = (&mut call).await.map_err(|error| kept.own(error, &to).into());
            let (more, next, _) = call.into_end();
            hops += more;
            match next {
                Some(next) if stopped(&answer) => departure = next,
                _ => return (answer, hops),
            }
        }
    }
}

/// Whether the answer is the redirect itself.
pub(crate) fn stopped(answer: &Result<Response>) -> bool {
    answer.as_ref().is_ok_and(|response| response.status().is_redirection())
}

/// What is needed to send a call's request again.
pub(crate) struct Kept {
    request: Request,
    /// When the call began and how long it may take.
    deadline: Option<(Instant, Duration)>,
}

impl Kept {
    pub(super) fn method(&self) -> &Method {
        self.request.method()
    }

    /// Takes the trace off, whoever put it there.
    fn remove_trace_headers(&mut self, settings: &Settings) {
        let headers = self.request.headers_mut();
        remove_trace_headers(headers);
        for name in &settings.fixed_trace_headers {
            // As with credentials below.
            if !headers.contains_key(name) {
                headers.insert(name.clone(), HeaderValue::from_static(""));
            }
        }
    }

    /// Does to the kept request what the redirects on the way do to every request.
    fn rewrite(&mut self, departure: &Departure, settings: &Settings) {
        *self.request.method_mut() = departure.method.clone();
        if departure.payload_dropped {
            *self.request.body_mut() = None;
            remove_all(self.request.headers_mut(), &PAYLOAD);
        }
        let hops = departure.previous.iter().zip(departure.previous.iter().skip(1).chain([&departure.to]));
        if hops.into_iter().any(|(from, to)| is_cross_host(from, to)) {
            remove_all(self.request.headers_mut(), &CREDENTIALS);
            for name in &settings.fixed_credentials {
                // reqwest fills a default header in wherever there is none: only an empty one keeps it out.
                self.request.headers_mut().insert(name.clone(), HeaderValue::from_static(""));
            }
        }
    }

    fn request_for(&self, departure: &Departure, settings: &Settings) -> Request {
        let mut request = copy(&self.request);
        *request.url_mut() = departure.to.clone();
        if let Some((began, timeout)) = self.deadline {
            *request.timeout_mut() = Some(timeout.saturating_sub(began.elapsed()));
        }
        let referer = departure.previous.last().and_then(|previous| referer(previous, &departure.to));
        if let (true, Some(referer)) = (settings.referer, referer) {
            request.headers_mut().insert(REFERER, referer);
        }
        request
    }

    /// Errors of the connection name the URL that the caller asked for, whichever hop they happened on.
    fn own(&self, error: reqwest::Error, to: &Url) -> reqwest::Error {
        if error.is_request() && error.url() == Some(to) {
            return error.with_url(self.request.url().clone());
        }
        error
    }
}

/// `request` again, without its body where that is a stream.
///
/// reqwest asks about a hop only when it could send the body again, so a stream is not missed.
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

/// The `referer` that reqwest sends: without userinfo, and none from https to http.
fn referer(previous: &Url, next: &Url) -> Option<HeaderValue> {
    if next.scheme() == "http" && previous.scheme() == "https" {
        return None;
    }
    let mut referer = previous.clone();
    let _ = referer.set_username("");
    let _ = referer.set_password(None);
    referer.as_str().parse().ok()
}
