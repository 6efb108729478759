//! What a gRPC call says about itself in HTTP: its name, and how it went.
//!
//! gRPC over HTTP/2 answers 200 whatever happens, and tells the outcome in `grpc-status`: in the trailers, or in the head
//! where there is no message.

mod call;
mod method;
mod status;

pub(crate) use self::call::{OP, ORIGIN, PossibleCall};
pub(crate) use self::method::{RpcMethod, is_answer};
pub(crate) use self::status::GrpcStatus;
