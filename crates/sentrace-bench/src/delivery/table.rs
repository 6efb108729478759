//! The tables, written here for the report and for those who measure by hand.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Counted, Faulted, Figures, Loaded, Outage};
use crate::chart::figure;

/// A row of a table of its own kind.
pub trait Row: Serialize + DeserializeOwned {
    /// What the columns are called.
    const COLUMNS: &'static [&'static str];

    /// What it is of; a table has one of the same.
    fn subject(&self) -> Vec<&str>;

    /// What follows the subject.
    fn cells(&self) -> Vec<String>;

    /// The first two lines of the table: figures to the right, what they are of to the left.
    fn head(&self) -> String {
        let of = self.subject().len();
        let rule = (0..Self::COLUMNS.len()).map(|at| if at < of { "---|" } else { "---:|" });
        format!("| {} |\n|{}\n", Self::COLUMNS.join(" | "), rule.collect::<String>())
    }

    /// Its line.
    fn line(&self) -> String {
        let subject = self.subject().into_iter().map(str::to_owned);
        format!("| {} |\n", subject.chain(self.cells()).collect::<Vec<_>>().join(" | "))
    }
}

/// All rows.
pub fn table<R: Row>(rows: &[R]) -> String {
    let lines: String = rows.iter().map(Row::line).collect();
    rows.first().map(Row::head).unwrap_or_default() + &lines
}

impl Row for Loaded {
    const COLUMNS: &'static [&'static str] = &[
        "scenario",
        "transport",
        "recorded",
        "arrived",
        "reported lost",
        "unaccounted",
        "bytes each",
        "worker's processor time each, us (of it the kernel's)",
        "request, us (median / slowest)",
        "memory peak over start, MiB",
        "close, ms",
    ];

    fn subject(&self) -> Vec<&str> {
        vec![&self.scenario, &self.transport]
    }

    fn cells(&self) -> Vec<String> {
        let figures = &self.figures;
        let worker = figures.worker.zip(figures.kernel);
        vec![
            count(figures.recorded),
            count(figures.delivered),
            count(figures.reported),
            signed(figures),
            count(figures.body_bytes),
            worker.map_or("-".to_owned(), |(worker, kernel)| format!("{worker:.1} ({kernel:.1})")),
            format!("{:.1} / {}", figures.median, figure(figures.slowest.round())),
            mebibytes(figures.memory),
            count(figures.close),
        ]
    }
}

impl Row for Faulted {
    const COLUMNS: &'static [&'static str] = &[
        "fault",
        "spool",
        "recorded",
        "delivered",
        "refused by 429",
        "reported lost",
        "left at the end",
        "twice",
        "unaccounted",
        "memory peak over start, MiB",
        "request, us (p99 / slowest)",
    ];

    fn subject(&self) -> Vec<&str> {
        vec![&self.fault, if self.spool { "yes" } else { "no" }]
    }

    fn cells(&self) -> Vec<String> {
        let figures = &self.figures;
        vec![
            count(figures.recorded),
            count(figures.delivered),
            count(figures.refused),
            count(figures.reported),
            count(figures.unreported),
            count(figures.twice),
            signed(figures),
            mebibytes(figures.memory),
            format!("{:.0} / {}", figures.p99, figure(figures.slowest.round())),
        ]
    }
}

impl Row for Counted {
    const COLUMNS: &'static [&'static str] = &["protocol", "instructions each, outside the kernel"];

    fn subject(&self) -> Vec<&str> {
        vec![&self.protocol]
    }

    fn cells(&self) -> Vec<String> {
        vec![count(self.instructions)]
    }
}

impl Row for Outage {
    const COLUMNS: &'static [&'static str] = &[
        "variant",
        "recorded",
        "on disk, MiB",
        "delivered afterwards",
        "reported lost",
        "left",
        "request, us (median / p99 / slowest)",
        "memory peak over start, MiB",
    ];

    fn subject(&self) -> Vec<&str> {
        vec![&self.variant]
    }

    fn cells(&self) -> Vec<String> {
        let figures = &self.figures;
        vec![
            count(figures.recorded),
            mebibytes(self.on_disk),
            count(figures.delivered),
            count(figures.reported),
            count(figures.unreported),
            format!("{:.1} / {:.0} / {}", figures.median, figures.p99, figure(figures.slowest.round())),
            mebibytes(figures.memory),
        ]
    }
}

fn count(count: u64) -> String {
    figure(count as f64)
}

fn signed(figures: &Figures) -> String {
    figure(figures.unaccounted() as f64)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_a_column() {
        fn columns<R: Row>(row: &R) -> (usize, usize) {
            (R::COLUMNS.len(), row.subject().len() + row.cells().len())
        }
        let (name, figures) = (String::new, Figures::default());
        for (columns, cells) in [
            columns(&Loaded { scenario: name(), transport: name(), figures: figures.clone() }),
            columns(&Faulted { fault: name(), spool: true, figures: figures.clone() }),
            columns(&Counted { protocol: name(), instructions: 0 }),
            columns(&Outage { variant: name(), on_disk: 0, figures }),
        ] {
            assert_eq!(columns, cells);
        }
    }

    #[test]
    fn what_was_told_twice_shows_as_less_than_nothing() {
        let figures = Figures { recorded: 10, delivered: 9, reported: 3, ..Figures::default() };
        let row = Loaded { scenario: "burst".to_owned(), transport: "sentrace".to_owned(), figures };
        assert!(row.line().starts_with("| burst | sentrace | 10 | 9 | 3 | -2 |"), "{}", row.line());
    }
}
