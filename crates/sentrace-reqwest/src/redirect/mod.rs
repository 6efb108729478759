//! Keeps trace headers from following a redirect to a host that may not have them.
//!
//! reqwest follows redirects below every middleware and takes only credentials off. So the client's policy takes
//! part: during a call that carries trace headers it stops reqwest before a hop to a foreign host
//! ([`leg`]), and the middleware sends that hop itself, without them ([`reissue`]). Every other decision,
//! and every error, stays reqwest's own.

mod leg;
mod policy;
mod reissue;
mod settings;

pub(crate) use leg::{Guarded, Leg};
pub use policy::{RedirectAction, RedirectAttempt, RedirectPolicy};
pub(crate) use reissue::{Guard, stopped};
pub(crate) use settings::{PrintedPolicy, Settings};
