//! Everybody who may set trace headers on a request.

use std::sync::Arc;

use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Request};
use sentrace_core::{inject_headers, trace_headers};
use sentrace_reqwest::{SentryTracingMiddleware, WithTraceHeaders as _, client};

use super::server::{Seen, World};
use super::traced::Setup;

/// A trace of the application's own.
pub(crate) const OWN: &str = "11111111111111111111111111111111-2222222222222222-0";

const OWN_HEADERS: [(&str, &str); 3] = [
    ("sentry-trace", OWN),
    ("baggage", "tenant=7,sentry-release=own"),
    ("traceparent", "00-11111111111111111111111111111111-2222222222222222-00"),
];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Setter {
    /// The middleware alone.
    Nobody,
    ByHand,
    /// `trace_headers()` of the current trace.
    TraceHeaders,
    WithTraceHeaders,
    InjectHeaders,
    /// The headers that a request to another place got in another trace.
    Kept,
    MiddlewareOutside,
    MiddlewareInside,
    OurBuilder,
    ReqwestsBuilder,
}

impl Setter {
    pub(crate) const ALL: [Self; 10] = [
        Self::Nobody,
        Self::ByHand,
        Self::TraceHeaders,
        Self::WithTraceHeaders,
        Self::InjectHeaders,
        Self::Kept,
        Self::MiddlewareOutside,
        Self::MiddlewareInside,
        Self::OurBuilder,
        Self::ReqwestsBuilder,
    ];

    /// Whether the application chose the values.
    pub(crate) fn is_the_applications(self) -> bool {
        matches!(self, Self::ByHand | Self::OurBuilder | Self::ReqwestsBuilder)
    }

    pub(crate) fn has_others_baggage(self) -> bool {
        self.is_the_applications()
    }

    /// Sends a request in a transaction; returns all that arrived anywhere.
    pub(crate) async fn send(self, world: &World, setup: Setup, url: &str) -> Vec<Seen> {
        let builder = match self {
            Self::ReqwestsBuilder => Client::builder().default_headers(own_headers()),
            _ => Client::builder(),
        };
        let setup = if self == Self::OurBuilder { setup.default_headers(own_headers()) } else { setup };
        let (http, sentrace, _) = self.build(setup, builder);
        let first = sentrace.start_transaction("first", "task");
        let kept = first.enter(|| {
            let mut headers = HeaderMap::new();
            inject_headers(&world.home.at("/"), &mut headers, None);
            headers
        });
        let transaction = sentrace.start_transaction("test", "task");
        let request = transaction.enter(|| self.request(url, &world.home.at("/"), kept));
        // What comes of the request does not matter, but where it was sent.
        let _ = transaction.scope(http.execute(request)).await;
        world.take_log()
    }

    fn build(
        self,
        setup: Setup,
        builder: ClientBuilder,
    ) -> (reqwest_middleware::ClientWithMiddleware, sentrace_core::Client, Arc<sentrace_core::testing::Capture>)
    {
        let second = SentryTracingMiddleware::new();
        match self {
            Self::MiddlewareOutside => {
                let (_, sentrace, capture) = setup.build_with(Client::builder());
                let http = client(builder).unwrap().client(sentrace.clone()).with(second).build();
                (http, sentrace, capture)
            }
            Self::MiddlewareInside => {
                let (http, sentrace, capture) = setup.build_with(builder);
                let http = reqwest_middleware::ClientBuilder::from_client(http).with(second).build();
                (http, sentrace, capture)
            }
            _ => setup.build_with(builder),
        }
    }

    fn request(self, url: &str, allowed: &str, kept: HeaderMap) -> Request {
        let mut request = Request::new(Method::GET, url.parse().unwrap());
        let headers = request.headers_mut();
        match self {
            Self::ByHand => *headers = own_headers(),
            Self::TraceHeaders => {
                for (name, value) in trace_headers().unwrap() {
                    headers.insert(HeaderName::from_static(name), value.parse().unwrap());
                }
            }
            Self::WithTraceHeaders => return request.with_trace_headers(),
            // As somebody may do who knows the first host and not where it leads.
            Self::InjectHeaders => {
                inject_headers(allowed, headers, None);
            }
            Self::Kept => *headers = kept,
            Self::Nobody
            | Self::MiddlewareOutside
            | Self::MiddlewareInside
            | Self::OurBuilder
            | Self::ReqwestsBuilder => {}
        }
        request
    }

    /// That a request carries nothing of a trace.
    #[track_caller]
    pub(crate) fn assert_bare(self, seen: &Seen) {
        for name in ["sentry-trace", "traceparent"] {
            // reqwest cannot leave out what is among the default headers of its builder.
            let bare = if self == Self::ReqwestsBuilder { Some("") } else { None };
            assert_eq!(seen.header(name), bare, "{self:?}: {seen:#?}");
        }
        for (name, value) in &seen.headers {
            assert!(name != "baggage" || !value.contains("sentry-"), "{self:?}: {seen:#?}");
        }
    }
}

fn own_headers() -> HeaderMap {
    OWN_HEADERS
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}
