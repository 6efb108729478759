//! The service that is measured, in a process of its own: it records transactions, and prints what that was like.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process;

/// What a service is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    pub dsn: String,
    /// `sentrace`, `sentry`, or `none`: the same without tracing.
    pub sdk: &'static str,
    pub transactions: u64,
    /// A second; 0 is as fast as it goes.
    pub rate: u64,
    pub spans: u64,
    /// What a request does besides being recorded, in microseconds of a processor's time.
    pub work_micros: u64,
    pub http2: bool,
    pub close_seconds: u64,
    pub spool: Option<String>,
    pub spool_bytes: u64,
    pub queue_bytes: usize,
    /// Whether less is recorded under load.
    pub backpressure: bool,
}

impl Plan {
    pub fn new(dsn: String, sdk: &'static str) -> Self {
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
            backpressure: false,
        }
    }

    /// Starts the service.
    pub fn spawn(&self) -> Child {
        self.spawn_under(&[])
    }

    /// Starts the service under another program.
    pub fn spawn_under(&self, program: &[&str]) -> Child {
        let plan = json!({
            "dsn": self.dsn, "sdk": self.sdk, "transactions": self.transactions, "rate": self.rate,
            "spans": self.spans, "work_micros": self.work_micros, "http2": self.http2, "close_seconds": self.close_seconds, "spool": self.spool,
            "spool_bytes": self.spool_bytes, "queue_bytes": self.queue_bytes, "backpressure": self.backpressure,
        });
        let service = std::env::current_exe().unwrap().display().to_string();
        let plan = plan.to_string();
        let words = [program, &[&service, "service", &plan]].concat();
        Command::new(words[0]).args(&words[1..]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }
}

/// Waits for a service to end, and returns what it printed.
pub fn result(child: Child) -> Value {
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).expect("a service prints its figures")
}

pub fn run(plan: &str) {
    let plan: Value = serde_json::from_str(plan).unwrap();
    let figures = match plan["sdk"].as_str() {
        Some("sentry") => run_sentry(&plan),
        Some("sentrace") => run_sentrace(&plan),
        _ => record(&plan, "-", |_| {}),
    };
    println!("{figures}");
}

fn run_sentrace(plan: &Value) -> Value {
    let mut options = sentrace::Options::new()
        .dsn(plan["dsn"].as_str().unwrap())
        .release("shop@1.4.0")
        .traces_sample_rate(1.0)
        .backpressure_handling(plan["backpressure"] == true)
        .queue_bytes(plan["queue_bytes"].as_u64().unwrap() as usize)
        .spool_bytes(plan["spool_bytes"].as_u64().unwrap())
        .http2_prior_knowledge(plan["http2"] == true);
    if let Some(spool) = plan["spool"].as_str() {
        options = options.spool_dir(spool);
    }
    let client = sentrace::client(options).unwrap();
    let mut figures = record(plan, "sentrace-worker", |spans| {
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
    let closed = client.close(Duration::from_secs(plan["close_seconds"].as_u64().unwrap()));
    let unreported: u64 = closed
        .unreported
        .iter()
        .filter(|events| events.category == sentrace::protocol::Category::Transaction)
        .map(|events| events.quantity)
        .sum();
    finish(&mut figures, start, closed.complete, unreported);
    figures
}

fn run_sentry(plan: &Value) -> Value {
    let options = sentry::ClientOptions::new()
        .release("shop@1.4.0")
        .traces_sample_rate(1.0)
        .shutdown_timeout(Duration::from_secs(plan["close_seconds"].as_u64().unwrap()));
    let guard = sentry::init((plan["dsn"].as_str().unwrap(), options));
    let mut figures = record(plan, "sentry-transpor", |spans| {
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
    let complete = guard.close(Some(Duration::from_secs(plan["close_seconds"].as_u64().unwrap())));
    finish(&mut figures, start, complete, 0);
    figures
}

fn finish(figures: &mut Value, start: Instant, complete: bool, unreported: u64) {
    figures["close_ms"] = json!(start.elapsed().as_millis() as u64);
    figures["complete"] = json!(complete);
    figures["unreported"] = json!(unreported);
    figures["memory_peak"] = json!(process::memory(std::process::id()).1);
}

/// Records at the plan's rate. A request is late where it takes longer, not where the clock of the loop is.
fn record(plan: &Value, worker: &str, request: impl Fn(u64)) -> Value {
    let number = |key: &str| plan[key].as_u64().unwrap();
    let (transactions, rate, spans) = (number("transactions"), number("rate"), number("spans"));
    let work = Duration::from_micros(number("work_micros"));
    let (before, _) = process::memory(std::process::id());
    let mut took = Vec::with_capacity(transactions as usize);
    let start = Instant::now();
    for count in 0..transactions {
        if let Some(nanos) = (count * 1_000_000_000).checked_div(rate) {
            let due = start + Duration::from_nanos(nanos);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let began = Instant::now();
        request(spans);
        let working = Instant::now();
        while working.elapsed() < work {
            std::hint::spin_loop();
        }
        took.push(began.elapsed().as_nanos() as u64);
    }
    let seconds = start.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: f64| took.get(((took.len() as f64 - 1.0) * share) as usize).copied().unwrap_or(0);
    // What is left when all was recorded is measured with the rest, in the time it needs.
    let nanos = if rate > 0 { process::thread_nanos(worker) } else { 0 };
    let kernel = if rate > 0 { process::thread_kernel_nanos(worker) } else { 0 };
    json!({
        "recorded": transactions, "seconds": seconds, "median_ns": at(0.5), "p99_ns": at(0.99),
        "slowest_ns": at(1.0), "worker_ns": nanos, "kernel_ns": kernel, "memory_before": before,
    })
}
