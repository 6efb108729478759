//! What the report is asked for.

use std::collections::BTreeMap;

/// Something that is measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Criterion,
    Counts,
    Growth,
    Load,
    Delivery,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Criterion, Self::Counts, Self::Growth, Self::Load, Self::Delivery];

    pub fn name(self) -> &'static str {
        match self {
            Self::Criterion => "criterion",
            Self::Counts => "counts",
            Self::Growth => "growth",
            Self::Load => "load",
            Self::Delivery => "delivery",
        }
    }

    /// What it measures, and how long that takes.
    pub fn what(self) -> &'static str {
        match self {
            Self::Criterion => "criterion: nanoseconds, 5 minutes",
            Self::Counts => "counts: instructions and allocations, 2 minutes",
            Self::Growth => "growth: how our costs grow, 1 minute",
            Self::Load => "load: servers over loopback, 5 minutes",
            Self::Delivery => "delivery: beside the official transport and under faults, 9 minutes",
        }
    }

    fn has_names(self) -> bool {
        !matches!(self, Self::Growth | Self::Load)
    }
}

/// The parts to measure, and the names that what is measured has to contain.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub parts: Vec<Part>,
    pub only: Option<String>,
}

impl Options {
    /// Reads `[PART ..] [--only NAME]` or `render`.
    ///
    /// # Errors
    /// Where a word is none of these: with what there is.
    pub fn read(words: &[String]) -> Result<Self, String> {
        let mut options = Self { parts: Vec::new(), only: None };
        let mut words_left = words.iter();
        while let Some(word) = words_left.next() {
            if word == "--only" {
                options.only = Some(words_left.next().ok_or("--only wants a name")?.clone());
            } else if let Some(part) = Part::ALL.into_iter().find(|part| part.name() == word) {
                options.parts.push(part);
            } else if word != "render" {
                return Err(format!("{word:?} is no part.\n\n{}", usage()));
            }
        }
        if words.is_empty() {
            options.parts = Part::ALL.into();
        }
        match options.only {
            Some(_) if options.parts.is_empty() => Err("--only wants a part to choose from".to_owned()),
            Some(_) => match options.parts.iter().find(|part| !part.has_names()) {
                Some(part) => Err(format!("{} is measured as a whole, without --only", part.name())),
                None => Ok(options),
            },
            None => Ok(options),
        }
    }

    /// Notes when a part was measured, or what of it.
    pub fn note(&self, part: Part, began: String, noted: &mut BTreeMap<String, String>) {
        let name = part.name();
        match &self.only {
            Some(only) => {
                noted.insert(format!("{name} of {only:?}"), began);
            }
            None => {
                noted.retain(|known, _| !known.starts_with(name));
                noted.insert(name.to_owned(), began);
            }
        }
    }
}

/// What there is to ask for.
pub fn usage() -> String {
    let parts: String = Part::ALL.iter().map(|part| format!("\n  {}", part.what())).collect();
    format!(
        "usage: report [PART ..] [--only NAME] | render\n\nAll parts take about 25 minutes, and what has to be built for them as long as it takes:{parts}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn without_words_everything_is_measured_and_to_render_nothing() {
        assert_eq!(read(""), Ok(Options { parts: Part::ALL.into(), only: None }));
        assert_eq!(read("render"), Ok(Options { parts: Vec::new(), only: None }));
    }

    #[test]
    fn a_name_chooses_within_parts_that_have_names() {
        let only = Some("sentrace".to_owned());
        assert_eq!(read("criterion --only sentrace"), Ok(Options { parts: vec![Part::Criterion], only }));
        for (line, reason) in [
            ("--only sentrace", "of what?"),
            ("load --only sentrace", "shares need all servers of a run"),
            ("criterion --only", "which?"),
            ("nanoseconds", "no such part"),
        ] {
            assert!(read(line).is_err(), "{line}: {reason}");
        }
    }

    #[test]
    fn a_whole_part_takes_the_place_of_what_was_noted_of_it() {
        let mut noted = BTreeMap::new();
        for (line, at) in [("counts", "1"), ("counts --only bare", "2"), ("load", "3"), ("counts", "4")] {
            let options = read(line).expect("it can be read");
            options.note(options.parts[0], at.to_owned(), &mut noted);
        }
        assert_eq!(
            noted,
            BTreeMap::from([("counts", "4"), ("load", "3")].map(|(k, v)| (k.to_owned(), v.to_owned())))
        );
    }
}
