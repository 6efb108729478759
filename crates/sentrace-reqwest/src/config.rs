//! The settings of a middleware.

use std::sync::Arc;

use http::Extensions;
use reqwest::Request;
use sentrace_core::Client;
use sentrace_core::adapter::run_hook;

type Predicate = Arc<dyn Fn(&Request, &Extensions) -> bool + Send + Sync>;
type Namer = Arc<dyn Fn(&Request, &Extensions) -> Option<String> + Send + Sync>;

/// The settings of a middleware. A hook that panics is treated as if it were not set, unless its doc says otherwise.
#[derive(Clone, Default)]
pub(crate) struct Config {
    pub(crate) client: Option<Client>,
    pub(crate) filter: Option<Predicate>,
    pub(crate) propagate: Option<Predicate>,
    pub(crate) namer: Option<Namer>,
}

impl Config {
    /// Returns `true` if the call becomes a span.
    pub(crate) fn records(&self, request: &Request, extensions: &Extensions) -> bool {
        self.filter.as_ref().is_none_or(|filter| run_hook(|| filter(request, extensions)).unwrap_or(true))
    }

    /// Returns `true` if the hook lets the call carry the trace. If it panics, the call carries none.
    pub(crate) fn propagates(&self, request: &Request, extensions: &Extensions) -> bool {
        self.propagate
            .as_ref()
            .is_none_or(|propagate| run_hook(|| propagate(request, extensions)).unwrap_or(false))
    }

    pub(crate) fn name_of(&self, request: &Request, extensions: &Extensions) -> Option<String> {
        let namer = self.namer.as_ref()?;
        run_hook(|| namer(request, extensions))?
    }
}
