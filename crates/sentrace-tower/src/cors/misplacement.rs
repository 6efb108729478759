//! Detects, as far as requests and responses show it, that the layer is in the wrong place.

use std::error::Error;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HOST,
    HeaderName, ORIGIN, UPGRADE, VARY,
};
use http::uri::Authority;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use sentrace_core::adapter::catch_panic;
use sentrace_core::diagnostics;

/// Indicates that a [`SentryCorsLayer`](super::SentryCorsLayer) is not outside a CORS layer.
///
/// This is inferred from traffic. In the wrong order, the CORS layer responds to preflights before they reach this layer, so only
/// requests without a preflight show it; a service without a CORS layer looks the same. Responses that other layers may have
/// created (errors, redirects) are ignored, and so are requests with `sentry-trace`, which has been allowed then.
///
/// A CORS layer may serve some of the routes only. So nothing is inferred once a response has shown such a layer, nor from a
/// single preflight or one that asks for no trace header, as scanners send them.
///
/// [`Display`](fmt::Display) describes what to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misplacement {
    /// A cross-origin request succeeded without `Access-Control-Allow-Origin` in the inner response, and no preflight has arrived:
    /// the CORS layer is outside, or there is none.
    NoPreflightSeen,
    /// Preflights for one path asked for trace headers and got this status without a CORS decision: there is no CORS layer
    /// inside.
    PreflightUndecided(StatusCode),
}

impl fmt::Display for Misplacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPreflightSeen => f.write_str(
                "SentryCorsLayer: a cross-origin request was answered without Access-Control-Allow-Origin and no \
                 preflight has arrived, so the CORS layer sits outside of SentryCorsLayer, or there is none. ",
            )?,
            Self::PreflightUndecided(status) => write!(
                f,
                "SentryCorsLayer: CORS preflights for trace headers were answered with status {} and no CORS decision, so \
                 there is no CORS layer inside of SentryCorsLayer. ",
                status.as_u16()
            )?,
        }
        f.write_str(
            "Browsers fail calls that carry sentry-trace or baggage. Put SentryCorsLayer outside the CORS layer: \
             after it with axum's Router::layer, before it in a ServiceBuilder. Or list sentry_headers() in the \
             CORS layer and remove SentryCorsLayer.",
        )
    }
}

impl Error for Misplacement {}

type Hook = dyn Fn(&Misplacement) + Send + Sync;

/// What a layer has seen; shared by its services, since axum creates one per route.
pub(super) struct Watch {
    preflight_seen: AtomicBool,
    /// Whether a response has shown a CORS layer.
    decision_seen: AtomicBool,
    /// A hash of the path of the last preflight without a decision.
    undecided_path: AtomicU64,
    warned: AtomicBool,
    hook: Box<Hook>,
}

impl Watch {
    pub(super) fn new(hook: impl Fn(&Misplacement) + Send + Sync + 'static) -> Self {
        Self {
            preflight_seen: AtomicBool::new(false),
            decision_seen: AtomicBool::new(false),
            undecided_path: AtomicU64::new(0),
            warned: AtomicBool::new(false),
            hook: Box::new(hook),
        }
    }

    pub(super) fn preflight_arrived(&self) {
        self.preflight_seen.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if requests other than preflights can still show something.
    pub(super) fn watches_requests(&self) -> bool {
        ![&self.preflight_seen, &self.decision_seen, &self.warned]
            .map(|seen| seen.load(Ordering::Relaxed))
            .contains(&true)
    }

    /// Records the response to a preflight; `path` is a hash of its path if it asked for trace headers.
    pub(super) fn preflight_answered<B>(&self, path: Option<NonZeroU64>, answer: &Response<B>) {
        let status = answer.status();
        let conclusive =
            status.is_success() || matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        if self.shows_decision(answer) || !conclusive {
            return;
        }
        let Some(path) = path else { return };
        let again = self.undecided_path.swap(path.get(), Ordering::Relaxed) == path.get();
        if again && !self.decision_seen.load(Ordering::Relaxed) {
            self.report(Misplacement::PreflightUndecided(status));
        }
    }

    pub(super) fn request_answered<B>(&self, answer: &Response<B>) {
        if !self.shows_decision(answer) && self.watches_requests() && answer.status().is_success() {
            self.report(Misplacement::NoPreflightSeen);
        }
    }

    fn shows_decision<B>(&self, answer: &Response<B>) -> bool {
        let shows = has_cors_decision(answer.headers());
        if shows && !self.decision_seen.load(Ordering::Relaxed) {
            self.decision_seen.store(true, Ordering::Relaxed);
        }
        shows
    }

    fn report(&self, misplacement: Misplacement) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            catch_panic(|| (self.hook)(&misplacement));
        }
    }
}

