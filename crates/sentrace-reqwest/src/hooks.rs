//! What a service wants otherwise for some of its calls.

use std::sync::Arc;

use http::Extensions;
use reqwest::Request;
use sentrace_core::run_hook;

type Predicate = Arc<dyn Fn(&Request, &Extensions) -> bool + Send + Sync>;
type Namer = Arc<dyn Fn(&Request, &Extensions) -> Option<String> + Send + Sync>;

/// The hooks of a middleware. One that panics has said nothing.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    filter: Option<Predicate>,
    propagate: Option<Predicate>,
    namer: Option<Namer>,
}

impl Hooks {
    pub(crate) fn filter(&mut self, filter: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static) {
        self.filter = Some(Arc::new(filter));
    }

    pub(crate) fn propagate_if(
        &mut self,
        propagate: impl Fn(&Request, &Extensions) -> bool + Send + Sync + 'static,
    ) {
        self.propagate = Some(Arc::new(propagate));
    }

    pub(crate) fn name(
        &mut self,
        name: impl Fn(&Request, &Extensions) -> Option<String> + Send + Sync + 'static,
    ) {
        self.namer = Some(Arc::new(name));
    }

    /// Whether the call becomes a span.
    pub(crate) fn records(&self, request: &Request, extensions: &Extensions) -> bool {
        self.filter.as_ref().is_none_or(|filter| run_hook(|| filter(request, extensions)).unwrap_or(true))
    }

    /// Whether the call may carry the trace, as far as the hook goes: what it cannot judge carries nothing.
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
