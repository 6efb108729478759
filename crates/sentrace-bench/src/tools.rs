//! Building and starting the processes in which variants run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::de::DeserializeOwned;

use crate::allocations::Allocations;
use crate::delivery::Row;
use crate::growth::Growth;
use crate::instructions::{Counted, benchmarks};
use crate::request::Baggage;

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
        check_runner()?;
        Self::build_without_runner(with_peers)
    }

    /// The same for those who count no instructions, and need no gungraun-runner.
    ///
    /// # Errors
    /// Where something cannot be built or found.
    pub fn build_without_runner(with_peers: bool) -> Result<Self, String> {
        if cfg!(debug_assertions) {
            return Err("figures of an unoptimised build mean nothing; run with --release".to_owned());
        }
        output(bench("instructions", with_peers)?.arg("--no-run"))?;
        let binaries = folder()?;
        let gungraun = binaries.with_file_name("gungraun");
        Ok(Self { binaries, gungraun, with_peers })
    }

    /// Where callgrind's profiles are, in a folder for each benchmark.
    pub fn profiles(&self) -> PathBuf {
        self.gungraun.join(env!("CARGO_PKG_NAME")).join("instructions/calls")
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

    /// Has criterion look at the variants whose names contain `only`, in turns.
    ///
    /// # Errors
    /// What the bench says.
    pub fn criterion(&self, only: &str, baggage: Baggage) -> Result<(), String> {
        let mut command = bench("variants", self.with_peers)?;
        command.env("CRITERION_HOME", criterion_folder());
        output(command.args(["--", only, baggage.name()])).map(drop)
    }

    /// What a part of `delivery` finds out, for names that contain `only`.
    ///
    /// # Errors
    /// What the process says.
    pub fn delivery<R: Row>(&self, part: &str, only: &str) -> Result<Vec<R>, String> {
        let rows = output(Command::new(self.binaries.join("delivery")).args([part, only, "--json"]))?;
        rows.lines().map(read).collect()
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

/// What was measured, to be kept between runs.
///
/// # Errors
/// Where the program is nowhere.
pub fn kept() -> Result<PathBuf, String> {
    Ok(folder()?.join("report.json"))
}

/// Returns the profile that this program was built with, which is the one it measures: `release` or `release-default`.
///
/// # Errors
/// Returns an error if the path of this program is unknown.
pub fn profile() -> Result<String, String> {
    let folder = folder()?;
    let name = folder.file_name().ok_or("the program is in no folder of a profile")?;
    Ok(name.to_string_lossy().into_owned())
}

fn folder() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    Ok(program.parent().ok_or("the program is in no folder")?.to_owned())
}

/// Where criterion leaves what it made of the samples, in a folder for each variant.
pub fn criterion_group(baggage: Baggage) -> PathBuf {
    let name = match baggage {
        Baggage::Mixed => "variants",
        Baggage::Sentrys => "variants-sentrys",
    };
    criterion_folder().join(name)
}

/// Criterion's own rule: what the environment says, or beside the folder of the profile.
fn criterion_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("CRITERION_HOME") {
        return folder.into();
    }
    let program = std::env::current_exe().unwrap_or_default();
    let profile = program.ancestors().find(|folder| folder.ends_with("release"));
    profile.unwrap_or(Path::new("target/release")).with_file_name("criterion")
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

/// Builds and runs benchmarks in the profile of this program; cargo builds the binaries along with them.
fn bench(name: &str, with_peers: bool) -> Result<Command, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--quiet", "--bench", name]);
    // `bench` is `release` and shares its folder.
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
