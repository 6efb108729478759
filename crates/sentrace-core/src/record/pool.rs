//! Records that were delivered go back to the requests: who frees memory that another thread allocated pays
//! for it, several times what a request may cost.

use crossbeam_queue::ArrayQueue;
use sentrace_protocol::{EventId, TraceId};

use super::Record;

/// Records kept for reuse; a burst beyond them is allocated and freed.
const CAPACITY: usize = 256;

#[derive(Debug)]
pub(crate) struct RecordPool {
    records: ArrayQueue<Box<Record>>,
}

impl Default for RecordPool {
    fn default() -> Self {
        Self { records: ArrayQueue::new(CAPACITY) }
    }
}

impl RecordPool {
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
