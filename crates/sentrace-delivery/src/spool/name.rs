//! Names of spool files: they sort by age, and state how much a file contains even if it is truncated.

use std::fmt;

use sentrace_outbox::Tally;

/// `{milliseconds since 1970}-{sequence}-{owner}-{transactions}-{spans}.envelopes`, or `.part` while it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) millis: u64,
    pub(super) sequence: u32,
    pub(super) owner: u64,
    transactions: u64,
    spans: u64,
    pub(super) complete: bool,
}

impl Name {
    pub(super) fn new(millis: u64, sequence: u32, owner: u64, tally: Tally) -> Self {
        let Tally { transactions, spans } = tally;
        Self { millis, sequence, owner, transactions, spans, complete: true }
    }

    pub(super) fn part(self) -> Self {
        Self { complete: false, ..self }
    }

    /// Returns the name of the file under another owner.
    pub(super) fn moved(self, sequence: u32, owner: u64) -> Self {
        Self { sequence, owner, ..self }
    }

    pub(super) fn tally(self) -> Tally {
        Tally { transactions: self.transactions, spans: self.spans }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (stem, extension) = name.split_once('.')?;
        let complete = match extension {
            "envelopes" => true,
            "part" => false,
            _ => return None,
        };
        let mut fields = stem.split('-');
        let parsed = Self {
            millis: fields.next()?.parse().ok()?,
            sequence: fields.next()?.parse().ok()?,
            owner: u64::from_str_radix(fields.next()?, 16).ok()?,
            transactions: fields.next()?.parse().ok()?,
            spans: fields.next()?.parse().ok()?,
            complete,
        };
        // Other files may have similar names. Only a name that this would write is accepted.
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { millis, sequence, owner, transactions, spans, complete } = self;
        let extension = if *complete { "envelopes" } else { "part" };
        write!(f, "{millis:014}-{sequence:010}-{owner:016x}-{transactions}-{spans}.{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_nothing_else_is() {
        let name = Name::new(1_787_220_000_123, 7, 0xabc, Tally { transactions: 3, spans: 33 });
        assert_eq!(name.to_string(), "01787220000123-0000000007-0000000000000abc-3-33.envelopes");
        for name in [name, name.part()] {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
        for other in ["", "README", "0000000000000abc.lock", "1-7-abc-3-33.envelopes", "a-b-c-d-e.envelopes"]
        {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }

    #[test]
    fn names_sort_by_age() {
        let tally = Tally { transactions: 9, spans: 9 };
        let by_age = [(1, 5, 9), (2, 1, 7), (2, 2, 3), (10, 0, 1)];
        let names = by_age.map(|(millis, sequence, owner)| Name::new(millis, sequence, owner, tally));
        assert!(names.is_sorted() && names.map(|name| name.to_string()).is_sorted());
    }
}
