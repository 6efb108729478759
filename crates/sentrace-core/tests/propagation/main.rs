//! Trace propagation clause by clause (Sentry SDK specification, *Trace Propagation* 1.9 and *Dynamic Sampling
//! Context* 1.3); `docs/spec-coverage.md` says which test shows which clause.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a step that fails is a test that fails")]

mod another_trace;
mod applied_rate;
mod carriers;
mod environment;
mod forwarding;
mod headers;
mod invariant;
mod limits;
mod organisation;
mod properties;
mod queue;
mod sample_rand;
mod sampler;
mod sampling_context;
mod support;
mod tasks;
mod traceparent;
