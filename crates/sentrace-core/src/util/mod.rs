//! Building blocks: the clock, randomness, thread-locals, counters, hooks. Nothing in here knows of
//! traces.
pub(crate) mod clock;
pub(crate) mod fork;
pub(crate) mod hook;
pub(crate) mod inside;
pub(crate) mod pattern;
pub(crate) mod random;
pub(crate) mod sharded;
pub(crate) mod text;
pub(crate) mod thread_id;
pub(crate) mod thread_local;
