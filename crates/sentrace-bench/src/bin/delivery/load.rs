//! Load, with sentrace and with the official transport.

use sentrace_bench::delivery::Loaded;

use crate::ingest::Ingest;
use crate::outcome::figures;
use crate::service::{self, Plan, Sdk};

const SCENARIOS: [(&str, u64, u64, bool); 4] = [
    ("burst of 2,000", 2_000, 0, false),
    ("200/s for 10 s", 2_000, 200, false),
    ("1,000/s for 20 s, HTTP/1.1", 20_000, 1_000, false),
    ("2,000/s for 20 s, HTTP/2", 40_000, 2_000, true),
];

const TRANSPORTS: [(&str, Sdk); 2] = [("sentrace", Sdk::Sentrace), ("sentry", Sdk::Sentry)];

/// Runs the selected scenarios, each with both transports.
pub fn run(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Loaded> {
    let scenarios = SCENARIOS.into_iter().filter(move |(name, ..)| wanted(name));
    scenarios
        .flat_map(|(scenario, transactions, rate, http2)| {
            TRANSPORTS.map(move |(transport, sdk)| (scenario, transport, sdk, transactions, rate, http2))
        })
        .map(|(scenario, transport, sdk, transactions, rate, http2)| {
            let ingest = Ingest::start();
            let http2 = http2 && sdk == Sdk::Sentrace;
            let plan = Plan { transactions, rate, http2, ..Plan::new(ingest.dsn(), sdk) };
            let recorded = service::result(plan.spawn());
            Loaded {
                scenario: scenario.to_owned(),
                transport: transport.to_owned(),
                figures: figures(&recorded, &ingest.counts()),
            }
        })
}
