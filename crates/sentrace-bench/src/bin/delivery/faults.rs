//! Faults of the collector.

use std::time::Duration;

use sentrace_bench::delivery::Faulted;

use crate::ingest::{Ingest, Mode};
use crate::outcome::figures;
use crate::service::{self, Plan, Sdk};

/// Two seconds without the fault, six with it, and two without.
const RATE: u64 = 500;
const SECONDS: u64 = 10;

const FAULTS: [(&str, Mode); 12] = [
    ("none", Mode::Well),
    ("answers after 2 s", Mode::Slow),
    ("nobody listens", Mode::Down),
    ("connections are reset", Mode::Reset),
    ("no answer ever", Mode::Hang),
    ("answers that are no HTTP", Mode::Garbage),
    ("reads 64 bytes each 20 ms", Mode::SlowRead),
    ("500", Mode::Status(500)),
    ("503", Mode::Status(503)),
    ("413", Mode::Status(413)),
    ("403", Mode::Status(403)),
    ("429, pause of 2 s", Mode::Limit),
];

/// Runs the selected faults, each without and with a spool.
pub fn run(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Faulted> {
    let faults = FAULTS.into_iter().filter(move |(name, _)| wanted(name));
    faults
        .flat_map(|(name, mode)| [false, true].map(|spool| (name, mode, spool)))
        .map(|(name, mode, spool)| under(name, mode, spool))
}

fn under(fault: &str, mode: Mode, spool: bool) -> Faulted {
    let mut ingest = Ingest::start();
    let folder = std::env::temp_dir().join(format!("sentrace-faults-{}", std::process::id()));
    let plan = Plan {
        transactions: RATE * SECONDS,
        rate: RATE,
        close_seconds: 10,
        spool: spool.then(|| folder.display().to_string()),
        ..Plan::new(ingest.dsn(), Sdk::Sentrace)
    };
    let child = plan.spawn();
    std::thread::sleep(Duration::from_secs(2));
    ingest.set(mode);
    std::thread::sleep(Duration::from_secs(6));
    ingest.set(Mode::Well);
    let recorded = service::result(child);
    if spool {
        // The next start sends what is on disk.
        let next = Plan { transactions: 0, close_seconds: 1, ..plan };
        while has_files(&folder) {
            service::result(next.spawn());
        }
        let _ = std::fs::remove_dir_all(&folder);
    }
    Faulted { fault: fault.to_owned(), spool, figures: figures(&recorded, &ingest.counts()) }
}

fn has_files(folder: &std::path::Path) -> bool {
    let projects = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files =
        projects.flat_map(|project| std::fs::read_dir(project.path()).into_iter().flatten().flatten());
    files.any(|file| file.path().extension().is_some_and(|extension| extension != "lock"))
}
