//! Spans that are sent by themselves.

use std::time::{Duration, Instant};

use sentrace_protocol::span_v2::SpanItems;
use sentrace_protocol::{Category, Reason};

use super::{Way, Worker};
use crate::envelope::Purpose;
use crate::parcel::{Kind, Parcel};
use sentrace_outbox::SpanBatch;
use sentrace_outbox::{Consignment, Tally};

impl Worker {
    /// Takes what has come into buckets, and starts posts of the batches that are ready. Returns how many those
    /// are, or 1 where something has come for later.
    pub(super) fn start_span_posts(&mut self, now: Instant) -> u32 {
        let mut batches = 0;
        let came = {
            let mut spans = self.outbox.span_buckets();
            let came = spans.collect(now);
            if self.closing {
                spans.flush(now);
            }
            came
        };
        while let Some(way) = self.way(Category::Span, now) {
            let Some(batch) = self.next_batch() else { break };
            let number = self.taken;
            self.taken += 1;
            self.send_spans(batch, way, number, now);
            batches += 1;
        }
        batches.max(u32::from(came))
    }

    /// Sends everything that has come so far, which is so many batches.
    pub(super) fn flush_spans(&mut self) -> u64 {
        self.outbox.span_buckets().flush(Instant::now()) as u64
    }

    /// How long until the clock alone gives something to do about spans.
    pub(super) fn spans_in(&self, now: Instant) -> Duration {
        {
            let spans = self.outbox.span_buckets();
            if !spans.has_ready() {
                return spans.due_in(now);
            }
        }
        // Without room, a post that is through gives the next thing to do.
        if self.way(Category::Span, now).is_some() { Duration::ZERO } else { Duration::MAX }
    }

    /// Whether something was left that is now counted.
    pub(super) fn give_up_spans(&mut self, now: Instant) -> bool {
        self.flush_spans();
        let mut lost = false;
        while let Some(batch) = self.next_batch() {
            lost |= self.spool.is_none();
            self.send_spans(batch, Way::Divert(Reason::NetworkError), 0, now);
        }
        self.outbox.span_buckets().end(Reason::NetworkError);
        lost
    }

    fn next_batch(&self) -> Option<SpanBatch> {
        self.outbox.span_buckets().pop()
    }

    /// One envelope or more: each holds as much as the specification allows.
    fn send_spans(&mut self, mut batch: SpanBatch, way: Way, number: u64, now: Instant) {
        let purpose = match way {
            Way::Post => Purpose::Post,
            Way::Divert(reason) if self.spool.is_none() => return batch.discard(reason),
            Way::Divert(_) => Purpose::Spool,
        };
        self.encoder.run_span_hook(&mut batch, self.outbox.account());
        let context = batch.dynamic_sampling_context();
        let mut parts = Vec::new();
        while !batch.is_empty() {
            let mut items = SpanItems::new(Vec::new());
            batch.fill(&mut items);
            if items.is_empty() {
                break;
            }
            let tally = Tally::of_spans(items.len() as u64);
            parts.push((Consignment::new(tally, self.outbox.account()), items));
        }
        // All of it is in the account before anything waits for a disk.
        for (load, items) in parts {
            let body = self.encoder.spans(&items, context.as_ref(), purpose);
            self.copy_to_spotlight();
            let Some(body) = body else {
                load.discard(Reason::InternalSdkError);
                continue;
            };
            match (way, &mut self.spool) {
                (Way::Divert(reason), Some(spool)) => spool.keep(load, &body, reason, now),
                _ if self.ingest.is_none() => load.delivered(),
                _ => {
                    self.post(Parcel::new(load, body, Kind::Fresh(number)));
                }
            }
        }
    }
}
