//! A trace, assembled across services.

use std::fmt;
use std::sync::Arc;

use sentrace_protocol::{EventId, SpanId, TraceId};
use serde::{Deserialize, Serialize};

use super::{Outcome, Service, Span, Transaction};

/// One trace in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// From the earliest start to the latest end.
    pub duration_ms: f64,
    /// Who took part, in the order of the tree.
    pub services: Vec<Service>,
    /// Number of transactions.
    pub transactions: usize,
    /// Number of spans, transactions included.
    pub spans: usize,
    /// Number of roots. A whole trace has one.
    pub roots: usize,
    /// Spans whose [`Outcome`] is `Failed`.
    pub failed: usize,
    /// Spans whose parent was not received.
    pub orphans: usize,
    /// Spans whose times contradict those of their parent.
    pub skewed: usize,
    /// Number of problems over all transactions.
    pub problems: usize,
    /// How often something came again: a transaction under the same event id, streamed spans under the same ids.
    pub duplicates: u32,
    /// Transactions, or envelopes with streamed spans, that did not fit into the collector's limits.
    pub dropped: u64,
    /// When the latest transaction came, in seconds since the Unix epoch.
    pub received_at: f64,
}

impl TraceSummary {
    /// Whether everything hangs together: one root, no orphan, no contradiction, nothing dropped.
    pub fn is_whole(&self) -> bool {
        self.roots == 1 && self.orphans == 0 && self.skewed == 0 && self.dropped == 0
    }
}

/// A whole trace: all transactions of all projects and the tree they form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// What a list shows of it.
    pub summary: TraceSummary,
    /// Every transaction, in the order of arrival.
    pub transactions: Vec<Arc<Transaction>>,
    /// All spans depth first, siblings by start. A parent stands before its children.
    pub tree: Vec<Node>,
}

impl Trace {
    /// The node of a span.
    pub fn node(&self, span_id: SpanId) -> Option<&Node> {
        self.tree.iter().find(|node| node.span_id == span_id)
    }

    /// The parent of a node, as assembled.
    pub fn parent(&self, node: &Node) -> Option<&Node> {
        self.tree.get(node.parent?)
    }

    /// The transaction with this event id.
    pub fn transaction(&self, event_id: EventId) -> Option<&Transaction> {
        self.transactions.iter().map(|transaction| &**transaction).find(|it| it.event_id == Some(event_id))
    }

    /// The transaction that a node is or belongs to.
    pub fn transaction_of(&self, node: &Node) -> Option<&Transaction> {
        self.transactions.get(node.transaction).map(|transaction| &**transaction)
    }

    /// The child span that a node is; `None` for a transaction's own node.
    pub fn span_of(&self, node: &Node) -> Option<&Span> {
        self.transaction_of(node)?.spans.get(node.span?)
    }

    /// The service that a node belongs to.
    pub fn service_of(&self, node: &Node) -> Option<&Service> {
        self.summary.services.get(node.service)
    }
}

/// One span in the tree of a [`Trace`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub span_id: SpanId,
    /// The parent's id, as sent.
    pub parent_span_id: Option<SpanId>,
    /// Index of the parent in [`Trace::tree`]; `None` for a root.
    pub parent: Option<usize>,
    /// Distance to its root.
    pub depth: usize,
    /// Index in [`Trace::transactions`].
    pub transaction: usize,
    /// Index in that transaction's spans; `None` for the transaction itself.
    pub span: Option<usize>,
    /// Index in [`TraceSummary::services`].
    pub service: usize,
    /// The transaction's name or the span's description.
    pub name: String,
    /// Its operation.
    pub op: Option<String>,
    /// Its status.
    pub status: Option<String>,
    /// Start, counted from the start of the trace.
    pub offset_ms: f64,
    /// From start to end.
    pub duration_ms: f64,
    /// What is odd about its place in the tree.
    pub marks: Vec<Mark>,
}

impl Node {
    /// Whether this is a transaction rather than a child span.
    pub fn is_transaction(&self) -> bool {
        self.span.is_none()
    }

    /// What its status says.
    pub fn outcome(&self) -> Outcome {
        Outcome::of(self.status.as_deref())
    }
}

/// Something odd about a node's place in the tree. It is shown, never corrected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mark {
    /// Its parent was not received (yet, or at all).
    Orphan,
    /// Following the parents from here leads back here; the circle was cut above this node.
    Cycle,
    /// Another span of the trace has the same id.
    DuplicateId,
    /// It starts before its parent does: two clocks disagree.
    StartsBeforeParent {
        /// By how many milliseconds.
        ms: f64,
    },
    /// It ends long after the transaction that waited for it: two clocks disagree.
    EndsAfterParent {
        /// By how many milliseconds.
        ms: f64,
    },
}

impl Mark {
    /// Whether it is a sign of clocks that disagree.
    pub fn is_skew(self) -> bool {
        matches!(self, Self::StartsBeforeParent { .. } | Self::EndsAfterParent { .. })
    }
}

impl Mark {
    /// The mark in a word or two, as it stands behind a span's name.
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
