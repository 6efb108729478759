//! The layer's settings.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use sentrace_core::Client;
use sentrace_core::adapter::run_hook;

use super::head::CallHead;

type Predicate = Arc<dyn Fn(&CallHead<'_>) -> bool + Send + Sync>;
type Namer = Arc<dyn Fn(&CallHead<'_>) -> Option<String> + Send + Sync>;

#[derive(Clone, Default)]
pub(super) struct Config {
    pub(super) client: Option<Client>,
    pub(super) endpoint: Option<Uri>,
    pub(super) filter: Option<Predicate>,
    pub(super) propagate: Option<Predicate>,
    pub(super) namer: Option<Namer>,
}

impl Config {
    /// Returns `true` if the call becomes a span, also if the filter panics.
    pub(super) fn records(&self, head: &CallHead<'_>) -> bool {
        self.filter.as_ref().is_none_or(|filter| run_hook(|| filter(head)).unwrap_or(true))
    }

    /// Returns `true` if the hook lets the call carry the trace. If it panics, the call carries none.
    pub(super) fn propagates(&self, head: &CallHead<'_>) -> bool {
        self.propagate.as_ref().is_none_or(|propagate| run_hook(|| propagate(head)).unwrap_or(false))
    }

    pub(super) fn name_of(&self, head: &CallHead<'_>) -> Option<String> {
        let namer = self.namer.as_ref()?;
        run_hook(|| namer(head))?
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("client", &self.client)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}
