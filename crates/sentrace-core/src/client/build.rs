//! Builds a client from options.

use std::sync::Arc;

use super::Client;
use crate::account::losses::Losses;
use crate::decide::rate_warnings::RateWarnings;
use crate::decide::sampling::Sampling;
use crate::diagnostics::{DebugClient, DebugScope};
use crate::options::lifecycle::TraceLifecycle;
use crate::options::{DEFAULT_ENVIRONMENT, Options, OptionsError, identity, warn_of_contradictions};
use crate::propagation::continuation_rules::ContinuationRules;
use crate::propagation::outgoing::PropagationTargets;
use crate::propagation::recent::RecentHeaders;
use crate::record::identity::Identity;
use crate::trace::counters::Counters;
use crate::trace::deliver::{Deliver, NoopDeliver};
use crate::trace::incoming::IncomingTrace;
use crate::trace::pipeline::Pipeline;
use crate::util::clock::FastInstant;

/// Child spans per transaction (Sentry SDK specification, *maxSpans*); further ones are counted as
/// lost.
const MAX_SPANS: usize = 1000;

impl Client {
    /// Creates a client that hands finished transactions to `deliver`, which counts what it loses
    /// in `losses`.
    ///
    /// # Errors
    /// Returns an [`OptionsError`] for the first invalid option.
    pub fn new(
        options: Options,
        deliver: Arc<dyn Deliver>,
        losses: Arc<Losses>,
    ) -> Result<Self, OptionsError> {
        let options = options.validated()?;
        let debug_client = options.debug.then(|| DebugClient::new(current_debug_mode));
        let _on_behalf = DebugScope::of(options.debug);
        // The first reading sets up the clock, which should not delay a request.
        FastInstant::now();
        let dsn = options.dsn.as_ref();
        let own = dsn.map(|dsn| (dsn.host(), dsn.port_or_default()));
        let identity = Identity {
            public_key: dsn.map(|dsn| dsn.public_key().to_owned()),
            org_id: identity::org_id(options.org_id.as_deref())
                .or_else(|| dsn.and_then(|dsn| dsn.org_id()).map(str::to_owned)),
            release: identity::release(options.release.as_deref()),
            environment: identity::environment(Some(&options.environment))
                .unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned()),
            server_name: identity::server_name(options.server_name.as_deref()),
        };
        let delivers_spans = deliver.spans().is_some();
        let takes_spans = delivers_spans || options.sampling.no_project;
        warn_of_contradictions(&options, identity.org_id.as_deref(), takes_spans);
        let outgoing = PropagationTargets::new(options.tracing_origins, own);
        let continuation = ContinuationRules {
            org_id: identity.org_id.clone(),
            strict: options.strict_trace_continuation,
            reads_traceparent: options.continue_traceparent,
            propagates_traceparent: options.propagate_traceparent,
            debug: options.debug,
        };
        let streams = options.lifecycle.lifecycle == TraceLifecycle::Stream && delivers_spans;
        let plain = !streams && options.lifecycle.ignore.is_empty();
        let process_trace = IncomingTrace::read(&continuation, options.environment_carrier.as_slice());
        Ok(Self(Arc::new(Pipeline {
            deliver,
            losses,
            identity: identity.interned(),
            outgoing,
            sampling: options.sampling,
            process_trace: process_trace.into_process_trace(),
            continuation,
            debug: options.debug,
            _debug_client: debug_client,
            propagate_traceparent: options.propagate_traceparent,
            streams,
            ignore: options.lifecycle.ignore,
            max_spans: MAX_SPANS,
            fast_path_spans: if plain { MAX_SPANS } else { 0 },
            idle_timeouts: options.idle,
            counters: Counters::default(),
            recent: RecentHeaders::default(),
            rate_warnings: RateWarnings::default(),
            content: options.scope.content,
            scope: options.scope.into_scope(),
        })))
    }

    /// Creates a client without a project: traces are propagated, nothing is recorded or sent.
    ///
    /// # Errors
    /// Returns an [`OptionsError`] for the first invalid option.
    pub fn without_delivery(mut options: Options) -> Result<Self, OptionsError> {
        options.sampling = Sampling { no_project: true, ..Sampling::default() };
        Self::new(options, Arc::new(NoopDeliver), Arc::new(Losses::default()))
    }

    /// Creates a client that records everything, regardless of rates and samplers. This is for
    /// Spotlight without a project (Sentry SDK specification, *Spotlight*).
    ///
    /// # Errors
    /// Returns an [`OptionsError`] for the first invalid option.
    pub fn recording_everything(
        mut options: Options,
        deliver: Arc<dyn Deliver>,
        losses: Arc<Losses>,
    ) -> Result<Self, OptionsError> {
        options.sampling.everything = true;
        Self::new(options, deliver, losses)
    }
}

fn current_debug_mode() -> Option<bool> {
    Client::try_with_current(|client| client.pipeline().debug)
}
