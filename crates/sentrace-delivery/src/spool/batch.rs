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
    pub(super) under_way: usize,
    /// Whether some of it is through, so that the file says more than is left.
    pub(super) begun: bool,
}

impl Batch {
    pub(super) fn new(file: FileId, name: Name, left: Vec<Record>, begun: bool) -> Self {
        Self { file, name, left: left.into(), under_way: 0, begun }
    }

    /// The next envelope, which is under way from now on.
    pub(super) fn next(&mut self) -> Option<(FileId, Record)> {
        let record = self.left.pop_front()?;
        self.under_way += 1;
        Some((self.file, record))
    }

    pub(super) fn settled(&mut self) {
        self.begun = true;
        self.under_way = self.under_way.saturating_sub(1);
    }

    pub(super) fn give_back(&mut self, tally: Tally, body: Bytes) {
        self.under_way = self.under_way.saturating_sub(1);
        self.left.push_front(Record { tally, body });
    }

    /// What is left of it, to be a file of its own.
    pub(super) fn rest(&self) -> (Vec<u8>, Tally) {
        let (mut content, mut tally) = (Vec::new(), Tally::default());
        for record in &self.left {
            file::append(&mut content, record.tally, &record.body);
            tally = tally.plus(record.tally);
        }
        (content, tally)
    }
}
