//! The thread that started a span.

use std::borrow::Cow;

use super::{Record, Slot};
use crate::util::thread_id;

impl Record {
    /// Adds number and name of this thread to the record's first span. The number is an integer, as
    /// sentry-conventions have it; Sentry's Python SDK sends a text.
    pub(crate) fn set_thread(&mut self) {
        thread_id::with(|id, name| {
            self.set_data(Slot::ROOT, Cow::Borrowed("thread.id"), id.into());
            if let Some(name) = name {
                self.set_data(Slot::ROOT, Cow::Borrowed("thread.name"), name.into());
            }
        });
    }
}
