//! The bytes of a record in one buffer, addressed by ranges: no allocation per name, key or value.

use std::borrow::Cow;
use std::ops::Range;

/// Longest single text that is kept, in bytes; longer ones are cut at a character.
pub(super) const MAX_TEXT: usize = 8 * 1024;
/// Bytes a record may hold: Sentry refuses transactions beyond 1 MiB.
const MAX_TOTAL: usize = 1024 * 1024;
/// Bytes on top for what must not be missing: the name.
const RESERVED: usize = 64 * 1024;
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

/// The buffer.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    buffer: String,
    /// Bytes of texts that are parts of others.
    shared: usize,
}

impl Arena {
    /// Copies `text`, cut to what a record may hold.
    pub(crate) fn copy(&mut self, text: &str) -> Text {
        let room = MAX_TOTAL.saturating_sub(self.buffer.len()).min(MAX_TEXT);
        let text = cut(text, room);
        self.write(|buffer| buffer.push_str(text))
    }

    /// Copies `text` though the buffer is full; `None` where even the reserve is used up.
    pub(crate) fn copy_important(&mut self, text: &str) -> Option<Text> {
        let text = cut(text, MAX_TEXT);
        (self.buffer.len() + text.len() <= MAX_TOTAL + RESERVED)
            .then(|| self.write(|buffer| buffer.push_str(text)))
    }

    /// Copies what is borrowed for a while and keeps a literal as it is.
    pub(crate) fn keep(&mut self, text: Cow<'static, str>) -> Text {
        match text {
            Cow::Borrowed(literal) if literal.len() <= MAX_TEXT => Text::Literal(literal),
            other => self.copy(&other),
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

    pub(crate) fn get(&self, text: Text) -> &str {
        match text {
            Text::Literal(literal) => literal,
            Text::Copied { start, end } => self.buffer.get(start as usize..end as usize).unwrap_or_default(),
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() + self.shared >= MAX_TOTAL
    }

    pub(crate) fn is_half_full(&self) -> bool {
        self.buffer.len() + self.shared >= MAX_TOTAL / 2
    }

    pub(crate) fn clear(&mut self) {
        self.buffer.clear();
        self.shared = 0;
        self.buffer.shrink_to(MAX_KEPT);
    }
}

/// The longest start of `text` that has at most `max` bytes and ends between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    // A character has at most four bytes, and the empty start always ends between two.
    (0..=max).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// The longest start of `text` that has at most `max` characters.
pub(crate) fn cut_chars(text: &str, max: usize) -> &str {
    // None has more characters than bytes.
    if text.len() <= max {
        return text;
    }
    text.char_indices().nth(max).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "ä");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 9), "abc");
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
            assert!(!arena.is_full(), "with {shared}");
            let part = arena.share(start as usize..end as usize);
            assert_eq!(arena.get(part).len(), MAX_TEXT);
        }
        assert!(arena.is_full());
    }

    #[test]
    fn a_full_arena_takes_no_more() {
        let mut arena = Arena::default();
        let long = "x".repeat(MAX_TEXT);
        for _ in 0..MAX_TOTAL / MAX_TEXT {
            arena.copy(&long);
        }
        let text = arena.copy("more");
        assert!(arena.is_full());
        assert_eq!(arena.get(text), "");
        arena.clear();
        assert!(!arena.is_full());
    }
}
