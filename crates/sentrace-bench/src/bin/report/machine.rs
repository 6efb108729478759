//! Where and with what was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use sentrace_bench::load::wrk_version;
use sentrace_bench::process::load_average;
use sentrace_bench::tools::{CRATE, output};
use serde::{Deserialize, Serialize};

/// Packages whose versions are named.
const PACKAGES: &str = "axum http tokio reqwest reqwest-middleware sentry sentry-tower sentry-tracing tower-http \
    opentelemetry_sdk opentelemetry-instrumentation-tower axum-tracing-opentelemetry tracing-opentelemetry tracing \
    reqwest-tracing";

/// What figures depend on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub tools: Vec<String>,
    pub packages: Vec<String>,
}

impl Machine {
    pub fn look() -> Self {
        let said = |program: &str, argument: &str| {
            let text = output(Command::new(program).arg(argument)).unwrap_or_default();
            text.lines().next().unwrap_or_default().to_owned()
        };
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let value = |key: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(key));
            line.and_then(|line| line.split_once(':')).map_or("unknown", |(_, value)| value.trim()).to_owned()
        };
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: format!("{processors} x {}, {} MHz", value("model name"), value("cpu MHz")),
            tools: vec![
                said("rustc", "-V"),
                format!("Linux {}", kernel.trim()),
                said("ldd", "--version"),
                said("valgrind", "--version"),
                said("gungraun-runner", "--version"),
                wrk_version(),
            ],
            packages: packages(),
        }
    }
}

/// The time, and how busy the machine is.
pub fn now() -> String {
    let date = output(Command::new("date").arg("+%F %H:%M")).unwrap_or_default();
    format!("{}, load average {}", date.trim(), load_average())
}

/// Names and versions from the lock file; of several versions of a package all.
fn packages() -> Vec<String> {
    let lock = fs::read_to_string(Path::new(CRATE).join("Cargo.lock")).unwrap_or_default();
    let packages = lock.split("[[package]]").filter_map(|package| {
        // `name = ".."`, then `version = ".."`.
        let mut texts = package.split('"').skip(1).step_by(2);
        let (name, version) = (texts.next()?, texts.next()?);
        PACKAGES.split(' ').any(|wanted| wanted == name).then(|| format!("{name} {version}"))
    });
    packages.collect()
}
