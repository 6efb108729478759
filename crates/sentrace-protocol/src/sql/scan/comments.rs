//! Comments, of which some databases execute a part.

use super::{Hash, Scan, Token};
use crate::util::scan::find;

impl Scan<'_> {
    pub(super) fn dashes(&mut self) -> (Token, usize) {
        let is_blank = self.byte(self.at + 2).is_none_or(|byte| byte <= b' ');
        if !is_blank {
            self.ambiguous = true;
            if self.reading.dash_needs_blank {
                return (Token::Operator, self.at + 1);
            }
        }
        (Token::Blank, self.line_end())
    }

    pub(super) fn hash(&mut self) -> (Token, usize) {
        self.ambiguous = true;
        match self.reading.hash {
            Hash::Comment => (Token::Blank, self.line_end()),
            Hash::Operator => (Token::Operator, self.at + 1),
            Hash::Word => (Token::Word, self.word_end(self.at + 1)),
        }
    }

    /// Where a comment of one line ends.
    pub(super) fn line_end(&mut self) -> usize {
        let rest = &self.bytes[self.at..];
        let line = find(b'\n', rest).unwrap_or(rest.len());
        let returns = find(b'\r', &rest[..line]).filter(|end| end + 1 < line || line == rest.len());
        self.ambiguous |= returns.is_some();
        self.at + returns.filter(|_| self.reading.return_ends_comment).unwrap_or(line)
    }

    pub(super) fn comment(&mut self) -> (Token, usize) {
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
}
