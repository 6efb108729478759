//! A file that is being sent.

use std::collections::VecDeque;

use bytes::Bytes;

use super::FileId;
use super::file::{self, Record};
use super::name::Name;
use sentrace_outbox::Tally;

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) file: FileId,
    pub(super) name: Name,
    pub(super) left: VecDeque<Record>,
    pub(super) in_flight: usize,
    /// Whether some of it is settled, so that the file contains more than is left.
    pub(super) begun: bool,
}

impl Batch {
    pub(super) fn new(file: FileId, name: Name, left: Vec<Record>, begun: bool) -> Self {
        Self { file, name, left: left.into(), in_flight: 0, begun }
    }

    /// Takes the next envelope, which is in flight from now on.
    pub(super) fn next(&mut self) -> Option<(FileId, Record)> {
        let record = self.left.pop_front()?;
        self.in_flight += 1;
        Some((self.file, record))
    }

    pub(super) fn settled(&mut self) {
        self.begun = true;
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn give_back(&mut self, tally: Tally, body: Bytes) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.left.push_front(Record { tally, body });
    }

    /// Returns what is left, to be written to a new file.
    pub(super) fn rest(&self) -> (Vec<u8>, Tally) {
        let (mut content, mut tally) = (Vec::new(), Tally::default());
        for record in &self.left {
            file::append(&mut content, record.tally, &record.body);
            tally = tally.plus(record.tally);
        }
        (content, tally)
    }
}
