//! Building and starting the processes in which variants run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::allocations::Allocations;
use crate::growth::Growth;
use crate::instructions::{Counted, benchmarks};
use crate::request::Baggage;
use crate::time::Time;

/// The crate's own folder.
pub const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The processor that is measured on.
pub const PROCESSOR: &str = "1";
/// The one for load and collectors.
const OTHER: &str = "0";

/// The binaries that measure, and where gungraun leaves what it counts.
#[derive(Debug)]
pub struct Tools {
    binaries: PathBuf,
    gungraun: PathBuf,
    with_peers: bool,
}

impl Tools {
    /// Builds what is needed: the variants of ours, or all of them.
    ///
    /// # Errors
    /// Where something cannot be built or found.
    pub fn build(with_peers: bool) -> Result<Self, String> {
        if cfg!(debug_assertions) {
            return Err("figures of an unoptimised build mean nothing; run with --release".to_owned());
        }
        check_runner()?;
        output(bench(with_peers).arg("--no-run"))?;
        let program = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let binaries = program.parent().ok_or("the program is in no folder")?.to_owned();
        let gungraun = binaries.with_file_name("gungraun");
        Ok(Self { binaries, gungraun, with_peers })
    }

    /// Where callgrind's profiles are, in a folder for each benchmark.
    pub fn profiles(&self) -> PathBuf {
        self.gungraun.join(env!("CARGO_PKG_NAME")).join("instructions/calls")
    }

    /// What was measured, to be kept between runs.
    pub fn kept(&self) -> PathBuf {
        self.binaries.join("report.json")
    }

    /// A process that runs `measure`, pinned to the processor that is measured on.
    pub fn measure(&self) -> Command {
        self.pinned("measure", PROCESSOR)
    }

    /// The same on the other processor.
    pub fn beside(&self) -> Command {
        self.pinned("measure", OTHER)
    }

    /// How our costs grow; on both processors, as requests at the same time are among it.
    ///
    /// # Errors
    /// What the measuring process says.
    pub fn growth(&self) -> Result<Growth, String> {
        read(&output(Command::new(self.binaries.join("measure")).arg("growth"))?)
    }

    /// Nanoseconds of a call.
    ///
    /// # Errors
    /// What the measuring process says.
    pub fn time(&self, variant: &str, baggage: Baggage, calls: u32) -> Result<Time, String> {
        let mut command = self.measure();
        command.args(["time", variant, baggage.name(), &calls.to_string()]);
        read(&output(&mut command)?)
    }

    /// Allocations of a call.
    ///
    /// # Errors
    /// What the measuring process says.
    pub fn allocations(&self, variant: &str, baggage: Baggage) -> Result<Allocations, String> {
        read(&output(self.pinned("allocations", PROCESSOR).args([variant, baggage.name()]))?)
    }

    /// Instructions of a call, for all variants of that name, in which `*` stands for anything; with any baggage where
    /// none is named. Two at a time, as counts do not depend on what else the machine does.
    ///
    /// # Errors
    /// What gungraun or the benchmark says, and where there is no such benchmark.
    pub fn instructions(&self, variants: &str, baggage: Option<Baggage>) -> Result<Vec<Counted>, String> {
        let benchmarks = benchmarks(variants, baggage);
        let mut command = bench(self.with_peers);
        command.args(["--", "--output-format=json", "--parallel=auto", "--home"]).arg(&self.gungraun);
        let counted = output(command.arg(&benchmarks))?;
        let counted: Vec<_> = counted.lines().map(Counted::read).collect::<Result<_, _>>()?;
        if counted.is_empty() {
            return Err(format!(
                "benches/instructions.rs has no benchmark {benchmarks:?}; each variant needs one"
            ));
        }
        Ok(counted)
    }

    fn pinned(&self, program: &str, processor: &str) -> Command {
        pinned(&self.binaries.join(program), processor)
    }
}

/// A program on one processor.
pub fn pinned(program: &Path, processor: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", processor]).arg(program);
    command
}

/// A runner speaks to the library of its own version alone, and says which only after all is built.
fn check_runner() -> Result<(), String> {
    let pinned = include_str!("../Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("gungraun = \"=")?.strip_suffix('"'))
        .ok_or("Cargo.toml pins no version of gungraun")?;
    let install = format!("`cargo install --locked gungraun-runner@{pinned}`");
    match output(Command::new("gungraun-runner").arg("--version")) {
        Ok(found) if found.split_whitespace().last() == Some(pinned) => Ok(()),
        Ok(found) => {
            Err(format!("{} is installed, but Cargo.toml pins gungraun {pinned}: {install}", found.trim()))
        }
        Err(error) => Err(format!("{error}\nIs gungraun-runner installed? {install}")),
    }
}

/// Builds and runs gungraun's benchmarks; cargo builds the binaries along with them.
fn bench(with_peers: bool) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--quiet", "--bench", "instructions"]);
    cargo.arg("--manifest-path").arg(Path::new(CRATE).join("Cargo.toml"));
    if !with_peers {
        cargo.arg("--no-default-features");
    }
    cargo
}

/// What a command prints; what it says on stderr is the error where it fails.
///
/// # Errors
/// Where it cannot be started or fails.
pub fn output(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("{shown}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("{error} in {text:?}"))
}
