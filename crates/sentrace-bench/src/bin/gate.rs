//! Counts instructions and allocations of sentrace's variants and compares them with the committed
//! ones in `gate.json`.
//!
//! - `cargo run --release --no-default-features --bin gate` fails if a variant costs more than the
//!   tolerance allows.
//! - `.. --bin gate -- --accept` writes the current figures to compare with.
//! - `.. --bin gate -- NAME` counts only the variants whose names contain it.
//! - `cargo run --profile release-default --no-default-features --bin gate` does the same in a
//!   profile close to cargo's default, with its figures in `gate-release-default.json`. Without LTO
//!   the module layout and `#[inline]` decide what is inlined.
//!
//! The gate compares a variant's own cost: the difference to its baseline, so that changes of axum
//! or the standard library do not count. Since the compiler may inline the server's code
//! differently after any change of the program, a variant only fails if both its own cost and its
//! total have grown. Instructions also depend on the compiler and the C library. If these differ
//! from the committed ones, the tolerance is larger, and a note says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use lexopt::prelude::*;
use sentrace_bench::arguments;
use sentrace_bench::request::Baggage;
use sentrace_bench::tools::{CRATE, Tools, output, profile};
use sentrace_bench::variant::{Family, Variant};
use sentrace_bench::variants;
use serde::{Deserialize, Serialize};

/// The tolerated increase, as a fraction.
const TOLERANCE: f64 = 0.03;
/// The tolerated increase with another compiler or C library.
const TOLERANCE_ELSEWHERE: f64 = 0.10;
/// A difference in instructions that is always tolerated.
const TRIFLE: f64 = 50.0;
/// A difference in allocations that is always tolerated: a map that grew during one of a thousand
/// calls.
const TRIFLE_OF_ALLOCATIONS: f64 = 0.02;

/// The committed file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Committed {
    /// The tools that the figures depend on.
    toolchain: String,
    variants: BTreeMap<String, Figures>,
}

/// The cost of a call of a variant, minus its baseline.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Figures {
    instructions: f64,
    /// Instructions including the baseline.
    whole: f64,
    allocations: f64,
    bytes: f64,
}

fn main() -> ExitCode {
    arguments::run(|| {
        let (mut accept, mut only) = (false, String::new());
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Long("accept") => accept = true,
                Value(name) => only = name.to_string_lossy().into_owned(),
                other => return Err(other.unexpected().to_string()),
            }
        }
        run(accept, &only)
    })
}

fn run(accept: bool, only: &str) -> Result<bool, String> {
    let tools = Tools::build(false)?;
    let profile = profile()?;
    let command = format!("cargo run --profile {profile} --no-default-features --bin gate");
    let name = if profile == "release" { "gate.json".to_owned() } else { format!("gate-{profile}.json") };
    let path = Path::new(CRATE).join(&name);
    let mut committed = read(&path, accept, &command)?;
    let toolchain = toolchain()?;
    let same = committed.toolchain == toolchain;
    let tolerance = if same { TOLERANCE } else { TOLERANCE_ELSEWHERE };
    if !same && !accept {
        println!("note: counted with {toolchain}\n      committed with {}", committed.toolchain);
        println!(
            "      so the tolerance is {:.0} % instead of {:.0} %\n",
            tolerance * 100.0,
            TOLERANCE * 100.0
        );
    }
    let mut counter = Counter::start(tools, only)?;
    println!(
        "{:<32} {:>12} {:>10} {:>8} {:>11} {:>8}",
        "own cost of", "instructions", "committed", "", "allocations", "bytes"
    );
    let mut worse = Vec::new();
    for variant in variants::ours() {
        if !variant.name.contains(only) {
            continue;
        }
        let figures = counter.own(variant)?;
        let before = committed.variants.get(variant.name).copied();
        let (figures, verdict) = match before {
            Some(before) if is_ours(variant) => counter.judged(variant, figures, before, tolerance)?,
            None if !accept => (figures, Verdict::New),
            _ => (figures, Verdict::Same),
        };
        if matches!(verdict, Verdict::Worse | Verdict::New) {
            worse.push(variant.name);
        }
        print!("{:<36} {:>12.0}", variant.name, figures.instructions);
        match before {
            Some(before) => {
                let change = figures.instructions / before.instructions - 1.0;
                print!(" {:>10.0} {:>+7.1} %", before.instructions, change * 100.0);
            }
            None => print!(" {:>10} {:>9}", "-", ""),
        }
        println!(" {:>10.2} {:>8.0} {}", figures.allocations, figures.bytes, verdict.words());
        committed.variants.insert(variant.name.to_owned(), figures);
    }
    println!("\nprofiles for callgrind_annotate: {}", shown(&counter.tools.profiles()));
    if accept {
        committed.toolchain = toolchain;
        let known: Vec<_> = variants::ours().iter().map(|variant| variant.name).collect();
        committed.variants.retain(|name, _| known.contains(&name.as_str()));
        return write(&path, &committed).map(|()| true);
    }
    if !worse.is_empty() {
        println!(
            "\nMore than {:.0} % over crates/sentrace-bench/{name}: {}.",
            tolerance * 100.0,
            worse.join(", ")
        );
        println!("If the increase is justified, run `{command} -- --accept` in crates/sentrace-bench,");
        println!("commit {name} with the change, and give the reason in the message.");
    }
    Ok(worse.is_empty())
}

