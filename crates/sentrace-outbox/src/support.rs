//! Transactions and spans for tests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sentrace_core::deliver::{Deliver, FinishedTransaction, Losses};
use sentrace_core::{Client, Options};
use sentrace_protocol::Category;

/// Lost transactions and spans. A transaction counts as a span, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) transactions: u64,
    pub(crate) spans: u64,
}

impl Lost {
    pub(crate) fn of(transactions: u64, children: u64) -> Self {
        Self { transactions, spans: transactions * (children + 1) }
    }
}

/// What is counted as lost and not taken yet.
pub(crate) fn lost(losses: &Losses) -> Lost {
    let sum = |category| {
        losses.peek().iter().filter(|events| events.category == category).map(|events| events.quantity).sum()
    };
    Lost { transactions: sum(Category::Transaction), spans: sum(Category::Span) }
}

#[derive(Debug, Default)]
struct Keep(Mutex<Vec<FinishedTransaction>>);

impl Deliver for Keep {
    fn deliver(&self, finished: FinishedTransaction) {
        self.0.lock().unwrap().push(finished);
    }

    fn flush(&self, _timeout: Duration) -> bool {
        true
    }
}

/// Finished transactions with one span each, all of the same size.
pub(crate) fn finished(count: usize) -> Vec<FinishedTransaction> {
    /// More than the process keeps for reuse, in whatever size other tests have left them.
    const USED: usize = 300;
    let keep = Arc::new(Keep::default());
    let options = Options::new().traces_sample_rate(1.0);
    let deliver: Arc<dyn Deliver> = Arc::<Keep>::clone(&keep);
    let client = Client::new(options, deliver, Arc::default()).unwrap();
    for _ in 0..USED + count {
        record(&client);
    }
    keep.0.lock().unwrap().split_off(USED)
}

/// Records a transaction with one span.
pub(crate) fn record(client: &Client) {
    let transaction = client.start_transaction("task", "queue.task");
    transaction.start_span("db.query", "SELECT price FROM cart WHERE id = ?").finish();
    transaction.finish();
}
