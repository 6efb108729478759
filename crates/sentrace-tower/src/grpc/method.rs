//! The method of a gRPC call.

use http::{HeaderMap, Method, header};
use sentrace_core::SpanRef;
use sentrace_protocol::Value;

/// The method of what may be a gRPC call, from its path. A client can write such a path into any request; on the server only
/// the response shows whether it was a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RpcMethod<'a> {
    /// `/pkg.Service/Method`.
    path: &'a str,
    service: &'a str,
}

impl<'a> RpcMethod<'a> {
    /// Returns `None` if the request is not a gRPC call. gRPC-Web is not: its status is inside the body.
    pub(crate) fn of(method: &Method, headers: &HeaderMap, path: &'a str) -> Option<Self> {
        if method != Method::POST || !is_grpc(headers.get(header::CONTENT_TYPE)?.as_bytes()) {
            return None;
        }
        Self::in_path(path)
    }

    /// Returns `None` if the path has another form.
    pub(crate) fn in_path(path: &'a str) -> Option<Self> {
        let (service, method) = path.strip_prefix('/')?.split_once('/')?;
        (!service.is_empty() && !method.is_empty() && !method.contains('/')).then_some(Self { path, service })
    }

    /// Returns `/pkg.Service/Method`, the name of spans and transactions.
    pub(crate) fn name(&self) -> &'a str {
        self.path
    }

    /// Service and method (OpenTelemetry's conventions for RPC, which Sentry's follow).
    pub(crate) fn attributes(&self) -> [(&'static str, Value<'a>); 3] {
        [
            ("rpc.system.name", "grpc".into()),
            ("rpc.service", self.service.into()),
            ("rpc.method", self.path.strip_prefix('/').unwrap_or(self.path).into()),
        ]
    }

    /// Records service and method.
    pub(crate) fn record(&self, span: &SpanRef) {
        for (key, value) in self.attributes() {
            span.set_data(key, value);
        }
    }
}

/// Returns `true` if a response is one of gRPC, by its content type or by a status in its head.
pub(crate) fn is_response(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| is_grpc(value.as_bytes()))
        || headers.contains_key("grpc-status")
}

/// `application/grpc`, alone or with `+proto` or parameters.
fn is_grpc(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn calls_are_recognized_by_method_content_type_and_path() {
        let rows = [
            (Method::POST, "application/grpc", "/shop.Orders/Get", Some("shop.Orders"), "a call"),
            (
                Method::POST,
                "application/grpc+proto",
                "/shop.Orders/Get",
                Some("shop.Orders"),
                "with its encoding",
            ),
            (
                Method::POST,
                "application/grpc;charset=utf-8",
                "/Echo/Say",
                Some("Echo"),
                "no package, a parameter",
            ),
            (Method::POST, "application/grpc-web", "/shop.Orders/Get", None, "gRPC-Web is another protocol"),
            (Method::POST, "application/json", "/shop.Orders/Get", None, "a path alone says nothing"),
            (Method::GET, "application/grpc", "/shop.Orders/Get", None, "gRPC posts"),
            (Method::POST, "application/grpc", "/shop.Orders", None, "no method"),
            (Method::POST, "application/grpc", "/shop.Orders/", None, "an empty method"),
            (Method::POST, "application/grpc", "//Get", None, "an empty service"),
            (Method::POST, "application/grpc", "/a/b/c", None, "three segments"),
            (Method::POST, "application/grpc", "", None, "no path"),
        ];
        for (method, content_type, path, service, reason) in rows {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            let found = RpcMethod::of(&method, &headers, path);
            assert_eq!(found.map(|found| found.service), service, "{reason}");
        }
    }
}
