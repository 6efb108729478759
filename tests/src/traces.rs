//! Queries of a trace that the collector has assembled.

use std::ops::Deref;
use std::time::Duration;

use sentrace_collector::model::{Node, Trace, Transaction};

/// A trace, from the collector's JSON.
#[derive(Debug)]
pub struct Assembled(pub(crate) Trace);

impl Assembled {
    /// Returns the only node of this name.
    pub fn named(&self, name: &str) -> &Node {
        let mut found = self.tree.iter().filter(|node| node.name == name);
        match (found.next(), found.next()) {
            (Some(node), None) => node,
            (None, _) => panic!("no {name:?} in {:#?}", self.names()),
            (Some(_), Some(_)) => panic!("{name:?} is there more than once: {:#?}", self.names()),
        }
    }

    /// Returns the transaction of the only node of this name.
    pub fn transaction_named(&self, name: &str) -> &Transaction {
        self.transaction_of(self.named(name)).expect("every node belongs to a transaction")
    }

    /// Returns the path from a node to its root: `op service name`, root last.
    pub fn way_up(&self, node: &Node) -> Vec<String> {
        let mut way = Vec::new();
        let mut next = Some(node);
        while let Some(node) = next {
            let service = self.service_of(node).map_or("?", |service| &service.name);
            way.push(format!("{} {service}", node.op.as_deref().unwrap_or("?")));
            next = self.parent(node);
        }
        way
    }

    fn names(&self) -> Vec<&str> {
        self.tree.iter().map(|node| &*node.name).collect()
    }
}

impl Deref for Assembled {
    type Target = Trace;

    fn deref(&self) -> &Trace {
        &self.0
    }
}

/// Returns a duration in milliseconds, the unit of the collector.
pub fn duration_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
