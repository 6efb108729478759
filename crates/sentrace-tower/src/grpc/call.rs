//! A request that may be a gRPC call, until its answer tells.

use http::HeaderMap;
use sentrace_core::SpanRef;
use sentrace_protocol::TransactionSource;

use super::{GrpcStatus, RpcMethod, is_answer};

/// What is kept of such a request while it is recorded.
#[derive(Debug)]
pub(crate) struct PossibleCall {
    path: Box<str>,
    /// Whether the transaction has begun as one of gRPC.
    begun_as_grpc: bool,
}

impl PossibleCall {
    pub(crate) fn new(method: &RpcMethod<'_>, begun_as_grpc: bool) -> Self {
        Self { path: method.name().into(), begun_as_grpc }
    }

    /// The answer's head is there. Returns whether it is one of gRPC.
    ///
    /// Only an answer that goes well so far shows that the method exists: routers and interceptors answer for methods that
    /// nobody implements. Until then the client has chosen the name.
    pub(crate) fn answered(self, transaction: &SpanRef, answer: &HeaderMap) -> bool {
        let is_grpc = is_answer(answer);
        if is_grpc {
            if !self.begun_as_grpc {
                transaction.set_op(OP);
                transaction.set_origin(ORIGIN);
            }
            let exists = GrpcStatus::read(answer).is_none_or(GrpcStatus::is_ok);
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
