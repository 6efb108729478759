//! Reading and writing both trace headers.

use criterion::{Criterion, criterion_group, criterion_main};
use sentrace_bench::{MIXED, Parsed, SENTRYS, client, parse, render, render_values, request};
use std::hint::black_box;

fn headers(criterion: &mut Criterion) {
    let client = client();
    for (baggage, name) in [(SENTRYS, "sentrys baggage"), (MIXED, "mixed baggage")] {
        let headers = request(baggage);
        let mut group = criterion.benchmark_group(name);
        group.bench_function("parse both", |bencher| bencher.iter(|| parse(&client, black_box(&headers))));
        let Some(parsed) = Parsed::read(&headers) else { continue };
        let mut buffer = Vec::with_capacity(1_024);
        group.bench_function("render both", |bencher| {
            bencher.iter(|| render(black_box(&parsed), &mut buffer));
        });
        let trace = client.continue_trace(&headers);
        group.bench_function("headers of a call, owned", |bencher| {
            bencher.iter(|| render_values(black_box(&trace)));
        });
        group.finish();
    }
}

criterion_group!(benches, headers);
criterion_main!(benches);
