//! The collector as the ingest of a test.

use std::sync::Arc;

use sentrace::Options;
use sentrace_collector::model::{Reports, TraceSummary};
use sentrace_collector::{Behaviour, Collector, Store};

use crate::{Assembled, PATIENCE, Project, get, in_time};

/// A collector on a thread of its own, so that no test's runtime makes it wait.
#[derive(Debug, Clone)]
pub struct Ingest {
    collector: Arc<Collector>,
}

impl Ingest {
    /// One that takes everything.
    pub fn start() -> Self {
        Self { collector: Arc::new(Collector::start_in_background("127.0.0.1:0").expect("a free port")) }
    }

    /// A service that samples all traces that begin with it.
    pub fn project(&self, name: &str) -> Project {
        self.project_with(name, |options| options.traces_sample_rate(1.0))
    }

    /// A service with options of its own; without a rate, tracing is off.
    pub fn project_with(&self, name: &str, set_up: impl FnOnce(Options) -> Options) -> Project {
        Project::new(name, self.dsn(name), set_up)
    }

    /// Where a service sends to.
    pub fn dsn(&self, project: &str) -> String {
        self.collector.dsn(project)
    }

    /// Changes how it answers from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.collector.set_behaviour(behaviour);
    }

    /// Waits until `condition` holds for what has arrived.
    pub async fn wait_for(&self, condition: impl Fn(&Store) -> bool) {
        let arrived = self.collector.wait_for(condition, PATIENCE).await;
        assert!(arrived, "the ingest waits in vain; it has {:#?}", self.collector.traces());
    }

    /// Waits for `transactions` in all, and gives every trace in short, the latest first.
    pub async fn traces(&self, transactions: usize) -> Vec<TraceSummary> {
        self.wait_for(|store| store.transactions().count() >= transactions).await;
        self.collector.traces()
    }

    /// Waits for the one trace of the test, whole with so many transactions, and reads it from the JSON API.
    pub async fn trace(&self, transactions: usize) -> Assembled {
        let mut traces = self.traces(transactions).await;
        assert_eq!(traces.len(), 1, "one trace: {traces:#?}");
        self.read(traces.remove(0).id.to_string()).await
    }

    /// One trace as the JSON API gives it.
    pub async fn read(&self, id: String) -> Assembled {
        let url = format!("{}/api/traces/{id}", self.collector.url());
        let answer = get(url).await;
        let json = in_time(answer.bytes()).await.expect("a whole answer");
        Assembled(serde_json::from_slice(&json).expect("a trace"))
    }

    /// How many transactions have arrived so far.
    pub async fn transactions(&self) -> usize {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let counted = |store: &Store| {
            count.store(store.transactions().count(), std::sync::atomic::Ordering::Relaxed);
            true
        };
        self.collector.wait_for(counted, PATIENCE).await;
        count.into_inner()
    }

    /// Forgets what has arrived so far.
    pub fn clear(&self) {
        self.collector.clear();
    }

    /// What was reported as lost.
    pub fn reports(&self) -> Reports {
        self.collector.reports()
    }

    /// What Sentry would not have liked; nothing, in a good test.
    pub fn assert_no_problems(&self) {
        let problems = self.collector.problems();
        assert!(problems.is_empty(), "{problems:#?}");
    }
}
