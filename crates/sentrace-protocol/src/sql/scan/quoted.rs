//! Strings and names in quotes, brackets and dollars.

use super::{Quoted, Scan, Token};
use crate::util::scan::find;

impl Scan<'_> {
    /// Where the string ends whose quote is at `at`.
    pub(super) fn string(&mut self, at: usize, backslash: bool) -> usize {
        let behind = &self.bytes[at + 1..];
        if behind.starts_with(b"''") {
            self.ambiguous = true;
            if self.reading.triple_quotes {
                return self.triple_quoted(at, b'\'');
            }
        }
        // One character that is the escape itself. Who writes it so does not escape by backslash.
        if behind.starts_with(b"\\'") && behind.get(2) != Some(&b'\'') && self.names.is_behind("ESCAPE") {
            return at + 3;
        }
        self.quoted(at, b'\'', backslash).0
    }

    /// Where the text ends that begins with `quote` at `at`, and whether it is closed. Two quotes stand for one.
    pub(super) fn quoted(&mut self, at: usize, quote: u8, backslash: bool) -> (usize, bool) {
        let mut at = at + 1;
        while let Some(byte) = self.byte(at) {
            if byte == b'\\' {
                self.ambiguous = true;
                at += if backslash { 2 } else { 1 };
            } else if byte != quote {
                at += 1;
            } else if self.byte(at + 1) == Some(quote) {
                at += 2;
            } else {
                return (at + 1, true);
            }
        }
        (self.bytes.len(), false)
    }

    /// The same for three quotes, which only three end.
    pub(super) fn triple_quoted(&self, at: usize, quote: u8) -> usize {
        let mut at = at + 3;
        while let Some(byte) = self.byte(at) {
            if byte == b'\\' {
                at += 2;
            } else if self.bytes[at..].starts_with(&[quote; 3]) {
                return at + 3;
            } else {
                at += 1;
            }
        }
        self.bytes.len()
    }

    /// PostgreSQL reads the string on the next line as more of this one.
    pub(super) fn e_string(&mut self, at: usize) -> usize {
        let mut end = self.quoted(at, b'\'', true).0;
        loop {
            let mut next = end;
            let mut lines = false;
            loop {
                match self.byte(next) {
                    Some(b'\n' | b'\r') => {
                        lines = true;
                        next += 1;
                    }
                    Some(b' ' | b'\t' | b'\x0b' | b'\x0c') => next += 1,
                    Some(b'-') if self.byte(next + 1) == Some(b'-') => {
                        let line = self.bytes[next..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                        let Some(line) = line else { return end };
                        next += line;
                    }
                    _ => break,
                }
            }
            if !lines || self.byte(next) != Some(b'\'') {
                return end;
            }
            end = self.quoted(next, b'\'', true).0;
        }
    }

    /// Oracle's strings end with the partner of the character that they begin with.
    pub(super) fn q_string(&self, at: usize) -> usize {
        let Some(open) = self.sql.get(at + 1..).and_then(|rest| rest.chars().next()) else {
            return self.bytes.len();
        };
        let close = match open {
            '[' => ']',
            '(' => ')',
            '{' => '}',
            '<' => '>',
            other => other,
        };
        let begin = at + 1 + open.len_utf8();
        let mut end = [0; 5];
        let length = close.encode_utf8(&mut end).len();
        end[length] = b'\'';
        self.find(&end[..=length], begin)
    }

    /// Behind the next `needle`, or the end.
    pub(super) fn find(&self, needle: &[u8], mut at: usize) -> usize {
        let first = needle.first().copied().unwrap_or_default();
        while let Some(found) = self.bytes.get(at..).and_then(|rest| find(first, rest)) {
            if self.bytes[at + found..].starts_with(needle) {
                return at + found + needle.len();
            }
            at += found + 1;
        }
        self.bytes.len()
    }

    pub(super) fn double_quoted(&mut self) -> (Token, usize) {
        let at = self.at;
        if self.bytes[at..].starts_with(b"\"\"\"") {
            self.ambiguous = true;
            if self.reading.triple_quotes {
                return (Token::Literal, self.triple_quoted(at, b'"'));
            }
        }
        let (end, is_closed) = self.quoted(at, b'"', self.reading.double_quote_backslash);
        let token = match self.reading.double_quoted_names {
            _ if !is_closed => Token::Literal,
            true => Token::Name,
            false => Token::NameOrText,
        };
        (token, end)
    }

    pub(super) fn backticked(&mut self) -> (Token, usize) {
        let at = self.at;
        if self.reading.backticks == Quoted::No {
            return (Token::Operator, at + 1);
        }
        let (end, is_closed) = self.quoted(at, b'`', self.reading.backticks == Quoted::Backslash);
        // Where backticks mean nothing, what is between them may hold a literal.
        self.ambiguous |= self.bytes[at..end].iter().any(|byte| b"'\"\\/#-[$".contains(byte));
        if is_closed {
            return (Token::Name, end);
        }
        self.ambiguous = true;
        (Token::Literal, end)
    }

    pub(super) fn bracketed(&mut self) -> (Token, usize) {
        let at = self.at;
        self.brackets = true;
        if self.reading.brackets == Quoted::No {
            // Most are indices or plain names, which are the same for everybody.
            let plain = |byte: &u8| {
                byte.is_ascii_alphanumeric() || b"_ ,.:?\t\r\n".contains(byte) || !byte.is_ascii()
            };
            let behind = &self.bytes[at + 1..];
            let end = behind.iter().position(|byte| !plain(byte)).map_or(&[][..], |end| &behind[end..]);
            // Two brackets may stand for one within a name.
            self.ambiguous |= !matches!(end, [b']'] | [b']', 0..=b'\\' | b'^'.., ..]);
            return (Token::Operator, at + 1);
        }
        let mut end = at + 1;
        while let Some(byte) = self.byte(end) {
            end += 1;
            if byte != b']' {
                continue;
            }
            if self.reading.brackets == Quoted::Name || self.byte(end) != Some(b']') {
                return (Token::Name, end);
            }
            end += 1;
        }
        (Token::Literal, end)
    }
}
