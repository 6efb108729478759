//! Load, ours beside the official transport.

use serde_json::Value;

use crate::ingest::Ingest;
use crate::process;
use crate::service::{self, Plan};

const SCENARIOS: [(&str, u64, u64, bool); 4] = [
    ("burst of 2,000", 2_000, 0, false),
    ("200/s for 10 s", 2_000, 200, false),
    ("1,000/s for 20 s, HTTP/1.1", 20_000, 1_000, false),
    ("2,000/s for 20 s, HTTP/2", 40_000, 2_000, true),
];

pub fn run(only: Option<&str>, only_sdk: Option<&str>) {
    println!("load average {}, answers after 50 ms, 10 spans each\n", process::load_average());
    println!(
        "| scenario | transport | recorded | arrived | reported lost | unaccounted | bytes each | \
         worker CPU each, us (of it the kernel's) | request, us (median / slowest) | memory over start, MiB | close, ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (name, transactions, rate, http2) in SCENARIOS {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        for sdk in ["sentrace", "sentry"] {
            if only_sdk.is_some_and(|only| only != sdk) {
                continue;
            }
            let ingest = Ingest::start();
            let plan = Plan {
                transactions,
                rate,
                http2: http2 && sdk == "sentrace",
                ..Plan::new(ingest.dsn(), sdk)
            };
            let figures = service::result(plan.spawn());
            row(name, sdk, &figures, &ingest);
        }
    }
}

fn row(name: &str, sdk: &str, figures: &Value, ingest: &Ingest) {
    let number = |key: &str| figures[key].as_u64().unwrap_or(0);
    let counts = ingest.counts();
    let recorded = number("recorded");
    let known = counts.accepted + counts.reported + counts.refused_429 + number("unreported");
    let micros = |nanos: u64| nanos as f64 / 1_000.0;
    let memory = number("memory_peak").saturating_sub(number("memory_before")) as f64 / f64::from(1 << 20);
    let each = |nanos: u64| micros(nanos) / recorded as f64;
    let cpu = match number("worker_ns") {
        0 => "-".to_owned(),
        nanos => format!("{:.1} ({:.1})", each(nanos), each(number("kernel_ns"))),
    };
    println!(
        "| {name} | {sdk} | {recorded} | {} | {} | {} | {} | {cpu} | {:.1} / {:.0} | {memory:.1} | {} |",
        counts.accepted,
        counts.reported,
        recorded.saturating_sub(known),
        counts.body_bytes.checked_div(counts.accepted).unwrap_or(0),
        micros(number("median_ns")),
        micros(number("slowest_ns")),
        number("close_ms"),
    );
}
