//! Criterion's view of every variant: `cargo bench --bench variants -- sentrace-dropped`.
//!
//! Subscribers, hubs and providers are global, so that each variant runs in a process of its own: without a name, this
//! starts itself once for each.

use std::process::Command;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use sentrace_bench::measured::Measured;
use sentrace_bench::request::Baggage;
use sentrace_bench::variant::Variant;
use sentrace_bench::variants;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.iter().find_map(|argument| variants::named(argument).ok());
    match name {
        Some(variant) => bench(variant),
        None => {
            let only =
                arguments.iter().find(|argument| !argument.starts_with("--")).map_or("", String::as_str);
            for variant in variants::all().iter().filter(|variant| variant.name.contains(only)) {
                let program = std::env::current_exe().expect("a program has a path");
                let status = Command::new(program).args(["--bench", variant.name]).status();
                assert!(status.is_ok_and(|status| status.success()), "{} fails", variant.name);
            }
        }
    }
}

fn bench(variant: Variant) {
    let mut criterion = Criterion::default().measurement_time(Duration::from_secs(2));
    let mut measured = Measured::start(variant, Baggage::Mixed, 2_000);
    let mut group = criterion.benchmark_group("variants");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function(variant.name, |bencher| {
        bencher.iter_custom(|calls| {
            let batches = calls.div_ceil(u64::from(variant.batch));
            let took: Duration = (0..batches)
                .map(|_| {
                    measured.batch(|subject, calls| {
                        let start = Instant::now();
                        subject.run(calls);
                        start.elapsed()
                    })
                })
                .sum();
            took.mul_f64(calls as f64 / (batches * u64::from(variant.batch)) as f64)
        });
    });
    group.finish();
}
