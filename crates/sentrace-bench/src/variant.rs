//! What is measured: one way to do something, and a table of such ways.

use std::fmt;

use crate::request::Baggage;

/// Something that can be done over and over.
pub trait Subject {
    /// Before each batch, unmeasured.
    fn prepare(&mut self) {}

    /// Does it `calls` times. This is what is measured.
    fn run(&mut self, calls: u32);

    /// After each batch, unmeasured.
    fn conclude(&mut self) {}

    /// How many transactions and spans have left it so far, by whatever way the variant names. It may take a moment
    /// until the last ones are counted.
    fn yielded(&self) -> u64 {
        0
    }

    /// The router, where it is one, to be put behind a socket.
    fn router(&self) -> Option<axum::Router> {
        None
    }

    /// Shows that what leaves it is complete.
    ///
    /// # Panics
    /// Where something is missing.
    fn check(&mut self) {}
}

/// What a variant is about; decides what its cost is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A router, called with a request.
    Server,
    /// A request through reqwest-middleware, with a stub at the end.
    Outgoing,
    /// Trace headers, read and written.
    Headers,
}

impl Family {
    /// The variant that does the same without tracing, behind what does nothing.
    pub const fn base(self) -> Option<&'static str> {
        match self {
            Self::Server => Some("noop-layer"),
            Self::Outgoing => Some("outgoing-noop"),
            Self::Headers => None,
        }
    }
}

/// One way to do what its family does.
#[derive(Clone, Copy)]
pub struct Variant {
    /// Its name on the command line and in the gate's file.
    pub name: &'static str,
    /// What it is about.
    pub family: Family,
    /// How many calls are measured at once. What is handed to another thread must be taken back by it between two
    /// batches, so that records are recycled as they are in a service that is not flooded.
    pub batch: u32,
    /// Transactions and spans that a call yields.
    pub yields: u64,
    /// Sets it up. A process has one: subscribers, hubs and providers are global.
    pub build: fn(Baggage) -> Box<dyn Subject>,
}

impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("name", &self.name)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

/// Calls in a batch: fewer than the records that sentrace's pool keeps.
pub const BATCH: u32 = 200;

impl Variant {
    /// A server.
    pub const fn server(name: &'static str, yields: u64, build: fn(Baggage) -> Box<dyn Subject>) -> Self {
        Self { name, family: Family::Server, batch: BATCH, yields, build }
    }

    /// A client. Ten calls belong to one transaction, as in a service that makes some for each request.
    pub const fn outgoing(name: &'static str, yields: u64, build: fn(Baggage) -> Box<dyn Subject>) -> Self {
        Self { name, family: Family::Outgoing, batch: 10, yields, build }
    }

    /// Reading or writing headers.
    pub const fn headers(name: &'static str, build: fn(Baggage) -> Box<dyn Subject>) -> Self {
        Self { name, family: Family::Headers, batch: BATCH, yields: 0, build }
    }
}
