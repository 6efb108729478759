//! Delivered records return to the requests. Freeing memory that another thread has allocated costs
//! several times what a request may.

use std::cell::RefCell;
use std::sync::LazyLock;

use crossbeam_queue::ArrayQueue;
use sentrace_protocol::{EventId, TraceId};

use super::Record;
use crate::record::identity::Identity;
use crate::util::thread_local::with_mut;

/// Records kept for reuse. A burst beyond them is allocated and freed.
const CAPACITY: usize = 256;
/// Records that a thread keeps which finishes some that are not delivered. Reusing one involves no
/// other thread.
const KEPT_BY_THREAD: usize = 8;

/// The free records of all clients. Records would have to count references to a pool per client.
static FREE: LazyLock<ArrayQueue<Box<Record>>> = LazyLock::new(|| ArrayQueue::new(CAPACITY));

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are what goes from one hand to the next")]
    static OWN: RefCell<Vec<Box<Record>>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn take(event_id: EventId, trace_id: TraceId, identity: &'static Identity) -> Box<Record> {
    match with_mut(&OWN, Vec::pop).flatten().or_else(|| FREE.pop()) {
        Some(mut record) => {
            record.event_id = event_id;
            record.trace_id = trace_id;
            record.identity = identity;
            record
        }
        None => Box::new(Record::new(event_id, trace_id, identity)),
    }
}

pub(crate) fn give_back(mut record: Box<Record>) {
    // Cleared now and not when it is taken, so that a large record does not wait with all its
    // memory.
    record.clear();
    let mut record = Some(record);
    with_mut(&OWN, |own| {
        if own.len() < KEPT_BY_THREAD {
            own.extend(record.take());
        }
    });
    if let Some(record) = record {
        // The pool is full after a burst.
        let _ = FREE.push(record);
    }
}

#[cfg(test)]
mod tests {
    use crate::Options;
    use crate::testing::Capture;

    #[test]
    fn a_record_tells_who_sends_it_now_whoever_used_it_before() {
        for release in ["shop@1", "cart@2", "shop@1"] {
            let options = Options::new().release(release).traces_sample_rate(1.0);
            let (client, capture) = Capture::client(options).unwrap();
            client.start_transaction("work", "task").finish();
            let sent = capture.expect_transaction("work").transaction;
            assert_eq!(sent.release.as_deref(), Some(release));
        }
    }
}
