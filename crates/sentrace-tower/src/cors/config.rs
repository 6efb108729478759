//! The layer's settings.

use std::sync::Arc;

use super::misplacement::Watch;

#[derive(Clone)]
pub(super) struct Config {
    pub(super) traceparent: Option<bool>,
    pub(super) watch: Arc<Watch>,
}
