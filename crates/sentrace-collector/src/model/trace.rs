//! A trace, assembled across services.

use std::fmt;
use std::sync::Arc;

use sentrace_protocol::{EventId, SpanId, TraceId};
use serde::{Deserialize, Serialize};

use super::{Outcome, Service, Span, Transaction};

/// A trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TraceSummary {
    /// The trace id.
    pub id: TraceId,
    /// The name of the first root.
    pub name: String,
    /// The op of the first root.
    pub op: Option<String>,
    /// The status of the first root.
    pub status: Option<String>,
    /// When the earliest span started, in seconds since the Unix epoch.
    pub start: f64,
    /// The time from the earliest start to the latest end.
    pub duration_ms: f64,
    /// The participating services, in the order of the tree.
    pub services: Vec<Service>,
    /// Number of transactions.
    pub transactions: usize,
    /// Number of spans, transactions included.
    pub spans: usize,
    /// Number of roots. A complete trace has one.
    pub roots: usize,
    /// Spans whose [`Outcome`] is `Failed`.
    pub failed: usize,
    /// Spans whose parent was not received.
    pub orphans: usize,
    /// Spans whose times contradict those of their parent.
    pub skewed: usize,
    /// Number of problems over all transactions.
    pub problems: usize,
    /// How often something was received again: a transaction with the same event id, or streamed
    /// spans with the same ids.
    pub duplicates: u32,
    /// Transactions, or envelopes with streamed spans, that exceeded the collector's limits.
    pub dropped: u64,
    /// When the latest transaction was received, in seconds since the Unix epoch.
    pub received_at: f64,
}

impl TraceSummary {
    /// Returns `true` if the trace is complete and consistent: one root, no orphans, no clock skew,
    /// nothing dropped.
    pub fn is_whole(&self) -> bool {
        self.roots == 1 && self.orphans == 0 && self.skewed == 0 && self.dropped == 0
    }
}

/// A trace: all transactions of all projects and the tree they form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trace {
    /// The summary.
    pub summary: TraceSummary,
    /// Every transaction, in the order of arrival.
    pub transactions: Vec<Arc<Transaction>>,
    /// All spans, depth first. Siblings are ordered by start, and a parent precedes its children.
    pub tree: Vec<Node>,
}

impl Trace {
    /// Returns the node of a span.
    pub fn node(&self, span_id: SpanId) -> Option<&Node> {
        self.tree.iter().find(|node| node.span_id == span_id)
    }

    /// Returns the parent of a node.
    pub fn parent(&self, node: &Node) -> Option<&Node> {
        self.tree.get(node.parent?)
    }

    /// Returns the transaction with this event id.
    pub fn transaction(&self, event_id: EventId) -> Option<&Transaction> {
        self.transactions.iter().map(|transaction| &**transaction).find(|it| it.event_id == Some(event_id))
    }

    /// Returns the transaction of a node: itself, or the one it belongs to.
    pub fn transaction_of(&self, node: &Node) -> Option<&Transaction> {
        self.transactions.get(node.transaction).map(|transaction| &**transaction)
    }

    /// Returns the child span of a node, or `None` if the node is a transaction.
    pub fn span_of(&self, node: &Node) -> Option<&Span> {
        self.transaction_of(node)?.spans.get(node.span?)
    }

    /// Returns the service of a node.
    pub fn service_of(&self, node: &Node) -> Option<&Service> {
        self.summary.services.get(node.service)
    }
}

/// A span in the tree of a [`Trace`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// The span id.
    pub span_id: SpanId,
    /// The parent's id, as sent.
    pub parent_span_id: Option<SpanId>,
    /// Index of the parent in [`Trace::tree`], or `None` for a root.
    pub parent: Option<usize>,
    /// Number of ancestors.
    pub depth: usize,
    /// Index in [`Trace::transactions`].
    pub transaction: usize,
    /// Index in that transaction's spans, or `None` for the transaction itself.
    pub span: Option<usize>,
    /// Index in [`TraceSummary::services`].
    pub service: usize,
    /// The transaction's name or the span's description.
    pub name: String,
    /// The operation.
    pub op: Option<String>,
    /// The status.
    pub status: Option<String>,
    /// The time from the start of the trace to the start of the span.
    pub offset_ms: f64,
    /// The time from start to end.
    pub duration_ms: f64,
    /// What is odd about its place in the tree.
    pub marks: Vec<Mark>,
}

impl Node {
    /// Returns `true` if this is a transaction rather than a child span.
    pub fn is_transaction(&self) -> bool {
        self.span.is_none()
    }

    /// Returns the outcome according to the status.
    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.status.as_deref())
    }
}

/// Something odd about a node's place in the tree. It is reported, never corrected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mark {
    /// Its parent was not received (yet, or at all).
    Orphan,
    /// The ancestors of this node include itself. The cycle was cut above this node.
    Cycle,
    /// Another span of the trace has the same id.
    DuplicateId,
    /// The node starts before its parent, so two clocks disagree.
    StartsBeforeParent {
        /// By how many milliseconds.
        ms: f64,
    },
    /// The node ends long after the transaction that waited for it, so two clocks disagree.
    EndsAfterParent {
        /// By how many milliseconds.
        ms: f64,
    },
}

impl Mark {
    /// Returns `true` if the mark is a sign of clocks that disagree.
    pub fn is_skew(self) -> bool {
        matches!(self, Self::StartsBeforeParent { .. } | Self::EndsAfterParent { .. })
    }
}

impl Mark {
    /// Returns the mark in a word or two, as shown behind a span's name.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Orphan => "orphan".into(),
            Self::Cycle => "cycle".into(),
            Self::DuplicateId => "id used twice".into(),
            Self::StartsBeforeParent { ms } => format!("clock −{}", crate::clock::duration(ms)),
            Self::EndsAfterParent { ms } => format!("clock +{}", crate::clock::duration(ms)),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphan => f.write_str("orphan: its parent was not received"),
            Self::Cycle => f.write_str("cycle: its parents lead back to it"),
            Self::DuplicateId => f.write_str("another span of this trace has the same id"),
            Self::StartsBeforeParent { ms } => {
                write!(f, "clock: starts {} before its parent", crate::clock::duration(*ms))
            }
            Self::EndsAfterParent { ms } => {
                write!(f, "clock: ends {} after its caller's transaction", crate::clock::duration(*ms))
            }
        }
    }
}
