//! One call, from its request to its end.

use std::borrow::Cow;

use http::uri::Authority;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use sentrace_core::SpanRef;
use sentrace_core::adapter::{CallSpan, OutgoingCall, OutgoingRequest};
use sentrace_protocol::url::host_header;

use super::config::Config;
use super::head::CallHead;
use crate::grpc::{GrpcStatus, RpcMethod};

/// The span of a call, and what ends it.
#[derive(Debug)]
pub(super) struct Call {
    span: CallSpan,
    grpc: bool,
}

impl Call {
    /// Starts the span and puts the trace on the request; `None` where the call is left alone.
    pub(super) fn begin<B>(config: &Config, request: &mut Request<B>) -> Option<Self> {
        let head = CallHead::of(request);
        let place = Place::of(head.uri(), config.endpoint.as_ref(), head.headers());
        let Some(mut call) = OutgoingCall::to(&place.url(), config.client.as_ref()) else {
            OutgoingCall::remove_propagated_headers(request.headers_mut(), config.client.as_ref());
            return None;
        };
        if !config.propagates(&head) {
            call = call.without_headers();
        }
        let rpc = RpcMethod::of(head.method(), head.headers(), head.uri().path());
        let span = if config.records(&head) {
            let name = config.name_of(&head);
            match &rpc {
                Some(rpc) => grpc_span(call.parent(), name.as_deref(), rpc, &place),
                None => CallSpan::http(
                    call.parent(),
                    ORIGIN,
                    name.as_deref(),
                    &place.request(head.method().as_str()),
                ),
            }
        } else {
            CallSpan::none()
        };
        let grpc = rpc.is_some();
        call.inject(&span, request.headers_mut());
        Some(Self { span, grpc })
    }

    /// The answer's head is there; what of the call goes on with its body.
    pub(super) fn answered<B>(self, response: &Response<B>) -> Option<Self> {
        let status = response.status();
        if !self.grpc || status != StatusCode::OK {
            self.span.finish_with_status_code(status.as_u16());
            return None;
        }
        self.span.set_data("http.response.status_code", status.as_u16());
        match GrpcStatus::read(response.headers()) {
            Some(status) => {
                self.ended(status);
                None
            }
            None => Some(self),
        }
    }

    /// The stream of a gRPC call ended with this status.
    pub(super) fn ended(self, status: GrpcStatus) {
        status.record(&self.span);
        self.span.finish_with_status(status.span_status());
    }

    /// There is no answer, or no whole one.
    pub(super) fn failed<E>(self) {
        self.span.finish_with_error(std::any::type_name::<E>());
    }
}

const ORIGIN: &str = "auto.http.tower";

/// Calls of gRPC are told by service and method, not by URL.
fn grpc_span(parent: &SpanRef, name: Option<&str>, rpc: &RpcMethod<'_>, place: &Place<'_>) -> CallSpan {
    let span = CallSpan::new(parent.start_span("grpc.client", name.unwrap_or(rpc.name())));
    if span.is_recording() {
        span.set_origin("auto.grpc.tower");
        rpc.record(&span);
        let OutgoingRequest { host, port, .. } = place.request("");
        if !host.is_empty() {
            span.set_data("server.address", host);
        }
        if let Some(port) = port {
            span.set_data("server.port", port);
        }
    }
    span
}

/// Where a request goes.
struct Place<'a> {
    /// Unknown if only the `Host` header says where the request goes.
    scheme: &'a str,
    authority: Option<Cow<'a, Authority>>,
    uri: &'a Uri,
}

impl<'a> Place<'a> {
    /// By its URI, else by the layer's endpoint, else by its `Host` header.
    fn of(uri: &'a Uri, endpoint: Option<&'a Uri>, headers: &HeaderMap) -> Self {
        let base = if uri.authority().is_some() { uri } else { endpoint.unwrap_or(uri) };
        let authority = match base.authority() {
            Some(authority) => Some(Cow::Borrowed(authority)),
            None => host_header(headers).and_then(|host| host.parse().ok()).map(Cow::Owned),
        };
        Self { scheme: base.scheme_str().unwrap_or_default(), authority, uri }
    }

    /// Absolute, as far as the host is known.
    fn url(&self) -> String {
        let Some(authority) = &self.authority else { return self.uri.path().to_owned() };
        let scheme = if self.scheme.is_empty() { "http" } else { self.scheme };
        [scheme, "://", authority.as_str(), self.uri.path()].concat()
    }

    fn request<'p>(&'p self, method: &'p str) -> OutgoingRequest<'p> {
        let authority = self.authority.as_deref();
        OutgoingRequest {
            method,
            scheme: self.scheme,
            host: authority.map_or("", Authority::host),
            port: authority.and_then(Authority::port_u16),
            path: self.uri.path(),
            query: self.uri.query(),
            has_credentials: authority.is_some_and(|authority| authority.as_str().contains('@')),
        }
    }
}
