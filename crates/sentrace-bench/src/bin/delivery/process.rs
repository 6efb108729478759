//! What the system says of a process.

use std::fs;

/// Bytes in memory now, and the most there ever were.
pub fn memory(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kibibytes = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    (kibibytes("VmRSS:") * 1024, kibibytes("VmHWM:") * 1024)
}

/// Nanoseconds on a processor of all threads of this process whose name starts so.
pub fn thread_nanos(prefix: &str) -> u64 {
    threads(prefix, "schedstat").filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

/// How many of them were the kernel's, to a hundredth of a second.
pub fn thread_kernel_nanos(prefix: &str) -> u64 {
    let ticks: u64 = threads(prefix, "stat")
        .filter_map(|text| text.rsplit(')').next()?.split_whitespace().nth(12)?.parse::<u64>().ok())
        .sum();
    ticks * 10_000_000
}

fn threads(prefix: &str, file: &str) -> impl Iterator<Item = String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .filter(move |task| {
            fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim().starts_with(prefix))
        })
        .filter_map(move |task| fs::read_to_string(task.path().join(file)).ok())
}

/// How busy the machine is, as figures taken on a busy one are worse.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}
