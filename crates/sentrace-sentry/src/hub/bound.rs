//! The Hub of a request.

use std::sync::Arc;

use sentrace_core::adapter::{Around, run_hook};
use sentry_core::{Hub, HubSwitchGuard};

use super::config::Config;
use super::thread::{has_hub, still_has_hub};

/// The Hub of a request, if it has one. It is current in the service's code.
#[derive(Debug, Default)]
pub(super) struct BoundHub(Option<Arc<Hub>>);

impl BoundHub {
    /// Creates a Hub from the one around it. There is none without a client.
    pub(super) fn new(config: &Config) -> Self {
        let around = match &config.hub {
            // A panic of this hook must not fail the request.
            Some(hub) => run_hook(|| hub()),
            None => has_hub().then(Hub::current),
        };
        let has_client = |hub: &Arc<Hub>| hub.client().is_some();
        let of_process = || config.hub.is_none().then(Hub::main).filter(has_client);
        let with_client = around.filter(has_client).or_else(of_process);
        Self(with_client.map(|hub| Arc::new(Hub::new_from_top(hub))))
    }

    pub(super) fn get(&self) -> Option<&Hub> {
        self.0.as_deref()
    }

    pub(super) fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        let _current = self.switch(has_hub);
        run()
    }

    fn switch(&self, possible: impl FnOnce() -> bool) -> Option<HubSwitchGuard> {
        self.0.as_ref().filter(|_| possible()).map(|hub| HubSwitchGuard::new(Arc::clone(hub)))
    }
}

impl Around for BoundHub {
    fn around<R>(&mut self, run: impl FnOnce() -> R) -> R {
        self.enter(run)
    }

    fn around_drop(&mut self, run: impl FnOnce()) {
        let _current = self.switch(still_has_hub);
        run();
    }
}
