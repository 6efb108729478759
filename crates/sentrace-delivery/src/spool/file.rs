//! The format of a spool file: a sequence of envelopes, each with a checksum.

use bytes::Bytes;
use flate2::Crc;

use sentrace_outbox::Tally;

/// The start of a file. Other versions of the format have another number.
const MAGIC: &[u8] = b"sentrace spool 1\n";
/// The start of a file of any version.
const ANY_MAGIC: &[u8] = b"sentrace spool ";
/// The longest version.
const MAX_VERSION_BYTES: usize = 32;
/// Length, checksum, transactions, spans.
const HEADER_BYTES: usize = 16;

/// A compressed envelope without `sent_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) tally: Tally,
    pub(super) body: Bytes,
}

/// Appends a record to the content of a file.
pub(super) fn append(file: &mut Vec<u8>, tally: Tally, body: &[u8]) {
    if file.is_empty() {
        file.extend_from_slice(MAGIC);
    }
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let counts = [number(tally.transactions), number(tally.spans)].concat();
    file.extend_from_slice(&number(body.len() as u64));
    file.extend_from_slice(&checksum(&counts, body).to_le_bytes());
    file.extend_from_slice(&counts);
    file.extend_from_slice(body);
}

/// The content of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The records up to the first that is truncated or corrupt.
    Records(Vec<Record>),
    /// It has another version.
    OtherVersion,
}

pub(super) fn read(file: Vec<u8>) -> Content {
    if is_other_version(&file) { Content::OtherVersion } else { Content::Records(records(file)) }
}

fn is_other_version(file: &[u8]) -> bool {
    let Some(rest) = file.strip_prefix(ANY_MAGIC) else { return false };
    let Some(end) = rest.iter().take(MAX_VERSION_BYTES).position(|byte| *byte == b'\n') else { return false };
    let version = &rest[..end];
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    !version.is_empty() && version != b"1" && version.iter().all(is_digit)
}

fn records(file: Vec<u8>) -> Vec<Record> {
    let mut records = Vec::new();
    if !file.starts_with(MAGIC) {
        return records;
    }
    let mut rest = Bytes::from(file).split_off(MAGIC.len());
    while rest.len() >= HEADER_BYTES {
        let header = rest.split_to(HEADER_BYTES);
        let [length, sum, transactions, spans] = [0, 4, 8, 12]
            .map(|at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        let length = length as usize;
        if length > rest.len() {
            break;
        }
        let body = rest.split_to(length);
        if checksum(&header[8..], &body) != sum {
            break;
        }
        records
            .push(Record { tally: Tally { transactions: transactions.into(), spans: spans.into() }, body });
    }
    records
}

fn checksum(counts: &[u8], body: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(counts);
    sum.update(body);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(spans: u64, body: &'static [u8]) -> Record {
        Record { tally: Tally { transactions: 1, spans }, body: Bytes::from_static(body) }
    }

    fn file(records: &[Record]) -> Vec<u8> {
        let mut file = Vec::new();
        for record in records {
            append(&mut file, record.tally, &record.body);
        }
        file
    }

    fn read(file: Vec<u8>) -> Vec<Record> {
        match super::read(file) {
            Content::Records(records) => records,
            Content::OtherVersion => panic!("it is of our version"),
        }
    }

    #[test]
    fn another_version_is_told_from_a_torn_file() {
        let rows: [(&[u8], bool, &str); 10] = [
            (b"sentrace spool 2\n", true, "the next"),
            (b"sentrace spool 2\nwhatever it holds", true, "the next, with content"),
            (b"sentrace spool 10\n", true, "one that starts as ours does"),
            (b"sentrace spool 1.1\n", true, "a small step"),
            (b"sentrace spool 1\n", false, "ours, empty"),
            (b"sentrace spool 1", false, "ours, torn"),
            (b"sentrace spool ", false, "torn before the version"),
            (b"", false, "nothing"),
            (b"nonsense", false, "nonsense"),
            (b"sentrace spool \x02\n", false, "a version that is none"),
        ];
        for (file, expected, reason) in rows {
            assert_eq!(super::read(file.to_vec()) == Content::OtherVersion, expected, "{reason}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let records = [record(1, b"one"), record(11, b""), record(3, b"\0\n\xff")];
        assert_eq!(read(file(&records)), records);
    }

    #[test]
    fn a_torn_file_gives_what_is_whole_wherever_it_is_torn() {
        let records = [record(1, b"one"), record(2, b"two")];
        let whole = file(&records);
        let first = file(&records[..1]).len();
        for end in 0..whole.len() {
            let expected = usize::from(end >= first);
            assert_eq!(read(whole[..end].to_vec()), records[..expected], "torn at {end}");
        }
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let records = [record(1, b"one"), record(2, b"two")];
        let whole = file(&records);
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            let read = read(changed);
            assert!(read.len() < 2, "changed at {at}");
            assert_eq!(read, records[..read.len()], "changed at {at}");
        }
    }
}
