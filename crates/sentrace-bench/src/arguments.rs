//! The command lines of the measuring processes.

use lexopt::prelude::*;

use crate::measured::Measured;
use crate::request::Baggage;
use crate::variant::Variant;
use crate::variants;

/// What a process measures, with which baggage, and how often.
#[derive(Debug)]
pub struct Arguments {
    /// What is measured.
    pub variant: Variant,
    /// What comes in.
    pub baggage: Baggage,
    /// How many calls are measured, at least.
    pub calls: u32,
}

impl Arguments {
    /// Reads `VARIANT [mixed|sentrys] [CALLS]`.
    ///
    /// # Errors
    /// Returns an error if something else is given.
    pub fn read(parser: &mut lexopt::Parser, calls: u32) -> Result<Self, lexopt::Error> {
        let name = parser.value()?.string()?;
        let mut arguments = Self { variant: variants::named(&name)?, baggage: Baggage::Mixed, calls };
        for word in parser.raw_args()? {
            match Baggage::named(&word.clone().string()?) {
                Some(baggage) => arguments.baggage = baggage,
                None => arguments.calls = word.parse()?,
            }
        }
        Ok(arguments)
    }

    /// Starts the variant and warms it up with so many calls.
    pub fn start(&self, warm_up: u32) -> Measured {
        Measured::start(self.variant, self.baggage, warm_up)
    }
}

/// Runs a program and returns its exit code; an error is printed.
pub fn run<E: std::fmt::Display>(program: impl FnOnce() -> Result<bool, E>) -> std::process::ExitCode {
    match program() {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => std::process::ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
