//! Text of a limited length.

use std::fmt::{self, Write};

use super::hook::catch_panic;

/// Returns the longest start of `text` that has at most `max` bytes and ends between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    // A character has at most four bytes, and the empty start always ends between two.
    (0..=max).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// Returns the longest start of `text` that has at most `max` characters.
pub(crate) fn cut_chars(text: &str, max: usize) -> &str {
    // None has more characters than bytes.
    if text.len() <= max {
        return text;
    }
    text.char_indices().nth(max).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
}

/// Appends what `write` writes until `text` has `max` bytes. If formatting fails or panics, what it wrote before stays.
///
/// ```
/// use sentrace_core::adapter::write_bounded;
///
/// let mut text = String::new();
/// write_bounded(&mut text, 8, |out| write!(out, "{} is out of stock", "article 7"));
/// assert_eq!(text, "article ");
/// ```
pub fn write_bounded(text: &mut String, max: usize, write: impl FnOnce(&mut dyn Write) -> fmt::Result) {
    let mut bounded = Bounded { text, max };
    // An error only says that the text is full, or that the value has no more to show.
    let _ = catch_panic(|| write(&mut bounded));
}

struct Bounded<'a> {
    text: &'a mut String,
    max: usize,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let kept = cut(text, self.max.saturating_sub(self.text.len()));
        self.text.push_str(kept);
        // Stops formatting a value that never ends.
        if kept.len() == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "ä");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 9), "abc");
    }

    #[test]
    fn a_value_without_an_end_is_cut_between_characters() {
        let mut text = "x".to_owned();
        write_bounded(&mut text, 10, |out| {
            loop {
                out.write_str("äöü")?;
            }
        });
        assert_eq!(text, "xäöüä");
    }
}
