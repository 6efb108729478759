//! What sentrace costs, measured beside its peers.
//!
//! A [`Variant`](variant::Variant) is one way to serve (or to make) a request: bare, behind a layer that does nothing,
//! behind ours, behind a peer's. All of them serve the same [`request`]. Before anything is measured, each has to show
//! that it records what it claims to, and after each batch that it recorded for every request.
//!
//! - `cargo run --release --bin report` measures everything and writes `docs/performance.md` with its charts.
//! - `cargo run --release --bin delivery` shows what becomes of what was recorded; the report runs it, too.
//! - `cargo run --release --no-default-features --bin gate` compares instructions and allocations of our own variants
//!   with the committed ones; the peers are not built for it.
//! - `cargo bench --bench instructions` is gungraun's view of the instructions, `--bench variants` criterion's of the time.
//! - `cargo run --release --bin measure` is the process in which one variant runs; the others start it.

pub mod allocations;
pub mod arguments;
pub mod chart;
pub mod delivery;
pub mod growth;
pub mod instructions;
pub mod interval;
pub mod load;
pub mod measured;
pub mod outgoing;
pub mod payload;
pub mod process;
pub mod request;
pub mod samples;
pub mod serve;
pub mod server;
pub mod sink;
pub mod time;
pub mod tools;
pub mod variant;
pub mod variants;
