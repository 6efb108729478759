//! The bytes of a record in one buffer, addressed by ranges: no allocation per name, key or value.

use std::borrow::Cow;
use std::ops::Range;

use crate::util::text::cut;

/// Longest single text that is kept, in bytes; longer ones are cut at a character.
pub(crate) const MAX_TEXT: usize = 8 * 1024;
/// Bytes a record may hold of anything: Sentry refuses transactions beyond 1 MiB.
pub(super) const MAX_TOTAL: usize = 1024 * 1024;
/// Bytes on top, so that what others have filled takes nothing from the transaction itself, and its name least of all:
/// as much as is sent at most, and again as much as is worth to be cleared of what was set anew.
const SPAN_RESERVE: usize = 256 * 1024 + WORTH_CLEARING;
const OWN_RESERVE: usize = 256 * 1024;
const NAME_RESERVE: usize = 64 * 1024 + WORTH_CLEARING;
/// What each op and each description of a span may take of the reserve: enough to tell them apart.
pub(super) const SPAN_SHARE: usize = 128;
/// Bytes that must have come since a record was last cleared before it is cleared again.
pub(super) const WORTH_CLEARING: usize = 64 * 1024;
/// A buffer that grew beyond this for one request is not kept for the next ones.
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

/// What a text is for, which says whether it has a reserve once the record is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// It has none.
    Common,
    /// Op or description of a span.
    Span,
    /// The transaction's own data and tags.
    Own,
    /// The transaction's name.
    Name,
}

/// Bytes of the reserves that are taken.
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
    /// Bytes of texts that are parts of others, and of what stands elsewhere.
    shared: usize,
    reserved: Reserved,
    /// Bytes in use when it was last cleared of what nobody will see.
    cleared_to: usize,
    /// Texts that were cut.
    shortened: u32,
}

impl Arena {
    /// Copies `text`, cut to what a record may hold.
    #[inline]
    pub(crate) fn copy(&mut self, text: &str) -> Text {
        self.copy_for(Share::Common, text)
    }

    /// The same, from the reserve for its kind if the record is full.
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

    /// Copies what is borrowed for a while and keeps a literal as it is.
    pub(crate) fn keep(&mut self, text: Cow<'static, str>) -> Text {
        self.keep_for(Share::Common, text)
    }

    /// The same, from the reserve for its kind if the record is full.
    #[inline]
    pub(crate) fn keep_for(&mut self, share: Share, text: Cow<'static, str>) -> Text {
        match text {
            Cow::Borrowed(literal) if literal.len() <= MAX_TEXT => Text::Literal(literal),
            other => self.copy_for(share, &other),
        }
    }

    /// Lets `write` append to the buffer, for texts that are made on the way; what it writes must be bounded.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut String)) -> Text {
        let start = self.buffer.len();
        write(&mut self.buffer);
        match (u32::try_from(start), u32::try_from(self.buffer.len())) {
            (Ok(start), Ok(end)) => Text::Copied { start, end },
            _ => Text::EMPTY,
        }
    }

    /// A part of what was written, cut like any text. It counts as a copy does, for what is sent grows by it as much.
    pub(crate) fn share(&mut self, part: Range<usize>) -> Text {
        let text = cut(self.buffer.get(part.clone()).unwrap_or_default(), MAX_TEXT);
        self.shared += text.len();
        match (u32::try_from(part.start), u32::try_from(part.start + text.len())) {
            (Ok(start), Ok(end)) => Text::Copied { start, end },
            _ => Text::EMPTY,
        }
    }

    /// Counts bytes that are held elsewhere.
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

    /// Whether so many bytes more fit without a reserve.
    #[inline]
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        self.used() + bytes <= MAX_TOTAL
    }

    /// Whether so many bytes fit into the reserve for the transaction itself.
    pub(super) fn has_reserve_for(&self, bytes: usize) -> bool {
        self.reserved.own + bytes <= OWN_RESERVE
    }

    /// Whether it is worth to be cleared of what was set anew.
    pub(super) fn is_worth_clearing(&self) -> bool {
        self.used() >= self.cleared_to + WORTH_CLEARING
    }

    /// Takes over from the one that was cleared into this one. What is still needed of the reserves is at most `needed`.
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

    /// Texts that were cut so far.
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
