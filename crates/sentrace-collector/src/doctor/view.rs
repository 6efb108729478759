//! A trace as seen by the checks.

use sentrace_protocol::SpanId;
use serde_json::{Map, Value};

use crate::ingest::quoted;
use crate::model::{Node, Remark, RemarkKind, Service, Span, Trace, Transaction};

/// A trace with data that several checks need.
pub(super) struct View<'a> {
    pub(super) trace: &'a Trace,
    /// The service of each transaction.
    services: Vec<Option<usize>>,
}

impl<'a> View<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let mut services = vec![None; trace.transactions.len()];
        for node in &trace.tree {
            if let Some(service) = services.get_mut(node.transaction) {
                *service = Some(node.service);
            }
        }
        Self { trace, services }
    }

    pub(super) fn transactions(&self) -> impl Iterator<Item = (usize, &'a Transaction)> + use<'a> {
        self.trace.transactions.iter().map(|transaction| &**transaction).enumerate()
    }

    /// Returns every span, including transactions, in the order of the tree, with its transaction.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&'a Node, &'a Transaction)> + use<'a> {
        let trace = self.trace;
        // Every node has a transaction, so none is skipped.
        trace.tree.iter().filter_map(|node| Some((node, trace.transaction_of(node)?)))
    }

    pub(super) fn child(&self, node: &Node) -> Option<&'a Span> {
        self.trace.span_of(node)
    }

    pub(super) fn data(&self, node: &Node) -> Option<&'a Map<String, Value>> {
        match self.child(node) {
            Some(span) => Some(&span.data),
            None => self.trace.transaction_of(node).map(|transaction| &transaction.data),
        }
    }

    /// Returns the name of a service, quoted and truncated.
    pub(super) fn name_of(&self, service: usize) -> String {
        self.trace.summary.services.get(service).map_or_else(|| "a service".to_owned(), named)
    }

    pub(super) fn service(&self, transaction: usize) -> String {
        let service = self.services.get(transaction).copied().flatten();
        service.map_or_else(|| "a service".to_owned(), |service| self.name_of(service))
    }

    pub(super) fn remark(
        &self,
        kind: RemarkKind,
        span_id: SpanId,
        what: String,
        detail: impl Into<String>,
    ) -> Remark {
        let (trace_id, detail) = (self.trace.summary.id, detail.into());
        Remark { kind, what, detail, trace_id, span_id: Some(span_id), other_trace_id: None }
    }
}

fn named(service: &Service) -> String {
    quoted(&service.name)
}
