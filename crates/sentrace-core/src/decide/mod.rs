//! Whether something is recorded: samplers and rates, rules for ignored spans, and explanations.
pub(crate) mod explain;
pub(crate) mod ignore;
pub(crate) mod rate_warnings;
pub(crate) mod recording;
pub(crate) mod sampling;
pub(crate) mod transaction_options;
