//! A long outage of the collector.

use std::time::{Duration, Instant};

use sentrace_bench::delivery::{Figures, Outage};

use crate::ingest::{Ingest, Mode};
use crate::outcome::figures;
use crate::service::{self, Plan, Sdk};

const RATE: u64 = 500;
/// Long enough that a thread is preempted as often with tracing as without.
const WORK_MICROS: u64 = 100;

/// Runs all variants at the same time, so that other load on the machine affects all of them.
pub fn run(seconds: u64) -> [Outage; 3] {
    let variants = [
        ("without tracing", Sdk::None, false),
        ("no spool", Sdk::Sentrace, false),
        ("spool of 1 GiB", Sdk::Sentrace, true),
    ];
    variants
        .map(|(name, sdk, spools)| std::thread::spawn(move || through(name, sdk, spools, seconds)))
        .map(|variant| variant.join().expect("a variant failed"))
}

fn through(variant: &str, sdk: Sdk, spools: bool, seconds: u64) -> Outage {
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
    let recorded = service::result(plan.spawn());
    let on_disk = if spools { size(&folder) } else { 0 };
    ingest.set(Mode::Well);
    let later = if spools { resend(&plan, &folder) } else { 0 };
    if spools {
        let _ = std::fs::remove_dir_all(&folder);
    }
    let figures = figures(&recorded, &ingest.counts());
    let delivered = figures.delivered.saturating_sub(later);
    Outage { variant: variant.to_owned(), on_disk, figures: Figures { delivered, ..figures } }
}

/// Restarts the service with a little new traffic until nothing is left on disk. Returns the number
/// of new transactions.
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