/// The default hook.
pub(super) fn warn(misplacement: &Misplacement) {
    diagnostics::warn(format_args!("{misplacement}"));
}

/// Returns `true` for a CORS preflight (Fetch standard): `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
pub(crate) fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Returns a hash of the path of a preflight that asks for trace headers.
pub(super) fn path_asking_for_trace_headers<B>(preflight: &Request<B>) -> Option<NonZeroU64> {
    let asks = asks_for(preflight.headers(), "sentry-trace") || asks_for(preflight.headers(), "baggage");
    asks.then(|| {
        let mut hasher = DefaultHasher::new();
        preflight.uri().path().hash(&mut hasher);
        NonZeroU64::MIN.saturating_add(hasher.finish() >> 1)
    })
}

/// Returns `true` if a preflight asks to send this header, a name in lower case.
pub(crate) fn asks_for(preflight: &HeaderMap, name: &str) -> bool {
    let lists =
        preflight.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|asked| asked.trim().eq_ignore_ascii_case(name))
}

/// Returns `true` if a browser sent this across origins and will check `Access-Control-Allow-Origin`.
///
/// Browsers also add `Origin` to same-origin `POST`s, form submissions and WebSocket handshakes, which need no permission.
pub(super) fn is_cross_origin<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let Some(origin) = text(headers, ORIGIN) else {
        return false;
    };
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    if request.method() == Method::OPTIONS
        || headers.contains_key(UPGRADE)
        || headers.contains_key(HeaderName::from_static("sentry-trace"))
        || text(headers, HeaderName::from_static("sec-fetch-mode")).is_some_and(|mode| mode != "cors")
    {
        return false;
    }
    if let Some(site) = text(headers, HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "cross-site" | "same-site");
    }
    let host = request.uri().authority().map(Authority::as_str).or_else(|| text(headers, HOST));
    host.is_some_and(|host| !host.eq_ignore_ascii_case(authority))
}

