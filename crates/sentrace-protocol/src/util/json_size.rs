//! How many bytes values take as JSON, and texts that are shortened to take fewer.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

/// What ends a text that was shortened.
const ELLIPSIS: &str = "...";

/// How many bytes `value` takes.
pub(crate) fn json_size(value: &impl Serialize) -> usize {
    let mut size = Size(0);
    // Counting cannot fail, and none of our values can.
    let _ = serde_json::to_writer(&mut size, value);
    size.0
}

struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many bytes a text takes, with its quotes.
pub(crate) fn size_of_text(text: &str) -> usize {
    text.bytes().map(size_of_byte).sum::<usize>() + 2
}

/// As `serde_json` writes it: control characters as `\n` or `\u0000`, everything beyond ASCII as it is.
fn size_of_byte(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// Shortens the longest of `texts` to one size, which is as large as can be if `excess` bytes are to be saved, and at least
/// `least`. Returns how many bytes that saved and how many texts were shortened.
pub(crate) fn shorten_longest(
    texts: &mut [&mut Cow<'_, str>],
    excess: usize,
    least: usize,
) -> (usize, usize) {
    let sizes: Vec<usize> = texts.iter().map(|text| size_of_text(text)).collect();
    let size = common_size(sizes.clone(), excess).max(least);
    let (mut saved, mut shortened) = (0, 0);
    for (text, before) in texts.iter_mut().zip(sizes) {
        if before > size {
            shorten(text, size);
            saved += before - size_of_text(text);
            shortened += 1;
        }
    }
    (saved, shortened)
}

/// The size to which all larger ones have to shrink to save `excess` together.
fn common_size(mut sizes: Vec<usize>, excess: usize) -> usize {
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let mut sum = 0;
    for (count, size) in (1..).zip(&sizes) {
        sum += size;
        let next = sizes.get(count).copied().unwrap_or_default();
        // What those so far have to shrink to; the next one is in it, too, if it is larger than that.
        let common = sum.saturating_sub(excess) / count;
        if common >= next && sum >= excess {
            return common;
        }
    }
    0
}

/// Cuts a text between characters, so that it takes `size` bytes at most.
fn shorten(text: &mut Cow<'_, str>, size: usize) {
    let room = size.saturating_sub(ELLIPSIS.len() + 2);
    let mut taken = 0;
    let mut end = 0;
    for (at, character) in text.char_indices() {
        let bytes = text.as_bytes().get(at..at + character.len_utf8()).unwrap_or_default();
        taken += bytes.iter().copied().map(size_of_byte).sum::<usize>();
        if taken > room {
            break;
        }
        end = at + character.len_utf8();
    }
    *text = Cow::Owned([text.get(..end).unwrap_or_default(), ELLIPSIS].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_take_what_is_counted() {
        let every: String = (0..0x250).filter_map(char::from_u32).collect();
        for text in ["", "a", "\"\\/", "\u{0}\u{1f}\u{7f}", "äöü", "😀", "\u{2028}", &every] {
            assert_eq!(size_of_text(text), serde_json::to_string(text).unwrap().len(), "{text:?}");
            assert_eq!(json_size(&text), size_of_text(text));
        }
    }

    #[test]
    fn the_longest_are_shortened_to_one_size_and_no_further_than_it_takes() {
        let rows: [(&[usize], usize, usize, &str); 7] = [
            (&[100, 50, 10], 0, 100, "nothing to save"),
            (&[100, 50, 10], 30, 70, "the longest alone"),
            (&[100, 50, 10], 50, 50, "to where the next begins"),
            (&[100, 50, 10], 60, 45, "both"),
            (&[100, 50, 10], 160, 0, "all there is"),
            (&[100, 50, 10], 500, 0, "more than there is"),
            (&[], 5, 0, "none"),
        ];
        for (sizes, excess, expected, reason) in rows {
            assert_eq!(common_size(sizes.to_vec(), excess), expected, "{reason}");
        }
    }

    #[test]
    fn texts_are_shortened_between_characters_by_what_they_take_as_json() {
        for (character, size) in [("x", 1), ("ä", 2), ("😀", 4), ("\u{0}", 6), ("\"", 2)] {
            let mut text = Cow::Owned(character.repeat(1_000));
            let before = size_of_text(&text);
            let (saved, shortened) = shorten_longest(&mut [&mut text], before - 64, 32);
            assert_eq!(shortened, 1);
            let after = size_of_text(&text);
            assert_eq!(saved, before - after);
            assert!(text.ends_with("...") && after <= 64 && after > 64 - size, "{character:?}: {after}");
        }
        let mut short = Cow::Borrowed("short");
        assert_eq!(shorten_longest(&mut [&mut short], 1_000, 64), (0, 0));
        assert_eq!(short, "short");
    }
}
