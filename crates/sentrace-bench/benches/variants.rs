//! Criterion's view of every variant, interleaved: `cargo bench --bench variants`, or `.. --
//! sentrace` for those whose names contain it and their baselines. With `.. -- sentrys`, the
//! baggage has only Sentry's members.
//!
//! Subscribers, hubs and providers are global, so each variant runs in a separate process, and
//! criterion measures one after the other. Therefore the samples are taken in advance, from all
//! processes in turn, and passed to criterion for its statistics and its comparison with the
//! previous run. They are saved next to its results for comparisons of variants.

use std::io::{BufRead, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use lexopt::prelude::*;
use sentrace_bench::measured::{Measured, shift_heap};
use sentrace_bench::request::Baggage;
use sentrace_bench::timing::samples::Samples;
use sentrace_bench::timing::time::Time;
use sentrace_bench::tools::{self, criterion_group};
use sentrace_bench::variant::Variant;
use sentrace_bench::{timing::time, variants};

/// The number of samples of each process.
const ROUNDS: usize = 20;
/// The duration of a sample.
const SAMPLE: Duration = Duration::from_millis(4);
/// The number of calls before the first sample.
const WARM_UP: u32 = 2_000;
/// The time that criterion spends on a sample that was taken in advance.
const REPLAY: Duration = Duration::from_millis(1);

fn main() -> Result<(), lexopt::Error> {
    let (mut baggage, mut name, mut is_sampler) = (Baggage::Mixed, String::new(), false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("sampler") => is_sampler = true,
            // Added by Cargo.
            Long("bench") => {}
            Value(word) => match Baggage::named(&word.clone().string()?) {
                Some(named) => baggage = named,
                None => name = word.string()?,
            },
            other => return Err(other.unexpected()),
        }
    }
    if is_sampler {
        take_samples(variants::named(&name)?, baggage);
    } else {
        compare(&name, baggage);
    }
    Ok(())
}

/// Returns how often all processes are restarted.
fn generations(baggage: Baggage) -> usize {
    match baggage {
        Baggage::Mixed => 15,
        Baggage::Sentrys => 9,
    }
}

/// Prints `warm` after warming up, and then a sample for each line of input.
fn take_samples(variant: Variant, baggage: Baggage) {
    shift_heap();
    let mut measured = Measured::start(variant, baggage, WARM_UP);
    println!("warm");
    for line in std::io::stdin().lines() {
        line.expect("the bench asks in text");
        println!("{}", serde_json::json!(time::sample(&mut measured, SAMPLE)));
    }
}

fn compare(only: &str, baggage: Baggage) {
    let all = variants::all();
    let contains = |variant: &Variant| variant.name.contains(only);
    let is_base = |variant: &Variant| {
        let mut bases = all.iter().filter(|other| contains(other)).map(|other| other.family.base());
        bases.any(|base| base == Some(variant.name))
    };
    let chosen: Vec<Variant> =
        all.iter().filter(|variant| contains(variant) || is_base(variant)).copied().collect();
    assert!(!chosen.is_empty(), "no variant's name contains {only:?}");
    let samples = take_turns(&chosen, baggage);
    let group = criterion_group(baggage);
    analyse(&group, generations(baggage) * ROUNDS, &chosen, &samples);
    write(&group, &samples);
    println!("own time of a call, of differences in the same round (95 %)");
    for variant in chosen.iter().filter(|variant| variant.family.base() != Some(variant.name)) {
        if let Some(own) = samples.own(variant.name, variant.family.base()) {
            println!("{:<46} {:>8.0} ns  ({:.0} to {:.0})", variant.name, own.middle, own.low, own.high);
        }
    }
}

fn take_turns(chosen: &[Variant], baggage: Baggage) -> Samples {
    let mut samples = Samples::default();
    for _ in 0..generations(baggage) {
        let mut samplers: Vec<Sampler> =
            chosen.iter().map(|variant| Sampler::start(variant.name, baggage)).collect();
        for _ in 0..ROUNDS {
            samplers.iter_mut().for_each(Sampler::sample);
            // Alternating directions cancel steady changes during a round.
            samplers.reverse();
        }
        for Sampler { name, samples: taken, .. } in &mut samplers {
            samples.variants.entry((*name).to_owned()).or_default().push(std::mem::take(taken));
        }
    }
    samples
}

fn analyse(group: &Path, count: usize, chosen: &[Variant], samples: &Samples) {
    let title = group.file_name().expect("a group has a name").to_string_lossy();
    let mut criterion = Criterion::default()
        .sample_size(count)
        .warm_up_time(Duration::from_millis(20))
        .measurement_time(REPLAY * count as u32);
    let mut group = criterion.benchmark_group(title);
    group.throughput(Throughput::Elements(1)).sampling_mode(SamplingMode::Flat);
    for variant in chosen {
        let mut next = samples.variants[variant.name].iter().flatten().cycle();
        group.bench_function(variant.name, |bencher| {
            bencher.iter_custom(|calls| {
                let sample = next.next().map_or(0.0, |time| time.nanoseconds);
                let took = Duration::from_nanos((sample * calls as f64) as u64);
                // Criterion requests more and more calls until its warm-up time has passed.
                std::thread::sleep(took);
                took
            });
        });
    }
    group.finish();
}

fn write(group: &Path, samples: &Samples) {
    let text = serde_json::to_string(samples).expect("figures are JSON");
    let path: PathBuf = Samples::path(group);
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// A process that takes samples of a variant, and its samples.
struct Sampler {
    name: &'static str,
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    samples: Vec<Time>,
}

impl Sampler {
    fn start(name: &'static str, baggage: Baggage) -> Self {
        let program = std::env::current_exe().expect("a program has a path");
        let mut child = tools::pinned(&program, tools::PROCESSOR)
            .args(["--sampler", name, baggage.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset is installed");
        let asks = child.stdin.take().expect("it is piped");
        let mut answers = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        // No sample is taken while another process warms up on the same processor.
        assert!(matches!(answers.next(), Some(Ok(_))), "{name} does not start");
        Self { name, child, asks, answers, samples: Vec::new() }
    }

    fn sample(&mut self) {
        let asked = writeln!(self.asks);
        let answer = self.answers.next().and_then(Result::ok);
        let answer = answer.and_then(|answer| serde_json::from_str(&answer).ok());
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