/// Counts variants, and caches baselines.
struct Counter {
    tools: Tools,
    /// Instructions that were counted together and not yet used.
    counted: BTreeMap<&'static str, f64>,
    /// The first figures of each variant.
    first: BTreeMap<&'static str, Figures>,
}

impl Counter {
    /// Counts the variants whose names contain `only`.
    fn start(tools: Tools, only: &str) -> Result<Self, String> {
        let counted = tools.instructions(&format!("*{only}*"), Some(Baggage::Mixed))?;
        let counted = counted.into_iter().map(|counted| (counted.variant.name, counted.instructions));
        Ok(Self { tools, counted: counted.collect(), first: BTreeMap::new() })
    }

    fn own(&mut self, variant: Variant) -> Result<Figures, String> {
        let mut figures = self.whole(variant.name)?;
        let Some(base) = base(variant) else { return Ok(figures) };
        let base = match self.first.get(base) {
            Some(base) => *base,
            None => self.whole(base)?,
        };
        figures.instructions -= base.instructions;
        figures.allocations -= base.allocations;
        figures.bytes -= base.bytes;
        Ok(figures)
    }

    /// Compares a variant with its committed figures. The cost of passing records to another thread
    /// varies with that thread's timing, so the minimum of several counts is used.
    fn judged(
        &mut self,
        variant: Variant,
        mut figures: Figures,
        before: Figures,
        tolerance: f64,
    ) -> Result<(Figures, Verdict), String> {
        for _ in 0..3 {
            if verdict(figures, before, tolerance) != Verdict::Worse {
                break;
            }
            let again = self.own(variant)?;
            if again.instructions < figures.instructions {
                figures = again;
            }
        }
        Ok((figures, verdict(figures, before, tolerance)))
    }

    fn whole(&mut self, name: &'static str) -> Result<Figures, String> {
        let instructions = match self.counted.remove(name) {
            Some(instructions) => instructions,
            None => self.again(name)?,
        };
        let allocations = self.tools.allocations(name, Baggage::Mixed)?;
        let figures = Figures {
            instructions,
            whole: instructions,
            allocations: allocations.count,
            bytes: allocations.bytes,
        };
        self.first.entry(name).or_insert(figures);
        Ok(figures)
    }

    fn again(&self, name: &str) -> Result<f64, String> {
        let counted = self.tools.instructions(name, Some(Baggage::Mixed))?;
        counted.first().map(|counted| counted.instructions).ok_or_else(|| format!("{name} was not counted"))
    }
}

/// Returns the baseline of a variant.
fn base(variant: Variant) -> Option<&'static str> {
    match (variant.family, is_ours(variant)) {
        (Family::Headers, _) => None,
        (Family::Server, true) => Some("noop-layer"),
        (Family::Outgoing, true) => Some("outgoing-noop"),
        (Family::Server, false) => (variant.name != "bare").then_some("bare"),
        (Family::Outgoing, false) => (variant.name != "outgoing-stub").then_some("outgoing-stub"),
    }
}

/// Returns `true` for variants that can fail. Baselines are only shown.
fn is_ours(variant: Variant) -> bool {
    variant.family == Family::Headers || variant.name.contains("sentrace")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Worse,
    Same,
    Better,
    New,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Worse => "MORE",
            Self::Same => "",
            Self::New => "NOT COMMITTED",
            Self::Better => "less: accept with `gate -- --accept`",
        }
    }
}

fn verdict(now: Figures, before: Figures, tolerance: f64) -> Verdict {
    let own = now.instructions - before.instructions;
    let more = own.min(now.whole - before.whole);
    let allocations = now.allocations - before.allocations;
    let decides = |instructions: f64| instructions > TRIFLE.max(tolerance * before.instructions);
    if decides(more) || allocations > TRIFLE_OF_ALLOCATIONS {
        Verdict::Worse
    } else if decides(-own) || allocations < -TRIFLE_OF_ALLOCATIONS {
        Verdict::Better
    } else {
        Verdict::Same
    }
}

fn read(path: &Path, accept: bool, command: &str) -> Result<Committed, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display())),
        Err(_) if accept => Ok(Committed::default()),
        Err(error) => Err(format!("{}: {error}; `{command} -- --accept` writes it", path.display())),
    }
}

fn write(path: &Path, committed: &Committed) -> Result<(), String> {
    let mut text = serde_json::to_string_pretty(committed).map_err(|error| error.to_string())?;
    text.push('\n');
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("written to {}", path.display());
    Ok(())
}

/// Returns the versions of compiler, valgrind and C library.
fn toolchain() -> Result<String, String> {
    let first_line = |program: &str, argument: &str| {
        let text = output(Command::new(program).arg(argument))?;
        Ok::<_, String>(text.lines().next().unwrap_or_default().to_owned())
    };
    let c_library = first_line("ldd", "--version").unwrap_or_else(|_| "unknown C library".to_owned());
    Ok(format!("{}, {}, {c_library}", first_line("rustc", "-V")?, first_line("valgrind", "--version")?))
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
