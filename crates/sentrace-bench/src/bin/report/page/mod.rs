//! The page.

mod costs;
mod delivery;
mod load;
mod promises;

use crate::results::Results;

/// All of it.
pub fn page(results: &Results) -> String {
    let mut page = String::from(INTRODUCTION);
    page += "\n## What was promised\n\n";
    page += &promises::table(results);
    page += &costs::section(results);
    if !results.load.is_empty() {
        page += &load::section(&results.load);
    }
    if let Some(growth) = &results.growth {
        page += &load::growth(growth);
    }
    page += &delivery::section(&results.delivery);
    page += &how(results);
    page
}

const INTRODUCTION: &str = "\
# Performance

What sentrace costs a service, beside what its peers cost. Written by `cargo run --release --bin report` in
`crates/sentrace-bench`; do not edit by hand.

![What tracing costs, as bars](images/performance.svg)
";

fn how(results: &Results) -> String {
    let machine = &results.machine;
    let measured: Vec<String> = results.parts.iter().map(|(part, when)| format!("{part} {when}")).collect();
    format!(
        "{HOW}
| | |
|---|---|
| measured | {} |
| machine | {} |
| tools | {} |
| packages | {} |
",
        measured.join("; "),
        machine.processor,
        machine.tools.join(", "),
        machine.packages.join(", "),
    )
}

const HOW: &str = "
## How it is measured

- **The same for all.** Each request has a head of its own in a new buffer, of which target and header values are slices, as hyper makes
  them. Responses are read to the end of their body. The caller sent two members of other vendors in `baggage` besides Sentry's.
  OpenTelemetry gets the trace as `traceparent` and its propagator does not read `baggage`, to its advantage.
- **Nothing left out.** Before ours is measured, what it records is compared with the full payload, field by field
  (`src/payload.rs`), also over the wire where it is handed over. After every batch, each variant must have yielded exactly the
  transactions and spans that it claims.
- **Handed over** is the real queue and worker, below an ingest that has asked for silence: the worker takes each record, counts it and
  recycles it. *Elsewhere* is what other threads of the process spend on a request.
- **Nanoseconds.** A process for each variant, since subscribers, hubs and providers are global, all of them alive at the same time and
  pinned to one processor. They take samples of 4 ms in turns: the median of batches of 200 requests (ten for outgoing calls, which belong
  to one transaction). Twenty rounds, each in the other direction than the one before, are a generation; then all processes start anew,
  fifteen times (with Sentry's members alone: nine). `cargo bench --bench variants` does it and hands the samples to criterion.
- **Own nanoseconds** are differences of samples of the same round, which cancels what the machine does to all of them: the median of a
  generation's differences, and of these the median. How a process happens to lie in memory is not cancelled (a tenth of a request's time) and
  is drawn with each generation anew: a block of another size is put in front of the heap. So the interval is that of the generations (by the sign test, which presumes no distribution), wider than one that
  takes samples of the same process as independent, as criterion's does.
- **Instructions.** Callgrind, started by gungraun in a process for each variant, inside the measured batches alone, on the thread of the
  request; 1,000 warm requests. With mimalloc, for all of them: with glibc's allocator a request takes up to 700 instructions more or less, by what else
  lies beside the header map's block (times and allocations are those of the system's allocator).
- **Allocations.** A counting allocator over 1,000 warm requests, all threads; a block that grows counts again.
- **Outgoing.** Our middleware as `SentryTracingMiddleware::new()` adds it, and as `sentrace::reqwest::client` does, with redirects
  guarded. A stub stands in place of the network, and redirects nobody.
- **The gate.** `cargo run --release --no-default-features --bin gate` counts instructions and allocations of ours in CI and fails
  on 3 % over `gate.json`.
- **Delivery.** The collector is one process, the service another, on both processors; `delivery` is run by the report and by hand.
- `cargo bench --bench instructions` is gungraun's own view.
";
