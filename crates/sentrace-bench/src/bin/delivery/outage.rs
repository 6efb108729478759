//! A collector that is down for long.

use std::time::{Duration, Instant};

use crate::ingest::{Ingest, Mode};
use crate::process;
use crate::service::{self, Plan};

const RATE: u64 = 500;
/// Long enough that a processor is taken away as often with tracing as without.
const WORK_MICROS: u64 = 100;

pub fn run(seconds: u64) {
    println!("load average {}, {RATE}/s for {seconds} s with the collector down\n", process::load_average());
    println!(
        "| variant | recorded | on disk, MiB | delivered afterwards | reported lost | left | request, us (median / p99 / slowest) | \
         memory peak over start, MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    // All at the same time, so that what else happens on the machine happens to all of them.
    let variants = [
        ("without tracing", "none", false),
        ("no spool", "sentrace", false),
        ("spool of 1 GiB", "sentrace", true),
    ];
    let rows =
        variants.map(|(name, sdk, spools)| std::thread::spawn(move || row(name, sdk, spools, seconds)));
    for row in rows {
        println!("{}", row.join().expect("a variant failed"));
    }
}

fn row(name: &str, sdk: &'static str, spools: bool, seconds: u64) -> String {
    let folder = std::env::temp_dir().join(format!("sentrace-outage-{}", std::process::id()));
    let mut ingest = Ingest::start();
    ingest.set(Mode::Down);
    let plan = Plan {
        transactions: RATE * seconds,
        rate: RATE,
        work_micros: WORK_MICROS,
        close_seconds: 5,
        spool: spools.then(|| folder.display().to_string()),
        spool_bytes: 1 << 30,
        ..Plan::new(ingest.dsn(), sdk)
    };
    let figures = service::result(plan.spawn());
    let on_disk = if spools { size(&folder) } else { 0 };
    ingest.set(Mode::Well);
    let later = if spools { resend(&plan, &folder) } else { 0 };
    if spools {
        let _ = std::fs::remove_dir_all(&folder);
    }
    let number = |key: &str| figures[key].as_u64().unwrap_or(0);
    let (counts, micros) = (ingest.counts(), |key| number(key) as f64 / 1_000.0);
    format!(
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
    )
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
