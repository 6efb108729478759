//! Each fault, what became of what was recorded, and what it cost.

use std::time::Duration;

use crate::ingest::{Ingest, Mode};
use crate::process;
use crate::service::{self, Plan};

/// Two seconds of peace, six of the fault, two of peace.
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

pub fn run(only: Option<&str>) {
    println!(
        "load average {}, {RATE}/s for {SECONDS} s, the fault from second 2 to 8\n",
        process::load_average()
    );
    println!(
        "| fault | spool | recorded | delivered | refused by 429 | reported lost | left at the end | twice | unaccounted | \
         memory peak over start, MiB | request, us (p99 / slowest) |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for (name, mode) in FAULTS {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        for spool in [false, true] {
            run_one(name, mode, spool);
        }
    }
}

fn run_one(name: &str, mode: Mode, spool: bool) {
    let mut ingest = Ingest::start();
    let folder = std::env::temp_dir().join(format!("sentrace-faults-{}", std::process::id()));
    let plan = Plan {
        transactions: RATE * SECONDS,
        rate: RATE,
        close_seconds: 10,
        spool: spool.then(|| folder.display().to_string()),
        ..Plan::new(ingest.dsn(), "sentrace")
    };
    let child = plan.spawn();
    std::thread::sleep(Duration::from_secs(2));
    ingest.set(mode);
    std::thread::sleep(Duration::from_secs(6));
    ingest.set(Mode::Well);
    let figures = service::result(child);
    if spool {
        // What is on disk is sent by the next start.
        let next = Plan { transactions: 0, close_seconds: 1, ..plan };
        while has_files(&folder) {
            service::result(next.spawn());
        }
        let _ = std::fs::remove_dir_all(&folder);
    }
    let number = |key: &str| figures[key].as_u64().unwrap_or(0);
    let counts = ingest.counts();
    let recorded = number("recorded");
    let known = counts.accepted + counts.refused_429 + counts.reported + number("unreported");
    println!(
        "| {name} | {} | {recorded} | {} | {} | {} | {} | {} | {} | {:.1} | {:.0} / {:.0} |",
        if spool { "yes" } else { "no" },
        counts.accepted,
        counts.refused_429,
        counts.reported,
        number("unreported"),
        counts.twice,
        recorded as i64 - known as i64,
        number("memory_peak").saturating_sub(number("memory_before")) as f64 / f64::from(1 << 20),
        number("p99_ns") as f64 / 1_000.0,
        number("slowest_ns") as f64 / 1_000.0,
    );
}

fn has_files(folder: &std::path::Path) -> bool {
    let projects = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files =
        projects.flat_map(|project| std::fs::read_dir(project.path()).into_iter().flatten().flatten());
    files.any(|file| file.path().extension().is_some_and(|extension| extension != "lock"))
}
