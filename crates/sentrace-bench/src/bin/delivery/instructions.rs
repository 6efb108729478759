//! Instructions of the worker per transaction, which do not depend on the load of the machine.

use std::path::{Path, PathBuf};

use sentrace_bench::delivery::Counted;

use crate::ingest::Ingest;
use crate::service::{self, Plan, Sdk};

const PROTOCOLS: [(&str, bool); 2] = [("HTTP/1.1", false), ("HTTP/2", true)];
/// A rate that callgrind can keep up with.
const RATE: u64 = 200;
/// The difference between few and more transactions excludes the cost of the start.
const FEW: u64 = 200;
const MORE: u64 = 1_200;

/// Counts for the selected protocols.
pub fn run(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Counted> {
    let protocols = PROTOCOLS.into_iter().filter(move |(name, _)| wanted(name));
    protocols.map(|(name, http2)| {
        let [few, more] = [FEW, MORE].map(|transactions| count(transactions, http2));
        Counted { protocol: name.to_owned(), instructions: more.saturating_sub(few) / (MORE - FEW) }
    })
}

fn count(transactions: u64, http2: bool) -> u64 {
    let ingest = Ingest::start();
    let plan = Plan { transactions, rate: RATE, http2, ..Plan::new(ingest.dsn(), Sdk::Sentrace) };
    let profile = std::env::temp_dir().join(format!("sentrace-delivery.{http2}.{transactions}.callgrind"));
    service::result(plan.spawn_under(&[
        "valgrind",
        "--tool=callgrind",
        "--separate-threads=yes",
        &out(&profile),
    ]));
    total(&of_worker(&profile)).expect("callgrind counts the worker")
}

fn out(profile: &Path) -> String {
    format!("--callgrind-out-file={}", profile.display())
}

/// The delivering thread is the first that is started.
fn of_worker(profile: &Path) -> PathBuf {
    PathBuf::from(format!("{}-02", profile.display()))
}

fn total(profile: &Path) -> Result<u64, String> {
    let text = std::fs::read_to_string(profile).map_err(|error| format!("{}: {error}", profile.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .filter(|total| *total > 0)
        .ok_or_else(|| format!("{}: callgrind counted nothing", profile.display()))
}
