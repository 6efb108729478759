//! Statistics of processes from the operating system.

use std::fs;

/// Returns the current and the peak resident bytes.
pub fn memory(pid: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kibibytes = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    (kibibytes("VmRSS:") * 1024, kibibytes("VmHWM:") * 1024)
}

/// Returns the CPU nanoseconds of all threads of this process with this prefix of the name.
pub fn thread_nanos(prefix: &str) -> u64 {
    threads(prefix, "schedstat").filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

/// Returns how many of them were spent in the kernel, with a resolution of 10 ms.
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

/// Returns the load average, since results are worse on a busy machine.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("?").to_owned()
}
