//! Keeps trace headers from following a redirect to a host that may not have them.
//!
//! reqwest follows redirects below every middleware and removes only credentials. So the client's policy takes
//! part: during a call that carries trace headers it stops reqwest before a hop to a foreign host
//! ([`chain`]), and the middleware sends that hop itself, without them ([`guard`]). Every other decision,
//! and every error, stays reqwest's own.

mod chain;
mod foreign_hop;
mod guard;
mod headers;
mod policy;
mod saved_request;
mod settings;

pub(crate) use self::chain::{GuardedFuture, RedirectChain};
pub(crate) use self::guard::{RedirectGuard, is_redirect};
pub use self::policy::{RedirectAction, RedirectAttempt, RedirectPolicy};
pub(crate) use self::settings::{PrintedPolicy, Settings};
