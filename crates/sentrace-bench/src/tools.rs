//! Builds and starts the processes in which variants run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::allocations::Allocations;
use crate::delivery::Row;
use crate::growth::Growth;
use crate::instructions::{Counted, benchmarks};
use crate::request::Baggage;

/// The folder of this crate.
pub const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The processor that measurements run on.
pub const PROCESSOR: &str = "1";
/// The processor for load generators and collectors.
const OTHER: &str = "0";

/// The measuring binaries, and the folder of gungraun's results.
#[derive(Debug)]
pub struct Tools {
    binaries: PathBuf,
    gungraun: PathBuf,
    with_peers: bool,
}

impl Tools {
    /// Builds sentrace's variants, or all of them.
    ///
    /// # Errors
    /// Returns an error if something cannot be built or found.
    pub fn build(with_peers: bool) -> Result<Self, String> {
        check_runner()?;
        Self::build_without_runner(with_peers)
    }

    /// Like [`build`](Self::build), but does not require gungraun-runner, which only counting
    /// instructions needs.
    ///
    /// # Errors
    /// Returns an error if something cannot be built or found.
    pub fn build_without_runner(with_peers: bool) -> Result<Self, String> {
        if cfg!(debug_assertions) {
            return Err("results of an unoptimised build are meaningless; run with --release".to_owned());
        }
        output(bench("instructions", with_peers)?.arg("--no-run"))?;
        let binaries = folder()?;
        let gungraun = binaries.with_file_name("gungraun");
        Ok(Self { binaries, gungraun, with_peers })
    }

    /// Returns the folder of callgrind's profiles, with a subfolder for each benchmark.
    pub fn profiles(&self) -> PathBuf {
        self.gungraun.join(env!("CARGO_PKG_NAME")).join("instructions/calls")
    }

    /// Returns a command that runs `measure` on the processor for measurements.
    pub fn measure(&self) -> Command {
        self.pinned("measure", PROCESSOR)
    }

    /// Returns a command that runs `measure` on the other processor.
    pub fn beside(&self) -> Command {
        self.pinned("measure", OTHER)
    }

    /// Measures how the cost grows, on both processors, since that includes concurrent requests.
    ///
    /// # Errors
    /// Returns the error of the measuring process.
    pub fn growth(&self) -> Result<Growth, String> {
        read(&output(Command::new(self.binaries.join("measure")).arg("growth"))?)
    }

    /// Runs criterion on the variants whose names contain `only`, interleaved.
    ///
    /// # Errors
    /// Returns the error of the bench.
    pub fn criterion(&self, only: &str, baggage: Baggage) -> Result<(), String> {
        let mut command = bench("variants", self.with_peers)?;
        command.env("CRITERION_HOME", criterion_folder());
        output(command.args(["--", only, baggage.name()])).map(drop)
    }

    /// Runs a part of `delivery` for names that contain `only`.
    ///
    /// # Errors
    /// Returns the error of the process.
    pub fn delivery<R: Row>(&self, part: &str, only: &str) -> Result<Vec<R>, String> {
        let rows = output(Command::new(self.binaries.join("delivery")).args([part, only, "--json"]))?;
        rows.lines().map(read).collect()
    }

    /// Counts the allocations of a call.
    ///
    /// # Errors
    /// Returns the error of the measuring process.
    pub fn allocations(&self, variant: &str, baggage: Baggage) -> Result<Allocations, String> {
        read(&output(self.pinned("allocations", PROCESSOR).args([variant, baggage.name()]))?)
    }

    /// Counts the instructions of a call, for all variants that match a pattern with `*`, with one
    /// baggage or with each. Benchmarks run in parallel, since counts do not depend on the load of
    /// the machine.
    ///
    /// # Errors
    /// Returns the error of gungraun or the benchmark, or an error if no benchmark matches.
    pub fn instructions(&self, variants: &str, baggage: Option<Baggage>) -> Result<Vec<Counted>, String> {
        let benchmarks = benchmarks(variants, baggage);
        let mut command = bench("instructions", self.with_peers)?;
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

/// Returns the file that keeps results between runs.
///
/// # Errors
/// Returns an error if the path of this program is unknown.
pub fn kept() -> Result<PathBuf, String> {
    Ok(folder()?.join("report.json"))
}

/// Returns the profile that this program was built with, which is the one it measures: `release` or
/// `release-default`.
///
/// # Errors
/// Returns an error if the path of this program is unknown.
pub fn profile() -> Result<String, String> {
    let folder = folder()?;
    let name = folder.file_name().ok_or("the program is not in the folder of a profile")?;
    Ok(name.to_string_lossy().into_owned())
}

fn folder() -> Result<PathBuf, String> {
    let program =
        std::env::current_exe().map_err(|error| format!("the path of this program is unknown: {error}"))?;
    Ok(program.parent().ok_or("the program is not in a folder")?.to_owned())
}

/// Returns the folder of criterion's results, with a subfolder for each variant.
pub fn criterion_group(baggage: Baggage) -> PathBuf {
    let name = match baggage {
        Baggage::Mixed => "variants",
        Baggage::Sentrys => "variants-sentrys",
    };
    criterion_folder().join(name)
}

/// Returns criterion's folder by its own rule: from the environment, or beside the folder of the
/// profile.
fn criterion_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("CRITERION_HOME") {
        return folder.into();
    }
    let program = std::env::current_exe().unwrap_or_default();
    let profile = program.ancestors().find(|folder| folder.ends_with("release"));
    profile.unwrap_or(Path::new("target/release")).with_file_name("criterion")
}

/// Returns a command that runs a program on one processor.
pub fn pinned(program: &Path, processor: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", processor]).arg(program);
    command
}

/// Checks the version of gungraun-runner, which must match the library. The runner itself would
/// only report this after everything is built.
fn check_runner() -> Result<(), String> {
    let pinned = include_str!("../Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("gungraun = \"=")?.strip_suffix('"'))
        .ok_or("Cargo.toml does not pin a version of gungraun")?;
    let install = format!("`cargo install --locked gungraun-runner@{pinned}`");
    match output(Command::new("gungraun-runner").arg("--version")) {
        Ok(found) if found.split_whitespace().last() == Some(pinned) => Ok(()),
        Ok(found) => {
            Err(format!("{} is installed, but Cargo.toml pins gungraun {pinned}: {install}", found.trim()))
        }
        Err(error) => Err(format!("{error}\nIs gungraun-runner installed? {install}")),
    }
}

/// Returns a command that builds and runs benchmarks in the profile of this program. Cargo also
/// builds the binaries.
fn bench(name: &str, with_peers: bool) -> Result<Command, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--quiet", "--bench", name]);
    // The `bench` profile equals `release` and shares its folder.
    match profile()?.as_str() {
        "release" => (),
        profile => _ = cargo.args(["--profile", profile]),
    }
    cargo.arg("--manifest-path").arg(Path::new(CRATE).join("Cargo.toml"));
    if !with_peers {
        cargo.arg("--no-default-features");
    }
    Ok(cargo)
}

/// Runs a command and returns its standard output.
///
/// # Errors
/// Returns an error with its standard error output if it cannot be started or fails.
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
