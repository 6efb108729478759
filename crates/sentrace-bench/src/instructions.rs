//! Instructions, counted by callgrind.
//!
//! Callgrind runs the whole process and collects only while [`counted_batch`] is on the stack of the thread that called
//! it. What other threads do meanwhile, a worker for example, is theirs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::measured::Measured;
use crate::variant::Subject;

/// How the function is named to callgrind.
const COUNTED: &str = "*counted_batch*";

/// Runs the batches that callgrind counts, and returns how many calls they were.
pub fn run_counted(measured: &mut Measured, calls: u32) -> u32 {
    let batches = calls.div_ceil(measured.batch_size()).max(1);
    for _ in 0..batches {
        measured.batch(counted_batch);
    }
    batches * measured.batch_size()
}

/// By its own symbol, which is what callgrind is told.
#[inline(never)]
fn counted_batch(subject: &mut dyn Subject, calls: u32) {
    subject.run(calls);
}

/// A command under callgrind. What it counts stands in `profile`, for `callgrind_annotate`.
pub fn under_callgrind(program: &Path, profile: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .stderr(Stdio::piped());
    command
}

/// The instructions that a profile counted.
///
/// # Errors
/// Where it cannot be read or counted nothing.
pub fn total(profile: &Path) -> Result<u64, String> {
    let text = std::fs::read_to_string(profile).map_err(|error| format!("{}: {error}", profile.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .filter(|total| *total > 0)
        .ok_or_else(|| format!("{}: callgrind counted nothing; is the binary stripped?", profile.display()))
}

/// Where a variant's profile is put.
pub fn profile_path(folder: &Path, variant: &str, baggage: &str) -> PathBuf {
    folder.join(format!("callgrind.{variant}.{baggage}.out"))
}
