//! The tables, for the report and for those who measure by hand.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Counted, Faulted, Figures, Loaded, Outage};
use crate::table::{self, figure};

/// A row of a table of its own kind.
pub trait Row: Serialize + DeserializeOwned {
    /// The names of the columns.
    const COLUMNS: &'static str;
    /// How many of them name the subject; a table has one row of each.
    const SUBJECT: usize = 1;

    /// The cells.
    fn cells(&self) -> Vec<String>;

    /// The first two lines of the table.
    fn head() -> String {
        table::head(Self::COLUMNS, Self::SUBJECT)
    }

    /// The row's own line.
    fn line(&self) -> String {
        table::row(self.cells())
    }

    /// Whether another row is of the same subject.
    fn replaces(&self, other: &Self) -> bool {
        self.cells()[..Self::SUBJECT] == other.cells()[..Self::SUBJECT]
    }
}

/// Writes all rows as a table.
pub fn table<R: Row>(rows: &[R]) -> String {
    rows.iter().fold(R::head(), |table, row| table + &row.line())
}

impl Row for Loaded {
    const COLUMNS: &'static str = "scenario | transport | recorded | arrived | reported lost | unaccounted | \
        bytes each | worker's processor time each, us (of it the kernel's) | request, us (median / slowest) | \
        memory peak over start, MiB | close, ms";
    const SUBJECT: usize = 2;

    fn cells(&self) -> Vec<String> {
        let Self { scenario, transport, figures } = self;
        let worker = figures.worker.zip(figures.kernel);
        vec![
            scenario.clone(),
            transport.clone(),
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
    const COLUMNS: &'static str = "fault | spool | recorded | delivered | refused by 429 | reported lost | \
        left at the end | twice | unaccounted | memory peak over start, MiB | request, us (p99 / slowest)";
    const SUBJECT: usize = 2;

    fn cells(&self) -> Vec<String> {
        let Self { fault, spool, figures } = self;
        vec![
            fault.clone(),
            if *spool { "yes" } else { "no" }.to_owned(),
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
    const COLUMNS: &'static str = "protocol | instructions each, outside the kernel";

    fn cells(&self) -> Vec<String> {
        vec![self.protocol.clone(), count(self.instructions)]
    }
}

impl Row for Outage {
    const COLUMNS: &'static str = "variant | recorded | on disk, MiB | delivered afterwards | reported lost | \
        left | request, us (median / p99 / slowest) | memory peak over start, MiB";

    fn cells(&self) -> Vec<String> {
        let Self { variant, on_disk, figures } = self;
        vec![
            variant.clone(),
            count(figures.recorded),
            mebibytes(*on_disk),
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
            (R::COLUMNS.split('|').count(), row.cells().len())
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
