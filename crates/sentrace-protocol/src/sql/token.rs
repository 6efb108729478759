//! The parts of a statement.

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

/// What a word may begin with, of ASCII.
pub(super) fn is_word_byte(byte: u8) -> bool {
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
pub(super) fn is_currency(c: char) -> bool {
    matches!(c, '¢'..='¥' | '\u{9f2}' | '\u{9f3}' | '\u{e3f}' | '\u{17db}' | '\u{20a0}'..='\u{20cf}' | '\u{fdfc}' | '\u{fe69}' | '\u{ff04}' | '\u{ffe0}' | '\u{ffe1}' | '\u{ffe5}' | '\u{ffe6}')
}
