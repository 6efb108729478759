//! Names and statuses of gRPC calls.
//!
//! The HTTP status of gRPC over HTTP/2 is always 200. The status of the call is in `grpc-status`: in the trailers, or in the
//! head of a response without messages.

mod call;
mod method;
mod status;

pub(crate) use self::call::{OP, ORIGIN, PossibleCall};
pub(crate) use self::method::{RpcMethod, is_response};
pub(crate) use self::status::GrpcStatus;
