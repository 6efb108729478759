//! The bytes of a record in one buffer, addressed by ranges: no allocation per name, key or value.

use std::borrow::Cow;
use std::ops::Range;

use crate::util::text::cut;

/// Longest text, in bytes. Longer ones are truncated at a character boundary.
pub(crate) const MAX_TEXT: usize = 8 * 1024;
/// Bytes that a record may hold: Sentry rejects transactions larger than 1 MiB.
pub(super) const MAX_TOTAL: usize = 1024 * 1024;
/// Additional bytes, so that a full record still has room for the transaction's own data, and for
/// its name above all: the maximum that is sent, plus what makes a compaction worthwhile.
const SPAN_RESERVE: usize = 256 * 1024 + WORTH_CLEARING;
const OWN_RESERVE: usize = 256 * 1024;
const NAME_RESERVE: usize = 64 * 1024 + WORTH_CLEARING;
/// What each op and description of a span may take of the reserve: enough to tell them apart.
pub(super) const SPAN_SHARE: usize = 128;
/// Bytes that must have been added since the last compaction before the next one.
pub(super) const WORTH_CLEARING: usize = 64 * 1024;
/// Buffers that grew beyond this are not kept for reuse.
const MAX_KEPT: usize = 16 * 1024;

/// A text of the record: a literal of the program, or a range of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Literal(&'static str),
    Copied { start: u32, end: u32 },
}

impl Text {
    pub(crate) const EMPTY: Self = Self::Literal("");
}

/// The purpose of a text, which determines its reserve in a full record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// No reserve.
    Common,
    /// Op or description of a span.
    Span,
    /// The transaction's own data and tags.
    Own,
    /// The transaction's name.
    Name,
}

/// Used bytes of the reserves.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reserved {
    pub(super) span: usize,
    pub(super) own: usize,
    pub(super) name: usize,
}

/// The buffer.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    buffer: String,
    /// Bytes of texts that are parts of others, or stored elsewhere.
    shared: usize,
    reserved: Reserved,
    /// Bytes in use after the last compaction.
    cleared_to: usize,
    /// Texts that were shortened.
    shortened: u32,
}

impl Arena {
    /// Copies `text`, truncated to what a record may hold.
    #[inline]
    pub(crate) fn copy(&mut self, text: &str) -> Text {
        self.copy_for(Share::Common, text)
    }

    /// Like [`copy`](Self::copy), with the reserve of `share` if the record is full.
    #[inline]
    pub(crate) fn copy_for(&mut self, share: Share, text: &str) -> Text {
        if text.len() <= MAX_TEXT && self.has_room_for(text.len()) {
            return self.write(|buffer| buffer.push_str(text));
        }
        self.copy_cut(share, text)
    }

    #[cold]
    fn copy_cut(&mut self, share: Share, text: &str) -> Text {
        let wanted = cut(text, MAX_TEXT);
        let room = MAX_TOTAL.saturating_sub(self.used());
        let Reserved { span, own, name } = &mut self.reserved;
        let kept = if wanted.len() <= room {
            wanted
        } else {
            let from = |taken: &mut usize, reserve: usize, each: usize| {
                let kept = cut(wanted, reserve.saturating_sub(*taken).min(each).max(room));
                *taken += kept.len();
                kept
            };
            match share {
                Share::Common => cut(wanted, room),
                Share::Span => from(span, SPAN_RESERVE, SPAN_SHARE),
                Share::Own => from(own, OWN_RESERVE, MAX_TEXT),
                Share::Name => from(name, NAME_RESERVE, MAX_TEXT),
            }
        };
        if kept.len() < text.len() {
            self.shortened = self.shortened.saturating_add(1);
        }
        self.write(|buffer| buffer.push_str(kept))
    }

    /// Copies borrowed text, and keeps a literal as it is.
    pub(crate) fn keep(&mut self, text: Cow<'static, str>) -> Text {
        self.keep_for(Share::Common, text)
    }

    /// Like [`keep`](Self::keep), with the reserve of `share` if the record is full.
    #[inline]
    pub(crate) fn keep_for(&mut self, share: Share, text: Cow<'static, str>) -> Text {
        match text {
            Cow::Borrowed(literal) if literal.len() <= MAX_TEXT => Text::Literal(literal),
            other => self.copy_for(share, &other),
        }
    }

