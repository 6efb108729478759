//! Statistics of processes from the operating system.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the CPU nanoseconds of all threads of this process except the calling one.
pub fn other_threads_nanoseconds() -> u64 {
    let own = fs::read_link("/proc/thread-self").unwrap_or_default();
    threads("self")
        .filter(|thread| thread.file_name() != own.file_name())
        .map(|thread| nanoseconds(&thread))
        .sum()
}

/// Returns the CPU nanoseconds of all threads of a process.
pub fn all_threads_nanoseconds(process: u32) -> u64 {
    threads(&process.to_string()).map(|thread| nanoseconds(&thread)).sum()
}

/// Returns the resident bytes of this process.
pub fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kibibytes.unwrap_or(0) * 1024
}

fn threads(process: &str) -> impl Iterator<Item = PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    tasks.into_iter().flatten().flatten().map(|task| task.path())
}

fn nanoseconds(thread: &Path) -> u64 {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0)
}
