//! Prints traces as they arrive.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sentrace_collector::waterfall::{self, Options};
use sentrace_collector::{Collector, TraceSummary};

/// A trace is printed once nothing of it has arrived for this long, and again if more arrives
/// later.
const QUIET: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Prints until the future is dropped or standard output is closed.
pub(crate) async fn run(collector: &Collector) {
    let options = options();
    let mut printed = HashMap::new();
    loop {
        let is_new = |trace: &TraceSummary| printed.get(&trace.id) != Some(&trace.received_at);
        collector.wait_for(|store| store.traces().iter().any(is_new), FOREVER).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let quiet = |trace: &TraceSummary| now.as_secs_f64() - trace.received_at >= QUIET.as_secs_f64();
        let traces = collector.traces();
        let due: Vec<_> = traces.iter().rev().filter(|trace| is_new(trace) && quiet(trace)).collect();
        for summary in due {
            printed.insert(summary.id, summary.received_at);
            let Some(trace) = collector.trace(summary.id) else { continue };
            let text = waterfall::render(&trace, options);
            let page = collector.trace_url(summary.id);
            if writeln!(std::io::stdout(), "\n{text}{page}").is_err() {
                return;
            }
        }
        printed.retain(|id, _| traces.iter().any(|trace| trace.id == *id));
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn options() -> Options {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let options = Options::default().color(std::io::stdout().is_terminal() && !plain);
    columns.map_or(options, |columns| options.width(columns))
}
