//! Numbers, and the placeholders that look like them.

use super::{Hash, Scan, Token, is_blank, is_word_byte};

/// A longer number behind a placeholder is none that a database accepts.
const MAX_PLACEHOLDER_DIGITS: usize = 5;

impl Scan<'_> {
    /// `$1`, `$name`, money, or text between `$tag$` and `$tag$`.
    pub(super) fn dollar(&mut self, next: u8) -> (Token, usize) {
        let at = self.at;
        if next.is_ascii_digit() {
            return match self.placeholder_digits(at + 1) {
                Some(end) if !self.reading.money && !self.is_fraction(end) => (Token::Placeholder, end),
                _ => (Token::Literal, self.number_end()),
            };
        }
        let mut end = at + 1;
        while self
            .byte(end)
            .is_some_and(|byte| is_word_byte(byte) || byte.is_ascii_digit() || !byte.is_ascii())
        {
            end += 1;
        }
        if self.byte(end) == Some(b'$') {
            self.ambiguous = true;
            if self.reading.dollar_quotes {
                return (Token::Literal, self.find(&self.bytes[at..=end], end + 1));
            }
        }
        match self.word_end(at + 1) {
            end if end == at + 1 => (Token::Operator, end),
            end => (Token::Placeholder, end),
        }
    }

    pub(super) fn is_fraction(&self, at: usize) -> bool {
        self.byte(at) == Some(b'.') && self.byte(at + 1).is_some_and(|byte| byte.is_ascii_digit())
    }

    /// The end of the digits of a placeholder; `None` if no database has so many.
    pub(super) fn placeholder_digits(&self, at: usize) -> Option<usize> {
        let digits = self.bytes[at..]
            .iter()
            .take(MAX_PLACEHOLDER_DIGITS + 1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        (digits <= MAX_PLACEHOLDER_DIGITS).then_some(at + digits)
    }

    /// `:name`, `@name`, `@@name`, `:1`, a cast, or an operator.
    pub(super) fn prefixed(&mut self, prefix: u8, next: u8) -> (Token, usize) {
        let at = self.at;
        if next == prefix && prefix == b':' {
            return (Token::Operator, at + 2);
        }
        let start = at + if next == prefix { 2 } else { 1 };
        if next.is_ascii_digit() {
            // With a bracket it may be the end of a slice, and `@` may take the absolute value.
            let is_placeholder =
                if prefix == b':' { !self.brackets } else { self.reading.hash == Hash::Word };
            return match self.placeholder_digits(start) {
                Some(end) if is_placeholder && !self.is_fraction(end) => (Token::Placeholder, end),
                _ => (Token::Operator, at + 1),
            };
        }
        let is_name = self.byte(start).is_some_and(|byte| is_word_byte(byte) || !byte.is_ascii());
        let end = if is_name { self.word_end(start) } else { start };
        // What a quote follows may be a prefix of the string.
        if end == start || matches!(self.byte(end), Some(b'\'' | b'"')) {
            return (Token::Operator, at + 1);
        }
        (Token::Placeholder, end)
    }

    /// The end of a number: `7`, `1.5`, `.5`, `0x1F`, `1e-9`, `1_000`, with whatever is attached to it.
    pub(super) fn number_end(&self) -> usize {
        let bytes = &self.bytes[self.at..];
        let is_hex = bytes.len() > 1 && bytes[0] == b'0' && matches!(bytes[1], b'x' | b'X');
        let mut at = self.at + 1;
        while let Some(byte) = self.byte(at) {
            let is_sign = matches!(byte, b'+' | b'-')
                && matches!(self.bytes[at - 1], b'e' | b'E')
                && !is_hex
                && self.byte(at + 1).is_some_and(|byte| byte.is_ascii_digit());
            if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || is_sign {
                at += 1;
            } else if !byte.is_ascii() && !is_blank(self.char(at)) {
                at += self.char(at).len_utf8();
            } else {
                break;
            }
        }
        at
    }
}
