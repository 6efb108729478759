//! The layer's settings.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use sentry_core::Hub;

type HubSource = Arc<dyn Fn() -> Arc<Hub> + Send + Sync>;

#[derive(Clone)]
pub(super) struct Config {
    pub(super) hub: Option<HubSource>,
    pub(super) captures: bool,
    pub(super) statuses: Arc<[RangeInclusive<u16>]>,
}

impl Default for Config {
    fn default() -> Self {
        Self { hub: None, captures: false, statuses: Arc::new([500..=599]) }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("captures", &self.captures)
            .field("statuses", &self.statuses)
            .finish_non_exhaustive()
    }
}
