//! Records that were delivered go back to the requests: who frees memory that another thread allocated pays
//! for it, several times what a request may cost.

use crossbeam_queue::ArrayQueue;
use sentrace_protocol::{EventId, TraceId};

use super::Record;
use crate::pipeline::Identity;

/// Records kept for reuse; a burst beyond them is allocated and freed.
const CAPACITY: usize = 256;

/// The free records of a client, and who sends them.
#[derive(Debug)]
pub(crate) struct RecordPool {
    identity: Identity,
    records: ArrayQueue<Box<Record>>,
}

impl RecordPool {
    pub(crate) fn new(identity: Identity) -> Self {
        Self { identity, records: ArrayQueue::new(CAPACITY) }
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn take(&self, event_id: EventId, trace_id: TraceId) -> Box<Record> {
        match self.records.pop() {
            Some(mut record) => {
                record.event_id = event_id;
                record.trace_id = trace_id;
                record
            }
            None => Box::new(Record::new(event_id, trace_id)),
        }
    }

    pub(crate) fn give_back(&self, mut record: Box<Record>) {
        // Here and not when it is taken: a large record must not wait for its next use with all its memory.
        record.clear();
        // A full pool is the answer to a burst that is over.
        let _ = self.records.push(record);
    }
}
