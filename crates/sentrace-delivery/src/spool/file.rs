//! One file of the spool: envelopes one after the other, each with a checksum.

use bytes::Bytes;
use flate2::Crc;

use crate::load::Tally;

/// What a file starts with; another version of the format would start otherwise.
const MAGIC: &[u8] = b"sentrace spool 1\n";
/// Length, checksum, transactions, spans.
const HEADER_BYTES: usize = 16;

/// An envelope as it is kept: compressed, without a time of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) tally: Tally,
    pub(super) body: Bytes,
}

/// Adds a record to what is going to be a file.
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

/// The records up to the first that is torn or changed.
pub(super) fn read(file: Vec<u8>) -> Vec<Record> {
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
