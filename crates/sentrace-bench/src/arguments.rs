//! What a measuring process is told.

use crate::measured::Measured;
use crate::request::Baggage;
use crate::variant::Variant;
use crate::variants;

/// Which variant, with which baggage, how often.
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
    /// Where a word is not what it should be.
    pub fn read(words: &[&str], calls: u32) -> Result<Self, String> {
        let (name, rest) = words.split_first().ok_or("name a variant; `measure list` lists them")?;
        let mut arguments = Self { variant: variants::named(name)?, baggage: Baggage::Mixed, calls };
        for word in rest {
            match (*word, word.parse()) {
                ("mixed", _) => arguments.baggage = Baggage::Mixed,
                ("sentrys", _) => arguments.baggage = Baggage::Sentrys,
                (_, Ok(calls)) => arguments.calls = calls,
                _ => return Err(format!("{word:?} is neither `mixed`, `sentrys` nor a number of calls")),
            }
        }
        Ok(arguments)
    }

    /// Starts the variant and warms it up with so many calls.
    pub fn start(&self, warm_up: u32) -> Measured {
        Measured::start(self.variant, self.baggage, warm_up)
    }
}
