//! One call, from its request to its end.

use std::borrow::Cow;

use http::uri::Authority;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use sentrace_core::SpanRef;
use sentrace_core::adapter::{CallSpan, InstrumentedSpan, OutgoingCall, OutgoingRequest};
use sentrace_protocol::url::host_header;

use super::config::Config;
use super::head::CallHead;
use crate::grpc::{GrpcStatus, RpcMethod};

/// The span of a call.
#[derive(Debug)]
pub(super) struct Call {
    span: CallSpan,
    grpc: bool,
}

impl Call {
    /// Starts the span and injects the trace into the request. Returns `None` if the call is not traced.
    pub(super) fn begin<B>(config: &Config, request: &mut Request<B>) -> Option<Self> {
        let head = CallHead::of(request);
        let destination = Destination::of(head.uri(), config.endpoint.as_ref(), head.headers());
        let Some(mut call) = OutgoingCall::to(&destination.url(), config.client.as_ref()) else {
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
                Some(rpc) => grpc_span(call.parent(), name.as_deref(), rpc, &destination),
                None => CallSpan::http(
                    call.parent(),
                    ORIGIN,
                    name.as_deref(),
                    &destination.request(head.method().as_str()),
                ),
            }
        } else {
            CallSpan::none()
        };
        let grpc = rpc.is_some();
        call.inject(&span, request.headers_mut());
        Some(Self { span, grpc })
    }

    /// Records the head of the response. Returns the call if it continues with the body.
    pub(super) fn record_response<B>(self, response: &Response<B>) -> Option<Self> {
        let status = response.status();
        if !self.grpc || status != StatusCode::OK {
            self.span.finish_with_status_code(status.as_u16());
            return None;
        }
        self.span.set_data("http.response.status_code", status.as_u16());
        match GrpcStatus::read(response.headers()) {
            Some(status) => {
                self.finish(status);
                None
            }
            None => Some(self),
        }
    }

    /// Ends the span of a gRPC call with its status.
    pub(super) fn finish(self, status: GrpcStatus) {
        status.record(&self.span);
        self.span.finish_with_status(status.span_status());
    }

    /// Ends the span of a call without a response, or without a complete one.
    pub(super) fn fail<E>(self) {
        self.span.finish_with_error(std::any::type_name::<E>());
    }
}

const ORIGIN: &str = "auto.http.tower";

/// gRPC calls are described by service and method instead of the URL.
fn grpc_span(
    parent: &SpanRef,
    name: Option<&str>,
    rpc: &RpcMethod<'_>,
    destination: &Destination<'_>,
) -> CallSpan {
    let OutgoingRequest { host, port, .. } = destination.request("");
    let [system, service, method] = rpc.attributes();
    let address = ("server.address", host.into());
    let server_port = ("server.port", port.unwrap_or_default().into());
    let attributes = [system, service, method, address, server_port];
    let known = match (host, port) {
        ("", _) => 3,
        (_, None) => 4,
        (_, Some(_)) => 5,
    };
    let start = InstrumentedSpan::new("grpc.client", "auto.grpc.tower", rpc.name());
    CallSpan::new(InstrumentedSpan { name, attributes: &attributes[..known], ..start }.start(parent))
}

/// The destination of a request.
struct Destination<'a> {
    /// Unknown if only the `Host` header says where the request goes.
    scheme: &'a str,
    authority: Option<Cow<'a, Authority>>,
    uri: &'a Uri,
}

impl<'a> Destination<'a> {
    /// Reads the URI, else the layer's endpoint, else the `Host` header.
    fn of(uri: &'a Uri, endpoint: Option<&'a Uri>, headers: &HeaderMap) -> Self {
        let base = if uri.authority().is_some() { uri } else { endpoint.unwrap_or(uri) };
        let authority = match base.authority() {
            Some(authority) => Some(Cow::Borrowed(authority)),
            None => host_header(headers).and_then(|host| host.parse().ok()).map(Cow::Owned),
        };
        Self { scheme: base.scheme_str().unwrap_or_default(), authority, uri }
    }

    /// Returns the absolute URL if the host is known, or else the path.
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
