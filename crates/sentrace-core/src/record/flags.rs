//! Feature flags that were evaluated in a span.

use std::borrow::Cow;

use super::{Record, Slot};
use crate::util::text::cut;

const PREFIX: &str = "flag.evaluation.";
/// Flags of one span, as other SDKs of Sentry keep them.
const MAX_FLAGS: usize = 10;
/// Longest name, in bytes.
const MAX_NAME: usize = 200;

impl Record {
    /// Notes the value of a flag. Further ones than ten of a span are left out.
    pub(crate) fn add_flag(&mut self, slot: Slot, name: &str, result: bool) {
        let key = [PREFIX, cut(name, MAX_NAME)].concat();
        let mut known: Vec<&str> = Vec::new();
        for entry in self.data.iter().filter(|entry| entry.slot == slot) {
            let flag = self.arena.get(entry.key);
            if flag.starts_with(PREFIX) && !known.contains(&flag) {
                known.push(flag);
            }
        }
        if known.len() < MAX_FLAGS || known.contains(&&*key) {
            self.set_data(slot, Cow::Owned(key), result.into());
        }
    }
}
