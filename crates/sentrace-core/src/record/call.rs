//! What a record takes of an outgoing call, all at once.

use super::{DataEntry, Record, RecordedValue, Slot, Text};

impl Record {
    /// Sets texts of a span's `data` under literal keys; those without a value are left out. One look at the room that
    /// is left for all of them, which are to be few: each is cut to what a record may hold.
    pub(crate) fn set_texts<const N: usize>(
        &mut self,
        slot: Slot,
        entries: [(&'static str, Option<&str>); N],
    ) {
        if !self.has_room() {
            return;
        }
        self.data.reserve(N);
        for (key, value) in entries {
            if let Some(value) = value {
                let value = RecordedValue::Text(self.arena.copy(value));
                self.data.push(DataEntry { slot, key: Text::Literal(key), value });
            }
        }
    }
}
