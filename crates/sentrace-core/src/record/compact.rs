//! Makes room in a full record: of values that were set repeatedly, only the last is sent.

use std::collections::HashSet;

use super::text::{Reserved, SPAN_SHARE};
use super::{Arena, DataEntry, MAX_ENTRIES, Record, RecordedValue, Slot, SpanRecord, TagEntry, Text};

/// Entries that must have been added since the last compaction before the next one.
const ENTRIES_WORTH_CLEARING: usize = 2048;

impl Record {
    /// Makes room for `bytes`, by dropping overwritten values if necessary. Call this before
    /// copying texts that nothing in the record refers to yet.
    #[inline]
    pub(crate) fn make_room(&mut self, bytes: usize) {
        if !self.has_room(bytes) {
            self.clear_unseen();
        }
    }

    /// Returns `true` if `bytes` and one more entry fit without a reserve.
    #[inline]
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.data.len().max(self.tags.len()) < MAX_ENTRIES && self.arena.has_room_for(bytes)
    }

    /// Drops overwritten values, unless too little was added since the last time.
    #[cold]
    fn clear_unseen(&mut self) {
        let entries = self.data.len() + self.tags.len();
        if self.arena.is_worth_clearing() || entries >= self.cleared_to_entries + ENTRIES_WORTH_CLEARING {
            self.compact();
            self.cleared_to_entries = self.data.len() + self.tags.len();
        }
    }

    fn compact(&mut self) {
        let old = std::mem::take(&mut self.arena);
        keep_last(&mut self.data, |entry: &DataEntry| (entry.slot, old.get(entry.key)));
        keep_last(&mut self.tags, |entry: &TagEntry| (entry.slot, old.get(entry.key)));
        let mut arena = Arena::default();
        self.for_each_text(&mut |text| {
            if let Text::Copied { .. } = text {
                *text = arena.write(|buffer| buffer.push_str(old.get(*text)));
            }
        });
        for entry in &self.data {
            if let RecordedValue::Texts(texts) = &entry.value {
                arena.count_elsewhere(texts.len() * size_of::<Text>());
            }
        }
        let needed = self.needed_reserves(&arena);
        arena.cleared(&old, needed);
        self.arena = arena;
    }

    /// Returns an upper bound of the reserves that the existing entries need.
    fn needed_reserves(&self, arena: &Arena) -> Reserved {
        let size = |text: &Text| arena.get(*text).len();
        let of_value = |value: &RecordedValue| match value {
            RecordedValue::Text(text) => size(text),
            RecordedValue::Texts(texts) => texts.iter().map(size).sum(),
            RecordedValue::Bool(_)
            | RecordedValue::Int(_)
            | RecordedValue::Float(_)
            | RecordedValue::Other(_) => 0,
        };
        let data = self.data.iter().filter(|entry| entry.slot == Slot::ROOT);
        let tags = self.tags.iter().filter(|entry| entry.slot == Slot::ROOT);
        let of_span =
            |span: &SpanRecord| size(&span.op).min(SPAN_SHARE) + size(&span.description).min(SPAN_SHARE);
        Reserved {
            span: self.spans.iter().map(of_span).sum(),
            own: data.map(|entry| size(&entry.key) + of_value(&entry.value)).sum::<usize>()
                + tags.map(|entry| size(&entry.key) + size(&entry.value)).sum::<usize>(),
            name: size(&self.name.method) + size(&self.name.rest),
        }
    }

    fn for_each_text(&mut self, each: &mut dyn FnMut(&mut Text)) {
        [&mut self.name.method, &mut self.name.rest].into_iter().for_each(&mut *each);
        for span in &mut self.spans {
            [&mut span.op, &mut span.description, &mut span.origin].into_iter().for_each(&mut *each);
        }
        for entry in &mut self.data {
            each(&mut entry.key);
            match &mut entry.value {
                RecordedValue::Text(text) => each(text),
                RecordedValue::Texts(texts) => texts.iter_mut().for_each(&mut *each),
                RecordedValue::Bool(_)
                | RecordedValue::Int(_)
                | RecordedValue::Float(_)
                | RecordedValue::Other(_) => {}
            }
        }
        for entry in &mut self.tags {
            each(&mut entry.key);
            each(&mut entry.value);
        }
        self.request.for_each_text(each);
    }
}

/// Keeps the last entry of each key, in the order in which they were set.
fn keep_last<'a, T>(entries: &mut Vec<T>, key: impl Fn(&T) -> (Slot, &'a str)) {
    let mut seen = HashSet::new();
    let mut keep: Vec<bool> = entries.iter().rev().map(|entry| seen.insert(key(entry))).collect();
    entries.retain(|_| keep.pop().unwrap_or(true));
}
