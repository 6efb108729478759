//! The output.

use std::io::IsTerminal as _;

use sentrace_collector::{Collector, waterfall};

use crate::customer::Visit;
use crate::payments::{self, Payments};
use crate::shop::Shop;

/// Prints every trace as a waterfall, below a line that describes the visit.
pub(crate) fn traces(collector: &Collector, visits: &[Visit]) {
    let color =
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let options = waterfall::Options::default().width(WIDTH).color(color);
    for (number, visit) in (1..).zip(visits) {
        let Visit { scene, status, took, .. } = visit;
        let story = format!(
            "{number}. A customer {}. {status} after {:.1} ms.",
            scene.story,
            took.as_secs_f64() * 1000.0
        );
        println!("{}\n", if color { format!("\x1b[1;33m{story}\x1b[0m") } else { story });
        if let Some(trace) = collector.trace(visit.trace_id) {
            println!("{}", waterfall::render(&trace, options));
        }
    }
}

/// Prints whether everything is as expected.
pub(crate) fn verdict(complaints: &[String], visits: &[Visit], payments: &Payments) {
    for complaint in complaints {
        eprintln!("shop: {complaint}");
    }
    if complaints.is_empty() {
        println!(
            "All {} traces are whole: every parent was found, every service kept the decision",
            visits.len()
        );
        println!("and the sampling context of the page that the trace began with.");
        println!("{} was called {} and saw no trace headers.", payments::HOST, times(payments.calls()));
    }
}

/// Prints the addresses of the running shop.
pub(crate) fn addresses(shop: &Shop, collector: &Collector) {
    println!();
    println!("collector    {}    all traces as pages", collector.url());
    println!("storefront   {}   shop yourself", shop.storefront);
    println!("Ctrl-C closes the shop.");
}

const WIDTH: usize = 118;

/// Formats a count: `once`, `2 times`.
pub(crate) fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
