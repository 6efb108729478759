//! Measures everything and writes `docs/performance.md` with its charts, and the table of `docs/reliability.md`.
//!
//! - `cargo run --release --bin report` takes about 25 minutes, on a machine that has nothing else to do.
//! - `.. --bin report -- PART ..` measures those parts alone and keeps what is known of the rest. Pages are written when every part is
//!   known.
//! - `.. --bin report -- PART --only NAME` measures what contains the name alone, and keeps the rest of the part.
//! - `.. --bin report -- render` measures nothing.

mod charts;
mod counts;
mod criterion;
mod delivery;
mod jobs;
mod machine;
mod options;
mod page;
mod reliability;
mod results;

use std::path::Path;
use std::process::ExitCode;

use sentrace_bench::load;
use sentrace_bench::tools::{CRATE, Tools, kept};

use self::machine::{Machine, now};
use self::options::{Options, Part, usage};
use self::results::Results;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help") {
        println!("{}", usage());
        return ExitCode::SUCCESS;
    }
    match Options::read(&words).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let kept = kept()?;
    let mut results = if kept.exists() { Results::read(&kept)? } else { Results::default() };
    if !options.parts.is_empty() {
        let counts = options.parts.contains(&Part::Counts);
        let tools = if counts { Tools::build(true) } else { Tools::build_without_runner(true) }?;
        for part in &options.parts {
            eprintln!("{} ..", part.what());
            let began = now();
            measure(*part, &tools, options, &mut results)?;
            results.machine = Machine::look();
            options.note(*part, began, &mut results.parts);
            results.write(&kept)?;
        }
    }
    let missing: Vec<&str> =
        Part::ALL.into_iter().map(Part::name).filter(|part| !results.parts.contains_key(*part)).collect();
    if !missing.is_empty() {
        return Err(format!(
            "no page is written, as these were never measured as a whole here: {}; the others are kept in {}",
            missing.join(", "),
            kept.display()
        ));
    }
    let docs = Path::new(CRATE).join("../../docs");
    write(&docs.join("images/performance.svg"), &charts::costs(&results))?;
    write(&docs.join("images/performance-least.svg"), &charts::least(&results))?;
    if let Some(growth) = &results.growth {
        write(&docs.join("images/performance-growth.svg"), &charts::growth(growth))?;
    }
    write(&docs.join("performance.md"), &page::page(&results))?;
    let reliability = docs.join("reliability.md");
    let text = std::fs::read_to_string(&reliability)
        .map_err(|error| format!("{}: {error}", reliability.display()))?;
    write(&reliability, &reliability::page(&text, &results)?)
}

fn measure(part: Part, tools: &Tools, options: &Options, results: &mut Results) -> Result<(), String> {
    let only = options.only.as_deref();
    if only.is_none() {
        // Nothing of what was measured before is to be left.
        match part {
            Part::Criterion => results.times = Default::default(),
            Part::Counts => results.counts = Default::default(),
            Part::Growth => results.growth = None,
            Part::Load => results.load.clear(),
            Part::Delivery => results.delivery = Default::default(),
        }
    }
    let only = only.unwrap_or_default();
    match part {
        Part::Criterion => criterion::measure(tools, only, &mut results.times)?,
        Part::Counts => counts::count(tools, only, &mut results.counts)?,
        Part::Growth => results.growth = Some(tools.growth()?),
        Part::Load => results.load = load::run(tools)?,
        Part::Delivery => delivery::measure(tools, only, &mut results.delivery)?,
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    std::fs::write(path, text).map_err(fail)
}