/// Returns `true` if a CORS layer has allowed or refused the origin: refusals have `Vary: Origin`.
fn has_cors_decision(answer: &HeaderMap) -> bool {
    answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
        || answer.get_all(VARY).iter().filter_map(|value| value.to_str().ok()).any(|names| {
            names.split(',').map(str::trim).any(|name| name == "*" || name.eq_ignore_ascii_case("origin"))
        })
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn request(method: Method, uri: &str, headers: Headers<'_>) -> Request<()> {
        let builder = Request::builder().method(method).uri(uri);
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
    }

    fn answer(status: StatusCode, headers: Headers<'_>) -> Response<()> {
        let builder = Response::builder().status(status);
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
    }

    fn told(act: impl FnOnce(&Watch)) -> Option<Misplacement> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let watch = Watch::new(move |misplacement| sender.send(*misplacement).unwrap());
        act(&watch);
        receiver.try_recv().ok()
    }

    #[test]
    fn a_cross_origin_request_is_told_from_the_others_that_carry_an_origin() {
        let shop = ("origin", "https://shop.example");
        let host = ("host", "api.example");
        let rows: &[(Headers<'_>, bool, &str)] = &[
            (&[host, shop], true, "another host"),
            (&[host], false, "no origin"),
            (&[shop], false, "an unknown host concludes nothing"),
            (&[("host", "SHOP.example"), shop], false, "the same host, as in a same-origin POST"),
            (&[("host", "shop.example:8443"), shop], true, "another port"),
            (&[host, ("origin", "null")], false, "an opaque origin hides where it comes from"),
            (&[host, shop, ("sec-fetch-site", "same-origin")], false, "the browser knows behind a proxy"),
            (&[host, shop, ("sec-fetch-site", "same-site")], true, "the same site is another origin"),
            (&[host, shop, ("sec-fetch-mode", "navigate")], false, "a form needs no CORS"),
            (&[host, shop, ("sec-fetch-mode", "cors")], true, "a fetch does"),
            (&[host, shop, ("upgrade", "websocket")], false, "a WebSocket needs no CORS"),
            (&[host, shop, ("sentry-trace", "x")], false, "somebody has allowed the header"),
        ];
        for (headers, expected, reason) in rows {
            assert_eq!(is_cross_origin(&request(Method::GET, "/", headers)), *expected, "{reason}");
        }
        let http2 = request(Method::GET, "https://shop.example/", &[shop]);
        assert!(!is_cross_origin(&http2), "HTTP/2 has the host in the URI");
    }

    #[test]
    fn a_preflight_is_options_with_an_origin_and_a_requested_method() {
        let origin = ("origin", "https://shop.example");
        let method = ("access-control-request-method", "POST");
        let rows: &[(Method, Headers<'_>, bool, &str)] = &[
            (Method::OPTIONS, &[origin, method], true, "all three"),
            (Method::OPTIONS, &[origin], false, "plain OPTIONS across origins"),
            (Method::OPTIONS, &[method], false, "no browser omits the origin"),
            (Method::POST, &[origin, method], false, "the request itself"),
        ];
        for (verb, headers, expected, reason) in rows {
            assert_eq!(is_preflight(&request(verb.clone(), "/", headers)), *expected, "{reason}");
        }
    }

    #[test]
    fn answers_conclude_only_what_they_show() {
        let granted: Headers<'_> = &[("access-control-allow-origin", "*")];
        let refused: Headers<'_> = &[("vary", "accept-encoding, Origin")];
        let rows: &[(StatusCode, Headers<'_>, bool, bool, &str)] = &[
            (StatusCode::OK, &[], true, true, "nobody inside decided"),
            (StatusCode::OK, granted, false, false, "granted inside"),
            (StatusCode::OK, refused, false, false, "refused inside"),
            (StatusCode::METHOD_NOT_ALLOWED, &[], true, false, "the router knows no OPTIONS"),
            (StatusCode::NOT_FOUND, &[], true, false, "the router knows no such path"),
            (StatusCode::UNAUTHORIZED, &[], false, false, "a layer in between may have answered"),
            (StatusCode::SERVICE_UNAVAILABLE, &[], false, false, "a failure shows nothing"),
        ];
        for (status, headers, by_preflight, by_request, reason) in rows {
            let path = NonZeroU64::new(7);
            let answered = || answer(*status, headers);
            assert_eq!(told(|watch| watch.preflight_answered(path, &answered())), None, "once: {reason}");
            let preflight = told(|watch| {
                watch.preflight_answered(path, &answered());
                watch.preflight_answered(path, &answered());
            });
            let expected = by_preflight.then_some(Misplacement::PreflightUndecided(*status));
            assert_eq!(preflight, expected, "preflight: {reason}");
            let plain = told(|watch| watch.request_answered(&answer(*status, headers)));
            assert_eq!(plain, by_request.then_some(Misplacement::NoPreflightSeen), "request: {reason}");
        }
    }

    #[test]
    fn stray_preflights_conclude_nothing() {
        let refused = || answer(StatusCode::NOT_FOUND, &[]);
        let granted = || answer(StatusCode::OK, &[("access-control-allow-origin", "*")]);
        let [first, second] = [1, 2].map(NonZeroU64::new);
        type Row<'a> = (&'a [(Option<NonZeroU64>, Response<()>)], bool, &'a str);
        let rows: [Row<'_>; 6] = [
            (&[(first, refused())], false, "one alone"),
            (&[(first, refused()), (second, refused()), (first, refused())], false, "of several paths"),
            (&[(None, refused()), (None, refused())], false, "for no trace header"),
            (&[(second, granted()), (first, refused()), (first, refused())], false, "there is a CORS layer"),
            (
                &[(first, refused()), (second, granted()), (first, refused())],
                false,
                "there is one further in",
            ),
            (&[(first, refused()), (None, refused()), (first, refused())], true, "a page that tries again"),
        ];
        for (preflights, concludes, reason) in rows {
            let told = told(|watch| {
                for (path, answer) in preflights {
                    watch.preflight_answered(*path, answer);
                }
            });
            assert_eq!(told.is_some(), concludes, "{reason}");
        }
    }

    #[test]
    fn requests_are_not_watched_once_a_preflight_has_arrived() {
        let told = told(|watch| {
            watch.preflight_arrived();
            assert!(!watch.watches_requests());
            watch.request_answered(&answer(StatusCode::OK, &[]));
        });
        assert_eq!(told, None);
    }

    #[test]
    fn the_message_names_the_status_and_both_orders() {
        let message = Misplacement::PreflightUndecided(StatusCode::METHOD_NOT_ALLOWED).to_string();
        for part in ["status 405 ", "after it with axum's Router::layer", "before it in a ServiceBuilder"] {
            assert!(message.contains(part), "{part} is missing in: {message}");
        }
        assert!(Misplacement::NoPreflightSeen.to_string().contains("no preflight has arrived"));
    }
}
