//! Statistics of processes from the operating system.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the CPU nanoseconds of all threads of this process except the calling one.
pub fn other_threads_nanoseconds() -> u64 {
    let own = fs::read_link("/proc/thread-self").unwrap_or_default();
    let others = threads("self").filter(|thread| thread.file_name() != own.file_name());
    others.map(|thread| nanoseconds(&thread)).sum()
}

/// Returns the CPU nanoseconds of all threads of a process.
pub fn all_threads_nanoseconds(process: u32) -> u64 {
    threads(&process.to_string()).map(|thread| nanoseconds(&thread)).sum()
}

/// Returns the CPU nanoseconds of the threads of this process whose names have a prefix.
pub fn named_threads_nanoseconds(prefix: &str) -> u64 {
    named_threads(prefix).map(|thread| nanoseconds(&thread)).sum()
}

/// Returns how many of them were spent in the kernel, with a resolution of 10 ms.
pub fn named_threads_kernel_nanoseconds(prefix: &str) -> u64 {
    let ticks = |thread: PathBuf| {
        let text = fs::read_to_string(thread.join("stat")).ok()?;
        text.rsplit(')').next()?.split_whitespace().nth(12)?.parse::<u64>().ok()
    };
    named_threads(prefix).filter_map(ticks).sum::<u64>() * 10_000_000
}

/// Returns the current and the peak resident bytes of this process.
pub fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    (bytes("VmRSS:"), bytes("VmHWM:"))
}

/// Returns the load average, since results are worse on a busy machine.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn named_threads(prefix: &str) -> impl Iterator<Item = PathBuf> {
    let name = |thread: &Path| fs::read_to_string(thread.join("comm")).unwrap_or_default();
    threads("self").filter(move |thread| name(thread).trim().starts_with(prefix))
}

fn threads(process: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    tasks.into_iter().flatten().flatten().map(|task| task.path())
}

fn nanoseconds(thread: &Path) -> u64 {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0)
}
