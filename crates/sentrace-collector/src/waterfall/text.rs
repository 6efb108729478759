//! Text in columns, with or without colour.

use unicode_width::UnicodeWidthChar;

use crate::palette::COLORS as COUNT;

/// The style of a piece of text: the parameters of an ANSI sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink(&'static str);

impl Ink {
    pub(super) const PLAIN: Self = Self("");
    pub(super) const BOLD: Self = Self("1");
    pub(super) const DIM: Self = Self("2");
    pub(super) const RED: Self = Self("1;31");
    pub(super) const YELLOW: Self = Self("33");

    /// Returns a colour of the palette.
    pub(super) fn service(color: usize) -> Self {
        const COLORS: [&str; COUNT] = ["35", "36", "32", "33", "95", "92", "34", "94"];
        Self(COLORS[color % COUNT])
    }
}

/// A line with a maximum width.
pub(super) struct Line {
    text: String,
    room: usize,
    color: bool,
}

impl Line {
    pub(super) fn new(width: usize, color: bool) -> Self {
        Self { text: String::new(), room: width, color }
    }

    /// Adds text, truncated to the remaining width.
    pub(super) fn add(&mut self, text: &str, ink: Ink) -> &mut Self {
        let text = cut(text, self.room);
        self.room -= width(&text);
        if self.color && !ink.0.is_empty() && !text.trim().is_empty() {
            self.text.push_str("\u{1b}[");
            self.text.push_str(ink.0);
            self.text.push('m');
            self.text.push_str(&text);
            self.text.push_str("\u{1b}[0m");
        } else {
            self.text.push_str(&text);
        }
        self
    }

    /// Adds the space between two columns.
    pub(super) fn gap(&mut self) -> &mut Self {
        self.add("  ", Ink::PLAIN)
    }

    pub(super) fn end(&mut self, out: &mut String) {
        out.push_str(self.text.trim_end());
        out.push('\n');
    }
}

/// Returns the number of columns of a text.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or_default()).sum()
}

/// Truncates to at most `columns`, with an ellipsis if something is missing.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut left = columns.saturating_sub(1);
    for c in text.chars() {
        let wide = c.width().unwrap_or_default();
        if wide > left {
            break;
        }
        left -= wide;
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// Truncates or pads to exactly `columns`.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let mut fitted = cut(text, columns);
    let missing = columns.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// Replaces characters that could move the cursor, change colours or reverse the direction of the
/// text.
pub(super) fn clean(text: &str) -> String {
    let harmless = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        c => c,
    };
    text.chars().map(harmless).collect()
}
