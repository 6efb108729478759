//! A statement as one reading sees it: token by token, each marked as shown, blank or hidden.

use super::names::Names;
use super::reading::{Hash, Quoted, Reading};
use crate::util::scan::find;

/// Marks of bytes. Each reading adds its own.
pub(super) const SHOWN: u8 = 1;
pub(super) const BLANK: u8 = 2;
pub(super) const HIDDEN: u8 = 4;

/// A longer number behind a placeholder is none that a database accepts.
const MAX_PLACEHOLDER_DIGITS: usize = 5;

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

/// A token, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// White space or a comment.
    Blank,
    Literal,
    Word,
    /// A name in quotes.
    Name,
    /// Text in double quotes that is a name in some places and a string in others.
    NameOrText,
    Placeholder,
    Operator,
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

    /// Where the string ends whose quote is at `at`.
    fn string(&mut self, at: usize, backslash: bool) -> usize {
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
    fn quoted(&mut self, at: usize, quote: u8, backslash: bool) -> (usize, bool) {
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
    fn triple_quoted(&self, at: usize, quote: u8) -> usize {
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
    fn e_string(&mut self, at: usize) -> usize {
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
    fn q_string(&self, at: usize) -> usize {
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
    fn find(&self, needle: &[u8], mut at: usize) -> usize {
        let first = needle.first().copied().unwrap_or_default();
        while let Some(found) = self.bytes.get(at..).and_then(|rest| find(first, rest)) {
            if self.bytes[at + found..].starts_with(needle) {
                return at + found + needle.len();
            }
            at += found + 1;
        }
        self.bytes.len()
    }

    fn double_quoted(&mut self) -> (Token, usize) {
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

    fn backticked(&mut self) -> (Token, usize) {
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

    fn bracketed(&mut self) -> (Token, usize) {
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

    fn dashes(&mut self) -> (Token, usize) {
        let is_blank = self.byte(self.at + 2).is_none_or(|byte| byte <= b' ');
        if !is_blank {
            self.ambiguous = true;
            if self.reading.dash_needs_blank {
                return (Token::Operator, self.at + 1);
            }
        }
        (Token::Blank, self.line_end())
    }

    fn hash(&mut self) -> (Token, usize) {
        self.ambiguous = true;
        match self.reading.hash {
            Hash::Comment => (Token::Blank, self.line_end()),
            Hash::Operator => (Token::Operator, self.at + 1),
            Hash::Word => (Token::Word, self.word_end(self.at + 1)),
        }
    }

    /// Where a comment of one line ends.
    fn line_end(&mut self) -> usize {
        let rest = &self.bytes[self.at..];
        let line = find(b'\n', rest).unwrap_or(rest.len());
        let returns = find(b'\r', &rest[..line]).filter(|end| end + 1 < line || line == rest.len());
        self.ambiguous |= returns.is_some();
        self.at + returns.filter(|_| self.reading.return_ends_comment).unwrap_or(line)
    }

    fn comment(&mut self) -> (Token, usize) {
        let rest = &self.bytes[self.at + 2..];
        if rest.starts_with(b"!") || rest.starts_with(b"M!") {
            self.ambiguous = true;
            if self.reading.conditional_code {
                let mark = self.at + 3 + usize::from(rest[0] == b'M');
                let version = self.bytes[mark..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                return (Token::Blank, mark + version);
            }
        }
        let mut depth = 1;
        let mut at = self.at + 2;
        while let Some(byte) = self.byte(at) {
            match (byte, self.byte(at + 1)) {
                (b'*', Some(b'/')) => {
                    at += 2;
                    depth -= 1;
                    if depth == 0 {
                        return (Token::Blank, at);
                    }
                }
                (b'/', Some(b'*')) => {
                    at += 2;
                    self.ambiguous = true;
                    depth += usize::from(self.reading.nested_comments);
                }
                _ => at += 1,
            }
        }
        (Token::Blank, at)
    }

    /// `$1`, `$name`, money, or text between `$tag$` and `$tag$`.
    fn dollar(&mut self, next: u8) -> (Token, usize) {
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

    fn is_fraction(&self, at: usize) -> bool {
        self.byte(at) == Some(b'.') && self.byte(at + 1).is_some_and(|byte| byte.is_ascii_digit())
    }

    /// The end of the digits of a placeholder; `None` if no database has so many.
    fn placeholder_digits(&self, at: usize) -> Option<usize> {
        let digits = self.bytes[at..]
            .iter()
            .take(MAX_PLACEHOLDER_DIGITS + 1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        (digits <= MAX_PLACEHOLDER_DIGITS).then_some(at + digits)
    }

    /// `:name`, `@name`, `@@name`, `:1`, a cast, or an operator.
    fn prefixed(&mut self, prefix: u8, next: u8) -> (Token, usize) {
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
    fn number_end(&self) -> usize {
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

/// What a word may begin with, of ASCII.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// White space for any database; also marks of no width, which some copy into SQL.
pub(super) fn is_blank(c: char) -> bool {
    c <= ' '
        || c == '\u{7f}'
        || c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// What a sum of money may begin with in SQL Server, `$` aside.
fn is_currency(c: char) -> bool {
    matches!(c, '¢'..='¥' | '\u{9f2}' | '\u{9f3}' | '\u{e3f}' | '\u{17db}' | '\u{20a0}'..='\u{20cf}' | '\u{fdfc}' | '\u{fe69}' | '\u{ff04}' | '\u{ffe0}' | '\u{ffe1}' | '\u{ffe5}' | '\u{ffe6}')
}
