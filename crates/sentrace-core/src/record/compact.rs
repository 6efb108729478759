//! Makes room in a full record: of values that were set again and again only the last is sent.

use std::collections::HashSet;

use super::{Arena, DataEntry, MAX_ENTRIES, Record, RecordedValue, Slot, TagEntry, Text};

impl Record {
    /// Whether more can be set, if need be after dropping what nobody will see.
    pub(super) fn has_room(&mut self) -> bool {
        if !self.is_full() {
            return true;
        }
        if self.compacted_in_vain {
            return false;
        }
        self.compact();
        // Less than half must be left, or the next time would come soon and cost more than it brings.
        self.compacted_in_vain =
            self.data.len().max(self.tags.len()) > MAX_ENTRIES / 2 || self.arena.is_half_full();
        !self.is_full()
    }

    fn is_full(&self) -> bool {
        self.data.len().max(self.tags.len()) >= MAX_ENTRIES || self.arena.is_full()
    }

    fn compact(&mut self) {
        let old = std::mem::take(&mut self.arena);
        keep_last(&mut self.data, |entry: &DataEntry| (entry.slot, old.get(entry.key)));
        keep_last(&mut self.tags, |entry: &TagEntry| (entry.slot, old.get(entry.key)));
        let mut arena = Arena::default();
        self.each_text(&mut |text| {
            if let Text::Copied { .. } = text {
                *text = arena.copy(old.get(*text));
            }
        });
        self.arena = arena;
    }

    fn each_text(&mut self, each: &mut dyn FnMut(&mut Text)) {
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
        self.request.each_text(each);
    }
}

/// Keeps the last entry of each key, in the order of their setting.
fn keep_last<'a, T>(entries: &mut Vec<T>, key: impl Fn(&T) -> (Slot, &'a str)) {
    let mut seen = HashSet::new();
    let mut keep: Vec<bool> = entries.iter().rev().map(|entry| seen.insert(key(entry))).collect();
    entries.retain(|_| keep.pop().unwrap_or(true));
}
