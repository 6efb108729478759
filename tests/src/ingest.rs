//! The collector as the ingest of a test.

use std::sync::Arc;

use sentrace::Options;
use sentrace_collector::model::{Reports, TraceSummary};
use sentrace_collector::{Behaviour, Collector, Store};

use crate::{Assembled, PATIENCE, Project, get, in_time};

/// A collector on a separate thread, so that it does not depend on the runtime of a test.
#[derive(Debug, Clone)]
pub struct Ingest {
    collector: Arc<Collector>,
}

impl Ingest {
    /// Starts an ingest that accepts everything.
    pub fn start() -> Self {
        Self { collector: Arc::new(Collector::start_in_background("127.0.0.1:0").expect("a free port")) }
    }

    /// Creates a service that samples all traces that it starts.
    pub fn project(&self, name: &str) -> Project {
        self.project_with(name, |options| options.traces_sample_rate(1.0))
    }

    /// Creates a service with other options. Without a sample rate, tracing is off.
    pub fn project_with(&self, name: &str, set_up: impl FnOnce(Options) -> Options) -> Project {
        Project::new(name, self.dsn(name), set_up)
    }

    /// Returns the DSN of a service.
    pub fn dsn(&self, project: &str) -> String {
        self.collector.dsn(project)
    }

    /// Changes how the ingest answers.
    pub fn behave(&self, behaviour: Behaviour) {
        self.collector.set_behaviour(behaviour);
    }

    /// Waits until `condition` holds for what has arrived.
    pub async fn wait_for(&self, condition: impl Fn(&Store) -> bool) {
        let arrived = self.collector.wait_for(condition, PATIENCE).await;
        assert!(arrived, "the ingest waits in vain; it has {:#?}", self.collector.traces());
    }

    /// Waits for `transactions` in total, and returns the summaries of all traces, latest first.
    pub async fn traces(&self, transactions: usize) -> Vec<TraceSummary> {
        self.wait_for(|store| store.transactions().count() >= transactions).await;
        self.collector.traces()
    }

    /// Waits for the only trace of the test with this many transactions, and reads it from the JSON
    /// API.
    pub async fn trace(&self, transactions: usize) -> Assembled {
        let mut traces = self.traces(transactions).await;
        assert_eq!(traces.len(), 1, "one trace: {traces:#?}");
        self.read(traces.remove(0).id.to_string()).await
    }

    /// Reads a trace from the JSON API.
    pub async fn read(&self, id: String) -> Assembled {
        let url = format!("{}/api/traces/{id}", self.collector.url());
        let answer = get(url).await;
        let json = in_time(answer.bytes()).await.expect("a whole answer");
        Assembled(serde_json::from_slice(&json).expect("a trace"))
    }

    /// Returns how many transactions have arrived so far.
    pub async fn transactions(&self) -> usize {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let counted = |store: &Store| {
            count.store(store.transactions().count(), std::sync::atomic::Ordering::Relaxed);
            true
        };
        self.collector.wait_for(counted, PATIENCE).await;
        count.into_inner()
    }

    /// Discards what has arrived so far.
    pub fn clear(&self) {
        self.collector.clear();
    }

    /// Returns the reported losses.
    pub fn reports(&self) -> Reports {
        self.collector.reports()
    }

    /// Asserts that no envelope breaks a rule of Sentry's.
    pub fn assert_no_problems(&self) {
        let problems = self.collector.problems();
        assert!(problems.is_empty(), "{problems:#?}");
    }
}
