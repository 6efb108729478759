//! Measures everything and writes the tables of `docs/performance.md` and `docs/reliability.md`,
//! and the charts.
//!
//! `cargo run --release --bin report` takes about 25 minutes on a machine that has nothing else to
//! do. What is measured is kept, so parts can be measured one at a time: `-- --help` lists them.
//! The text of the pages is written by hand; a table stands between two comments, `<!-- table: NAME
//! -->` and `<!-- end -->`.

mod charts;
mod machine;
mod measure;
mod options;
mod page;
mod promises;
mod results;
mod tables;

use std::path::Path;
use std::process::ExitCode;

use sentrace_bench::arguments;
use sentrace_bench::tools::{CRATE, Tools, kept};

use self::machine::{Machine, now};
use self::options::{Options, Part, USAGE};
use self::results::Results;

fn main() -> ExitCode {
    arguments::run(|| {
        let options = Options::read(std::env::args_os().skip(1)).map_err(|error| error.to_string())?;
        run(options).map(|()| true)
    })
}

fn run(options: Options) -> Result<(), String> {
    if options.help {
        println!("{USAGE}");
        return Ok(());
    }
    let kept = kept()?;
    let mut results = if kept.exists() { Results::read(&kept)? } else { Results::default() };
    if !options.parts.is_empty() {
        let counts = options.parts.iter().any(|(_, part)| *part == Part::Counts);
        let tools = if counts { Tools::build(true) } else { Tools::build_without_runner(true) }?;
        for (name, part) in options.parts {
            eprintln!("{name} ..");
            let began = now();
            measure::measure(part, &tools, options.only.as_deref(), &mut results)?;
            results.machine = Machine::look();
            results.note(name, options.only.as_deref(), began);
            write(&kept, &serde_json::json!(results).to_string())?;
        }
    }
    let missing =
        Part::ALL.map(|(name, _)| name).into_iter().filter(|name| !results.parts.contains_key(*name));
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        let (missing, kept) = (missing.join(", "), kept.display());
        return Err(format!(
            "no page is written: {missing} were never measured here as a whole; {kept} keeps the others"
        ));
    }
    let docs = Path::new(CRATE).join("../../docs");
    for (name, chart) in charts::all(&results) {
        write(&docs.join("images").join(name), &chart)?;
    }
    let tables = tables::all(&results);
    for name in ["performance.md", "reliability.md"] {
        let path = docs.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let filled = page::fill(&text, &tables).map_err(|error| format!("{}: {error}", path.display()))?;
        write(&path, &filled)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
