//! Measures everything and writes `docs/performance.md` with its charts.
//!
//! - `cargo run --release --bin report` takes about ten minutes, on a machine that has nothing else to do.
//! - `.. --bin report -- costs`, `load` or `growth` measures that part alone and keeps what is known of the rest.
//! - `.. --bin report -- render` measures nothing.

mod charts;
mod costs;
mod jobs;
mod machine;
mod page;
mod results;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sentrace_bench::load;
use sentrace_bench::tools::{CRATE, Tools};

use self::machine::{Machine, now};
use self::results::Results;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), String> {
    const PARTS: [&str; 4] = ["costs", "load", "growth", "render"];
    if let Some(word) = words.iter().find(|word| !PARTS.contains(&word.as_str())) {
        return Err(format!("{word:?} is none of {}", PARTS.join(", ")));
    }
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    let tools = Tools::build(true)?;
    let kept = tools.kept();
    let mut results = if words.is_empty() { Results::default() } else { Results::read(&kept)? };
    if wanted("costs") {
        results.parts.insert("costs".to_owned(), now());
        results.machine = Machine::look();
        eprintln!("nanoseconds, instructions and allocations ..");
        results.costs = costs::measure(&tools)?;
        results.write(&kept)?;
    }
    if wanted("growth") {
        results.parts.insert("growth".to_owned(), now());
        eprintln!("growth ..");
        results.growth = Some(tools.growth()?);
        results.write(&kept)?;
    }
    if wanted("load") {
        results.parts.insert("load".to_owned(), now());
        eprintln!("load over loopback ..");
        results.load = load::run(&tools)?;
        results.write(&kept)?;
    }
    let docs = Path::new(CRATE).join("../../docs");
    write(&docs.join("images/performance.svg"), &charts::costs(&results))?;
    if let Some(growth) = &results.growth {
        write(&docs.join("images/performance-growth.svg"), &charts::growth(growth))?;
    }
    write(&docs.join("performance.md"), &page::page(&results))
}

fn write(path: &PathBuf, text: &str) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    std::fs::write(path, text).map_err(fail)
}