    /// Lets `write` append to the buffer, for texts that are built in place. What it writes must be
    /// bounded.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut String)) -> Text {
        let start = self.buffer.len();
        write(&mut self.buffer);
        match (u32::try_from(start), u32::try_from(self.buffer.len())) {
            (Ok(start), Ok(end)) => Text::Copied { start, end },
            _ => Text::EMPTY,
        }
    }

    /// Returns a part of a written text, truncated like any text. It counts like a copy, because
    /// the payload grows by as much.
    pub(crate) fn share(&mut self, part: Range<usize>) -> Text {
        let text = cut(self.buffer.get(part.clone()).unwrap_or_default(), MAX_TEXT);
        self.shared += text.len();
        match (u32::try_from(part.start), u32::try_from(part.start + text.len())) {
            (Ok(start), Ok(end)) => Text::Copied { start, end },
            _ => Text::EMPTY,
        }
    }

    /// Counts bytes that are stored elsewhere.
    pub(super) fn count_elsewhere(&mut self, bytes: usize) {
        self.shared += bytes;
    }

    pub(crate) fn get(&self, text: Text) -> &str {
        match text {
            Text::Literal(literal) => literal,
            Text::Copied { start, end } => self.buffer.get(start as usize..end as usize).unwrap_or_default(),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    fn used(&self) -> usize {
        self.buffer.len() + self.shared
    }

    /// Returns `true` if so many bytes fit without a reserve.
    #[inline]
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        self.used() + bytes <= MAX_TOTAL
    }

    /// Returns `true` if so many bytes fit into the transaction's own reserve.
    pub(super) fn has_reserve_for(&self, bytes: usize) -> bool {
        self.reserved.own + bytes <= OWN_RESERVE
    }

    /// Returns `true` if a compaction is worthwhile.
    pub(super) fn is_worth_clearing(&self) -> bool {
        self.used() >= self.cleared_to + WORTH_CLEARING
    }

    /// Takes over the counters of the buffer that was compacted into this one. At most `needed` of
    /// the reserves is still used.
    pub(super) fn cleared(&mut self, before: &Self, needed: Reserved) {
        let beyond = self.used().saturating_sub(MAX_TOTAL);
        let taken = |before: usize, needed: usize| before.min(needed).min(beyond);
        self.reserved = Reserved {
            span: taken(before.reserved.span, needed.span),
            own: taken(before.reserved.own, needed.own),
            name: taken(before.reserved.name, needed.name),
        };
        self.cleared_to = self.used();
        self.shortened = before.shortened;
    }

    /// Returns how many texts were shortened.
    pub(super) fn shortened(&self) -> u32 {
        self.shortened
    }

    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(MAX_KEPT);
        *self = Self { buffer: std::mem::take(&mut self.buffer), ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        let mut arena = Arena::default();
        let text = arena.copy(&"ä".repeat(MAX_TEXT));
        assert_eq!(arena.get(text).len(), MAX_TEXT);
    }

    #[test]
    fn parts_of_texts_count_like_copies() {
        let mut arena = Arena::default();
        arena.copy("GET /stock");
        let path = arena.share(4..10);
        assert_eq!(arena.get(path), "/stock");
        let beyond = arena.share(4..11);
        assert_eq!(arena.get(beyond), "", "a part of nothing");
        let long = arena.write(|buffer| buffer.push_str(&"x".repeat(2 * MAX_TEXT)));
        let Text::Copied { start, end } = long else { panic!("{long:?}") };
        for shared in 0..MAX_TOTAL / MAX_TEXT - 2 {
            assert!(arena.has_room_for(1), "with {shared}");
            let part = arena.share(start as usize..end as usize);
            assert_eq!(arena.get(part).len(), MAX_TEXT);
        }
        assert!(!arena.has_room_for(1));
    }

    #[test]
    fn a_full_arena_takes_no_more() {
        let mut arena = Arena::default();
        let long = "x".repeat(MAX_TEXT);
        for _ in 0..MAX_TOTAL / MAX_TEXT {
            arena.copy(&long);
        }
        let text = arena.copy("more");
        assert!(!arena.has_room_for(1));
        assert_eq!(arena.get(text), "");
        let shares = [(Share::Span, SPAN_SHARE), (Share::Own, MAX_TEXT), (Share::Name, MAX_TEXT)];
        for (share, kept) in shares {
            let text = arena.copy_for(share, &long);
            assert_eq!(arena.get(text).len(), kept, "but {share:?}");
        }
        for (share, reserve) in
            [(Share::Span, SPAN_RESERVE), (Share::Own, OWN_RESERVE), (Share::Name, NAME_RESERVE)]
        {
            let before = arena.capacity().max(arena.buffer.len());
            for _ in 0..2_000 {
                arena.copy_for(share, &long);
            }
            assert!(arena.buffer.len() <= before + reserve, "and not without end: {share:?}");
        }
        arena.clear();
        assert!(arena.has_room_for(MAX_TOTAL));
    }
}
