//! The cost of sentrace, measured together with its peers.
//!
//! A [`Variant`](variant::Variant) is a way to serve (or to make) a request: without a layer, with
//! a layer that does nothing, with sentrace's, with a peer's. All variants serve the same
//! [`request`]. Before anything is measured, each is checked to record what it claims to, and after
//! each batch to have recorded every request.
//!
//! - `cargo run --release --bin report` measures everything and writes the tables and charts of
//!   `docs/performance.md`.
//! - `cargo run --release --bin delivery` measures what is delivered, at which cost; the report
//!   runs it as well.
//! - `cargo run --release --no-default-features --bin gate` compares instructions and allocations
//!   of sentrace's variants with the committed ones. It does not build the peers.
//! - `cargo bench --bench instructions` shows gungraun's view of the instructions, `--bench
//!   variants` criterion's of the time.
//! - `cargo run --release --bin measure` runs a single variant; the other tools start it.

pub mod allocations;
pub mod arguments;
pub mod delivery;
pub mod growth;
pub mod http;
pub mod instructions;
pub mod load;
pub mod measured;
pub mod outgoing;
pub mod payload;
pub mod process;
pub mod request;
pub mod serve;
pub mod table;
pub mod timing;
pub mod tools;
pub mod variant;
pub mod variants;
