//! Determines the services of a trace.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::model::{Node, Service, Transaction};

/// Numbers the services in the order of the tree and assigns every node its number.
pub(super) fn assign(tree: &mut [Node], transactions: &[Arc<Transaction>]) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    let mut known = HashMap::new();
    let mut of_transaction: Vec<Option<usize>> = vec![None; transactions.len()];
    for node in tree {
        let transaction = &transactions[node.transaction];
        node.service = *of_transaction[node.transaction].get_or_insert_with(|| {
            let name = name_of(transaction);
            let version = (transaction.release.as_deref(), transaction.environment.as_deref());
            let place = (transaction.project.as_str(), transaction.server_name.as_deref());
            let number = *known.entry((name.clone(), version, place)).or_insert(services.len());
            match services.get_mut(number) {
                Some(service) => service.transactions += 1,
                None => services.push(service_of(transaction, name)),
            }
            number
        });
    }
    services
}

fn service_of(transaction: &Transaction, name: String) -> Service {
    Service {
        name,
        project: transaction.project.clone(),
        release: transaction.release.clone(),
        environment: transaction.environment.clone(),
        server_name: transaction.server_name.clone(),
        transactions: 1,
    }
}

fn name_of(transaction: &Transaction) -> String {
    let explicit = transaction.data.get("service.name").and_then(Value::as_str);
    let package = transaction.release.as_deref().and_then(|release| release.split_once('@'));
    let name = explicit.or(package.map(|(package, _)| package)).or(transaction.server_name.as_deref());
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => format!("project {}", transaction.project),
    }
}
