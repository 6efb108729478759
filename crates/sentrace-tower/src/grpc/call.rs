//! A request that may be a gRPC call, until its response shows whether it is.

use http::HeaderMap;
use sentrace_core::SpanRef;
use sentrace_protocol::TransactionSource;

use super::{GrpcStatus, RpcMethod, is_response};

/// What is needed of such a request when its response is there.
#[derive(Debug)]
pub(crate) struct PossibleCall {
    path: Box<str>,
    /// Whether the transaction was started as one of gRPC.
    begun_as_grpc: bool,
}

impl PossibleCall {
    pub(crate) fn new(method: &RpcMethod<'_>, begun_as_grpc: bool) -> Self {
        Self { path: method.name().into(), begun_as_grpc }
    }

    /// Names the transaction. Returns `true` if the response is one of gRPC.
    ///
    /// Only a response without an error so far shows that the method exists: routers and interceptors also respond for
    /// methods that are not implemented, and then the client has chosen the name.
    pub(crate) fn record_response(self, transaction: &SpanRef, response: &HeaderMap) -> bool {
        let is_grpc = is_response(response);
        if is_grpc {
            if !self.begun_as_grpc {
                transaction.set_op(OP);
                transaction.set_origin(ORIGIN);
            }
            let exists = GrpcStatus::read(response).is_none_or(GrpcStatus::is_ok);
            let source = if exists { TransactionSource::Route } else { TransactionSource::Url };
            transaction.set_rpc_name(&self.path, source);
            if let Some(method) = RpcMethod::in_path(&self.path) {
                method.record(transaction);
            }
        } else if self.begun_as_grpc {
            transaction.set_op("http.server");
            transaction.set_origin("auto.http.tower");
            transaction.set_path_name();
        }
        is_grpc
    }
}

pub(crate) const OP: &str = "grpc.server";
pub(crate) const ORIGIN: &str = "auto.grpc.tower";
