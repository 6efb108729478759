//! Variants: the ways to do something that are measured.

use std::fmt;

use crate::request::Baggage;

/// Something that can be done repeatedly.
pub trait Subject {
    /// Called before each batch, not measured.
    fn prepare(&mut self) {}

    /// Does it `calls` times. This is measured.
    fn run(&mut self, calls: u32);

    /// Called after each batch, not measured.
    fn conclude(&mut self) {}

    /// Returns how many transactions and spans it has produced so far. The last ones may be counted
    /// with a delay.
    fn yielded(&self) -> u64 {
        0
    }

    /// Returns the router, if it is one, to serve it over a socket.
    fn router(&self) -> Option<axum::Router> {
        None
    }

    /// Checks that its output is complete.
    ///
    /// # Panics
    /// Panics if something is missing.
    fn check(&mut self) {}
}

/// The kind of a variant, which determines its baseline.
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
    /// Returns the variant that does the same without tracing, with a layer that does nothing.
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
    /// The name on the command line and in the gate's file.
    pub name: &'static str,
    /// The family.
    pub family: Family,
    /// The number of calls that are measured together. Between batches, records that were passed to
    /// another thread are recycled, as in a service that is not overloaded.
    pub batch: u32,
    /// Transactions and spans that a call produces.
    pub yields: u64,
    /// Creates the subject. A process can have only one, since subscribers, hubs and providers are
    /// global.
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

/// The number of calls in a batch: fewer than the records that sentrace's pool keeps.
pub const BATCH: u32 = 200;

impl Variant {
    /// Creates a server variant.
    pub const fn server(name: &'static str, yields: u64, build: fn(Baggage) -> Box<dyn Subject>) -> Self {
        Self { name, family: Family::Server, batch: BATCH, yields, build }
    }

    /// Creates a client variant. Ten calls belong to one transaction, as in a service that makes
    /// several calls per request.
    pub const fn outgoing(name: &'static str, yields: u64, build: fn(Baggage) -> Box<dyn Subject>) -> Self {
        Self { name, family: Family::Outgoing, batch: 10, yields, build }
    }

    /// Creates a variant that reads or writes headers.
    pub const fn headers(name: &'static str, build: fn(Baggage) -> Box<dyn Subject>) -> Self {
        Self { name, family: Family::Headers, batch: BATCH, yields: 0, build }
    }
}
