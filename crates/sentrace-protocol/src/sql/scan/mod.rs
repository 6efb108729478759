//! A statement as one reading sees it: token by token, each marked as shown, blank or hidden.

use super::names::Names;
use super::reading::{Hash, Quoted, Reading};
use super::token::{Token, is_blank, is_currency, is_word_byte};

mod comments;
mod numbers;
mod quoted;

/// Marks of bytes. Each reading adds its own.
pub(super) const SHOWN: u8 = 1;
pub(super) const BLANK: u8 = 2;
pub(super) const HIDDEN: u8 = 4;

/// One pass over a statement.
pub(super) struct Scan<'a> {
    sql: &'a str,
    bytes: &'a [u8],
    reading: Reading,
    marks: &'a mut [u8],
    at: usize,
    names: Names<'a>,
    /// Whether a `[` was seen: then a colon may be that of a slice.
    brackets: bool,
    /// Whether other readings may see something else.
    ambiguous: bool,
    /// Whether what is left may be read differently.
    unsettled: bool,
}

/// What a reading noticed.
pub(super) struct Noticed {
    /// Other readings could mark bytes differently.
    pub(super) ambiguous: bool,
    /// What is left has to be read again.
    pub(super) unsettled: bool,
}

impl<'a> Scan<'a> {
    /// `marks` has an entry for each byte of `sql`.
    pub(super) fn new(sql: &'a str, reading: Reading, marks: &'a mut [u8]) -> Self {
        let names = Names::new(sql);
        Self {
            sql,
            bytes: sql.as_bytes(),
            reading,
            marks,
            at: 0,
            names,
            brackets: false,
            ambiguous: false,
            unsettled: false,
        }
    }

    /// Marks all bytes.
    pub(super) fn run(mut self) -> Noticed {
        while let Some(byte) = self.byte(self.at) {
            let (token, end) = self.token(byte);
            // However wrong a token is, the next one is behind it.
            let end = end.clamp(self.at + 1, self.bytes.len());
            let mark = match token {
                Token::Blank => BLANK,
                Token::Literal => HIDDEN,
                Token::Word | Token::Name | Token::NameOrText if self.names.is_secret() => HIDDEN,
                Token::Word | Token::Name | Token::Placeholder | Token::Operator => SHOWN,
                Token::NameOrText if self.names.is_before_name(end) => {
                    // What is behind it may turn out to be none.
                    self.unsettled = true;
                    SHOWN
                }
                Token::NameOrText if self.names.is_name(self.at, end) => SHOWN,
                Token::NameOrText => HIDDEN,
            };
            self.names.pass(token, self.at, end);
            for marks in &mut self.marks[self.at..end] {
                *marks |= mark;
            }
            self.at = end;
        }
        Noticed { ambiguous: self.ambiguous, unsettled: self.unsettled }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn token(&mut self, byte: u8) -> (Token, usize) {
        let at = self.at;
        let next = self.byte(at + 1).unwrap_or_default();
        match byte {
            b'\'' => (Token::Literal, self.string(at, self.reading.backslash)),
            b'"' => self.double_quoted(),
            b'`' => self.backticked(),
            b'[' => self.bracketed(),
            b'-' if next == b'-' => self.dashes(),
            b'/' if next == b'*' => self.comment(),
            b'/' if next == b'/' => {
                self.ambiguous = true;
                if self.reading.slash_comments {
                    (Token::Blank, self.line_end())
                } else {
                    (Token::Operator, at + 1)
                }
            }
            b'*' if next == b'/' && self.reading.conditional_code => (Token::Blank, at + 2),
            b'#' => self.hash(),
            b'$' => self.dollar(next),
            b'?' => (Token::Placeholder, self.placeholder_digits(at + 1).unwrap_or(at + 1)),
            b':' | b'@' => self.prefixed(byte, next),
            b'0'..=b'9' => (Token::Literal, self.number_end()),
            b'.' if next.is_ascii_digit() => (Token::Literal, self.number_end()),
            0..=b' ' | 0x7f => (Token::Blank, at + 1),
            byte if is_word_byte(byte) => self.word(),
            _ if byte.is_ascii() => (Token::Operator, at + 1),
            _ => {
                let c = self.char(at);
                match c {
                    c if is_blank(c) => (Token::Blank, at + c.len_utf8()),
                    c if is_currency(c) => (Token::Operator, at + c.len_utf8()),
                    _ => self.word(),
                }
            }
        }
    }

    fn char(&self, at: usize) -> char {
        self.sql.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('\u{fffd}')
    }

    /// Where the word ends that `at` is in.
    fn word_end(&self, mut at: usize) -> usize {
        while let Some(byte) = self.byte(at) {
            let is_word = match byte {
                b'$' => true,
                b'#' | b'@' => self.reading.hash == Hash::Word,
                byte if byte.is_ascii() => is_word_byte(byte) || byte.is_ascii_digit(),
                _ => {
                    let c = self.char(at);
                    if is_blank(c) || is_currency(c) {
                        return at;
                    }
                    at += c.len_utf8();
                    continue;
                }
            };
            if !is_word {
                break;
            }
            at += 1;
        }
        at
    }

    fn word(&mut self) -> (Token, usize) {
        let at = self.at;
        let end = self.word_end(at);
        let word = &self.bytes[at..end];
        if self.byte(end) == Some(b'\'') {
            match word {
                [b'e' | b'E'] if self.reading.e_strings => return (Token::Literal, self.e_string(end)),
                [b'q' | b'Q'] | [b'n' | b'N', b'q' | b'Q'] => {
                    self.ambiguous = true;
                    if self.reading.q_strings {
                        return (Token::Literal, self.q_string(end));
                    }
                }
                _ => {}
            }
            if let [b'a'..=b'z' | b'A'..=b'Z'] = word {
                return (Token::Literal, self.string(end, self.reading.backslash));
            }
        }
        let is_boolean = word.eq_ignore_ascii_case(b"true") || word.eq_ignore_ascii_case(b"false");
        let is_column = self.byte(end) == Some(b'.') || self.names.is_behind_dot();
        (if is_boolean && !is_column { Token::Literal } else { Token::Word }, end)
    }
}
