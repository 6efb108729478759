//! The layer's settings.

use std::sync::Arc;

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) name: Arc<str>,
    pub(super) response_span: bool,
}
