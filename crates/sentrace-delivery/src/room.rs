//! Room in a queue, measured in bytes.

use std::sync::atomic::{AtomicUsize, Ordering};

/// From here on what waits is worth coming for: half as much as is recycled when it leaves.
const MARK: usize = 256 * 1024;

/// How many bytes are taken of those that there are.
#[derive(Debug)]
pub(crate) struct Room {
    taken: AtomicUsize,
    max: usize,
}

/// There was room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// And more than enough.
    Plenty,
    /// But now so much is taken that whoever empties the queue had better come.
    Mark,
}

impl Room {
    pub(crate) fn new(max: usize) -> Self {
        Self { taken: AtomicUsize::new(0), max }
    }

    /// Takes so many bytes; `None` where there are fewer.
    pub(crate) fn take(&self, bytes: usize) -> Option<Taken> {
        let before = self.taken.fetch_add(bytes, Ordering::Relaxed);
        let after = before + bytes;
        if after > self.max {
            self.give_back(bytes);
            return None;
        }
        Some(if before <= self.mark() && after > self.mark() { Taken::Mark } else { Taken::Plenty })
    }

    pub(crate) fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How many bytes are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whether so much is taken that whoever empties the queue had better come.
    pub(crate) fn is_filling(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.mark()
    }

    fn mark(&self) -> usize {
        MARK.min(self.max / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_room_at_all_nothing_fills() {
        let room = Room::new(0);
        assert_eq!(room.take(1), None);
        assert!(!room.is_filling());
    }

    #[test]
    fn there_is_room_up_to_the_last_byte_and_the_mark_is_told_once() {
        let room = Room::new(100);
        let takes = [(10, Some(Taken::Plenty)), (15, Some(Taken::Plenty)), (1, Some(Taken::Mark))];
        for (bytes, expected) in takes {
            assert!(!room.is_filling());
            assert_eq!(room.take(bytes), expected);
        }
        assert!(room.is_filling());
        assert_eq!([room.take(74), room.take(1)], [Some(Taken::Plenty), None]);
        room.give_back(90);
        assert!(!room.is_filling(), "what was refused took nothing");
        assert_eq!(room.take(50), Some(Taken::Mark), "and again when it was empty meanwhile");
    }
}
