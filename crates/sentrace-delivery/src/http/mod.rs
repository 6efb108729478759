//! An HTTP client for posts to one URL.

mod client;
mod config;
mod connector;
mod deadline;
mod error;
mod metered;
mod pools;
mod proxy;
mod resolver;
mod stream;
mod target;
pub(crate) mod tls;

pub(crate) use self::client::{HttpClient, Response};
pub(crate) use self::config::Config;
pub(crate) use self::error::{Error, describe_error};
pub(crate) use self::proxy::Proxy;
pub(crate) use self::target::Target;
