//! The command line of the report.

use std::ffi::OsString;

use lexopt::prelude::*;

pub const USAGE: &str = "\
usage: report [PART ..] [--only NAME] | report render

Measures all parts, which takes about 25 minutes, and writes docs/performance.md, its charts, and docs/reliability.md:
  criterion  nanoseconds, 5 minutes
  counts     instructions and allocations, 2 minutes
  growth     how the cost grows, 1 minute
  load       servers over loopback, 5 minutes
  delivery   beside the official transport and under faults, 9 minutes
With --only, what is measured of criterion, counts and delivery contains the name; the rest is kept. render measures nothing.";

/// Something that is measured individually.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Criterion,
    Counts,
    Growth,
    Load,
    Delivery,
}

impl Part {
    pub const ALL: [(&str, Self); 5] = [
        ("criterion", Self::Criterion),
        ("counts", Self::Counts),
        ("growth", Self::Growth),
        ("load", Self::Load),
        ("delivery", Self::Delivery),
    ];

    fn has_names(self) -> bool {
        !matches!(self, Self::Growth | Self::Load)
    }
}

/// The parts to measure with their names, and a name that what is measured has to contain.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub parts: Vec<(&'static str, Part)>,
    pub only: Option<String>,
    pub help: bool,
}

impl Options {
    /// Reads the command line.
    pub fn read(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let (mut options, mut all) = (Self::default(), true);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("only") => options.only = Some(parser.value()?.string()?),
                Long("help") => options.help = true,
                Value(word) => {
                    all = false;
                    match Part::ALL.into_iter().find(|(name, _)| word == *name) {
                        Some(part) => options.parts.push(part),
                        None if word == "render" => {}
                        None => return Err(format!("{word:?} is no part\n\n{USAGE}").into()),
                    }
                }
                other => return Err(other.unexpected()),
            }
        }
        if options.only.is_some() && (all || !options.parts.iter().all(|(_, part)| part.has_names())) {
            return Err("--only needs a part that has names: criterion, counts or delivery".into());
        }
        if all {
            options.parts = Part::ALL.into();
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, lexopt::Error> {
        Options::read(line.split_whitespace())
    }

    #[test]
    fn without_words_everything_is_measured_and_to_render_nothing() {
        assert_eq!(read("").unwrap().parts, Part::ALL);
        assert_eq!(read("render").unwrap().parts, []);
    }

    #[test]
    fn a_name_chooses_within_parts_that_have_names() {
        let options = read("criterion --only sentrace").unwrap();
        assert_eq!((options.parts, options.only.as_deref()), (vec![Part::ALL[0]], Some("sentrace")));
        for (line, reason) in [
            ("--only sentrace", "of what?"),
            ("load --only sentrace", "shares need all servers of a run"),
            ("criterion --only", "which?"),
            ("nanoseconds", "no such part"),
        ] {
            assert!(read(line).is_err(), "{line}: {reason}");
        }
    }
}
