//! A collector that is down for long.

use std::time::{Duration, Instant};

use crate::ingest::{Ingest, Mode};
use crate::process;
use crate::service::{self, Plan};

const RATE: u64 = 500;

pub fn run(seconds: u64) {
    println!("load average {}, {RATE}/s for {seconds} s with the collector down\n", process::load_average());
    println!(
        "| variant | recorded | on disk, MiB | delivered afterwards | reported lost | left | request, us (median / p99 / slowest) | \
         memory peak over start, MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let folder = std::env::temp_dir().join(format!("sentrace-outage-{}", std::process::id()));
    let spool = Some(folder.display().to_string());
    for (name, sdk, spool) in [
        ("without tracing", "none", None),
        ("no spool", "sentrace", None),
        ("spool of 1 GiB", "sentrace", spool),
    ] {
        let mut ingest = Ingest::start();
        ingest.set(Mode::Down);
        let plan = Plan {
            transactions: RATE * seconds,
            rate: RATE,
            close_seconds: 5,
            spool: spool.clone(),
            spool_bytes: 1 << 30,
            ..Plan::new(ingest.dsn(), sdk)
        };
        let figures = service::result(plan.spawn());
        let on_disk = size(&folder);
        ingest.set(Mode::Well);
        let later = if spool.is_some() { resend(&plan, &folder) } else { 0 };
        let number = |key: &str| figures[key].as_u64().unwrap_or(0);
        let (counts, micros) = (ingest.counts(), |key| number(key) as f64 / 1_000.0);
        println!(
            "| {name} | {} | {:.1} | {} | {} | {} | {:.1} / {:.0} / {:.0} | {:.1} |",
            number("recorded"),
            on_disk as f64 / f64::from(1 << 20),
            counts.accepted.saturating_sub(later),
            counts.reported,
            number("unreported"),
            micros("median_ns"),
            micros("p99_ns"),
            micros("slowest_ns"),
            number("memory_peak").saturating_sub(number("memory_before")) as f64 / f64::from(1 << 20),
        );
        let _ = std::fs::remove_dir_all(&folder);
    }
}

/// Starts the service again, for as long as it has something on disk, with a little fresh traffic; how much of that.
fn resend(plan: &Plan, folder: &std::path::Path) -> u64 {
    let (start, mut fresh) = (Instant::now(), 0);
    while size(folder) > 0 && start.elapsed() < Duration::from_secs(7_200) {
        let again = Plan { transactions: 30, rate: 1, ..plan.clone() };
        service::result(again.spawn());
        fresh += again.transactions;
    }
    fresh
}

fn size(folder: &std::path::Path) -> u64 {
    let projects = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files =
        projects.flat_map(|project| std::fs::read_dir(project.path()).into_iter().flatten().flatten());
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}
