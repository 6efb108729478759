//! The measured service, in a separate process: records transactions and prints the results.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use sentrace_bench::process;

/// The configuration of a service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    pub dsn: String,
    pub sdk: Sdk,
    pub transactions: u64,
    /// Transactions per second; 0 means as fast as possible.
    pub rate: u64,
    pub spans: u64,
    /// CPU microseconds that a request spends on other work.
    pub work_micros: u64,
    pub http2: bool,
    pub close_seconds: u64,
    pub spool: Option<String>,
    pub spool_bytes: u64,
    pub queue_bytes: usize,
}

/// The SDK that records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sdk {
    Sentrace,
    Sentry,
    /// None, for comparison.
    None,
}

/// The results of a service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Recorded {
    pub recorded: u64,
    pub median_ns: u64,
    pub p99_ns: u64,
    pub slowest_ns: u64,
    /// Only for sustained load. After a burst, most of the worker's work is still to be done.
    pub worker_ns: Option<u64>,
    pub kernel_ns: Option<u64>,
    pub memory_before: u64,
    pub memory_peak: u64,
    pub close_ms: u64,
    pub unreported: u64,
}

impl Plan {
    pub fn new(dsn: String, sdk: Sdk) -> Self {
        Self {
            dsn,
            sdk,
            transactions: 2_000,
            rate: 0,
            spans: 10,
            work_micros: 0,
            http2: false,
            close_seconds: 30,
            spool: None,
            spool_bytes: 256 << 20,
            queue_bytes: 32 << 20,
        }
    }

    /// Starts the service.
    pub fn spawn(&self) -> Child {
        self.spawn_under(&[])
    }

    /// Starts the service with a wrapper program.
    pub fn spawn_under(&self, program: &[&str]) -> Child {
        let plan = serde_json::to_string(self).expect("a plan is JSON");
        let service = std::env::current_exe().unwrap().display().to_string();
        let words = [program, &[&service, "service", &plan]].concat();
        Command::new(words[0]).args(&words[1..]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.close_seconds)
    }
}

/// Waits for a service to end, and returns what it printed.
pub fn result(child: Child) -> Recorded {
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).expect("a service prints its figures")
}

pub fn run(plan: &str) {
    let plan: Plan = serde_json::from_str(plan).expect("a service is told its plan");
    let recorded = match plan.sdk {
        Sdk::Sentry => run_sentry(&plan),
        Sdk::Sentrace => run_sentrace(&plan),
        Sdk::None => run_alone(&plan),
    };
    println!("{}", serde_json::to_string(&recorded).expect("figures are JSON"));
}

fn run_sentrace(plan: &Plan) -> Recorded {
    let mut options = sentrace::Options::new()
        .dsn(&*plan.dsn)
        .release("shop@1.4.0")
        .traces_sample_rate(1.0)
        .backpressure_handling(false)
        .queue_bytes(plan.queue_bytes)
        .spool_bytes(plan.spool_bytes)
        .http2_prior_knowledge(plan.http2);
    if let Some(spool) = &plan.spool {
        options = options.spool_dir(spool);
    }
    let client = sentrace::client(options).unwrap();
    let mut recorded = record(plan, "sentrace-worker", |spans| {
        let transaction = client.start_transaction("GET /users/{id}", "http.server");
        transaction.set_data("attempt", 1);
        for number in 0..spans {
            let span = transaction.start_span("db.query", "SELECT price FROM cart WHERE id = ?");
            span.set_data("row", number as i64);
            span.finish();
        }
        transaction.finish();
    });
    let start = Instant::now();
    let closed = client.close(plan.patience());
    recorded.unreported = closed
        .unreported
        .iter()
        .filter(|events| events.category == sentrace::protocol::Category::Transaction)
        .map(|events| events.quantity)
        .sum();
    ended(&mut recorded, start);
    recorded
}

fn run_sentry(plan: &Plan) -> Recorded {
    let options = sentry::ClientOptions::new()
        .release("shop@1.4.0")
        .traces_sample_rate(1.0)
        .shutdown_timeout(plan.patience());
    let guard = sentry::init((plan.dsn.as_str(), options));
    let mut recorded = record(plan, "sentry-transpor", |spans| {
        let context = sentry::TransactionContext::new("GET /users/{id}", "http.server");
        let transaction = sentry::start_transaction(context);
        transaction.set_data("attempt", 1.into());
        for number in 0..spans {
            let span = transaction.start_child("db.query", "SELECT price FROM cart WHERE id = ?");
            span.set_data("row", number.into());
            span.finish();
        }
        transaction.finish();
    });
    let start = Instant::now();
    guard.close(Some(plan.patience()));
    ended(&mut recorded, start);
    recorded
}

fn run_alone(plan: &Plan) -> Recorded {
    let mut recorded = record(plan, "-", |_| {});
    ended(&mut recorded, Instant::now());
    recorded
}

fn ended(recorded: &mut Recorded, start: Instant) {
    recorded.close_ms = start.elapsed().as_millis() as u64;
    recorded.memory_peak = process::memory().1;
}

/// Records at the plan's rate. A request counts as slow if it takes longer, not if the loop is
/// late.
fn record(plan: &Plan, worker: &str, request: impl Fn(u64)) -> Recorded {
    let work = Duration::from_micros(plan.work_micros);
    let (before, _) = process::memory();
    let mut took = Vec::with_capacity(plan.transactions as usize);
    let start = Instant::now();
    for count in 0..plan.transactions {
        if let Some(nanos) = (count * 1_000_000_000).checked_div(plan.rate) {
            let due = start + Duration::from_nanos(nanos);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let began = Instant::now();
        request(plan.spans);
        let working = Instant::now();
        while working.elapsed() < work {
            std::hint::spin_loop();
        }
        took.push(began.elapsed().as_nanos() as u64);
    }
    took.sort_unstable();
    let at = |share: f64| took.get(((took.len() as f64 - 1.0) * share) as usize).copied().unwrap_or(0);
    // What is left after recording is included in the measurement.
    let lasts = plan.rate > 0 && plan.sdk != Sdk::None;
    Recorded {
        recorded: plan.transactions,
        median_ns: at(0.5),
        p99_ns: at(0.99),
        slowest_ns: at(1.0),
        worker_ns: lasts.then(|| process::named_threads_nanoseconds(worker)),
        kernel_ns: lasts.then(|| process::named_threads_kernel_nanoseconds(worker)),
        memory_before: before,
        ..Recorded::default()
    }
}
