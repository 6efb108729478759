//! What requests say, as whoever reads them must agree about it.

pub mod forwarded;
pub mod http_method;
pub mod url;
