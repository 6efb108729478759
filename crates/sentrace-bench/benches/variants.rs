//! Criterion's view of every variant, all of them interleaved: `cargo bench --bench variants`, or `.. -- sentrace` for those
//! whose names contain it.
//!
//! Subscribers, hubs and providers are global, so that each variant runs in a process of its own, and criterion measures one
//! after the other. So the samples are taken before, from all processes in turn, and given to criterion for its statistics
//! and its comparison with the run before.

use std::io::{BufRead, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use sentrace_bench::measured::Measured;
use sentrace_bench::request::Baggage;
use sentrace_bench::variant::Variant;
use sentrace_bench::{time, tools, variants};

/// Samples of each variant.
const ROUNDS: usize = 60;
/// How long one takes.
const SAMPLE: Duration = Duration::from_millis(4);
/// Before the first.
const WARM_UP: u32 = 2_000;
/// The argument of a process that takes samples; a variant's name follows.
const SAMPLER: &str = "--sampler";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [first, name] if first == SAMPLER => match variants::named(name) {
            Ok(variant) => take_samples(variant),
            Err(error) => panic!("{error}"),
        },
        _ => {
            let only = arguments.iter().find(|argument| !argument.starts_with("--"));
            compare(only.map_or("", String::as_str));
        }
    }
}

/// Prints the nanoseconds of a call for each line that comes in.
fn take_samples(variant: Variant) {
    let mut measured = Measured::start(variant, Baggage::Mixed, WARM_UP);
    for line in std::io::stdin().lines() {
        line.expect("the bench asks in text");
        let (mut took, mut calls) = (Duration::ZERO, 0);
        while took < SAMPLE {
            took += time::batch(&mut measured);
            calls += measured.batch_size();
        }
        println!("{}", took.as_nanos() as f64 / f64::from(calls));
    }
}

fn compare(only: &str) {
    let chosen = variants::all().into_iter().filter(|variant| variant.name.contains(only));
    let mut samplers: Vec<Sampler> = chosen.map(|variant| Sampler::start(variant.name)).collect();
    for _ in 0..ROUNDS {
        samplers.iter_mut().for_each(Sampler::sample);
    }
    let mut criterion = Criterion::default()
        .sample_size(ROUNDS)
        .warm_up_time(Duration::from_millis(20))
        .measurement_time(SAMPLE * ROUNDS as u32);
    let mut group = criterion.benchmark_group("variants");
    group.throughput(Throughput::Elements(1)).sampling_mode(SamplingMode::Flat);
    for Sampler { name, samples, .. } in &samplers {
        let mut next = samples.iter().cycle();
        group.bench_function(*name, |bencher| {
            bencher.iter_custom(|calls| {
                let took = Duration::from_nanos((next.next().copied().unwrap_or(0.0) * calls as f64) as u64);
                // Criterion asks for ever more calls until it has waited for as long as it wants to warm up.
                std::thread::sleep(took);
                took
            });
        });
    }
    group.finish();
}

/// A process that takes samples of one variant, and what it has taken.
struct Sampler {
    name: &'static str,
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    samples: Vec<f64>,
}

impl Sampler {
    fn start(name: &'static str) -> Self {
        let program = std::env::current_exe().expect("a program has a path");
        let mut child = tools::pinned(&program, tools::PROCESSOR)
            .args([SAMPLER, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset is installed");
        let asks = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { name, child, asks, answers, samples: Vec::new() }
    }

    fn sample(&mut self) {
        let asked = writeln!(self.asks);
        let answer = self.answers.next().and_then(Result::ok).and_then(|answer| answer.parse().ok());
        match (asked, answer) {
            (Ok(()), Some(sample)) => self.samples.push(sample),
            _ => panic!("{} takes no samples", self.name),
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
