//! SQL without its values.

use std::borrow::Cow;

/// The statement as one line, with `?` in place of each text and number that is written in it, and without comments:
/// values tell about customers, and make every statement look like another. Placeholders stay as they are.
///
/// What cannot be told apart is taken for a value: a backslash escapes a quote, as in some databases, and double quotes hold text
/// where backticks hold names.
pub(crate) fn parameterised(sql: &str) -> Cow<'_, str> {
    let sql = sql.trim();
    if is_plain(sql) {
        return Cow::Borrowed(sql);
    }
    let double_quotes_are_text = sql.contains('`');
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while !rest.is_empty() {
        let length = match token(rest, double_quotes_are_text) {
            Token::Blank(length) => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
                length
            }
            Token::Value(length) => {
                out.push('?');
                length
            }
            Token::Kept(length) => {
                out.push_str(rest.get(..length).unwrap_or_default());
                length
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out.truncate(out.trim_end().len());
    Cow::Owned(out)
}

/// A piece of SQL, by its length in bytes.
enum Token {
    /// White space or a comment.
    Blank(usize),
    Value(usize),
    Kept(usize),
}

/// Whether nothing has to be changed.
fn is_plain(sql: &str) -> bool {
    !sql.bytes().any(|byte| matches!(byte, b'\'' | b'"' | b'$' | b'/' | b'-' | b'0'..=b'9'))
        && !sql.bytes().any(|byte| byte.is_ascii_whitespace() && byte != b' ')
        && !sql.contains("  ")
}

fn token(sql: &str, double_quotes_are_text: bool) -> Token {
    let bytes = sql.as_bytes();
    let next = bytes.get(1).copied().unwrap_or_default();
    match bytes.first().copied().unwrap_or_default() {
        b' ' | b'\t' | b'\r' | b'\n' => Token::Blank(run(sql, char::is_whitespace)),
        b'-' if next == b'-' => Token::Blank(sql.find('\n').unwrap_or(sql.len())),
        b'/' if next == b'*' => Token::Blank(sql.find("*/").map_or(sql.len(), |end| end + 2)),
        b'\'' => Token::Value(quoted(bytes, b'\'')),
        b'"' if double_quotes_are_text => Token::Value(quoted(bytes, b'"')),
        quote @ (b'"' | b'`') => Token::Kept(quoted(bytes, quote)),
        b'$' => dollar(sql),
        b'0'..=b'9' => Token::Value(number(bytes)),
        // A placeholder with its number or name, or a cast.
        b'?' | b':' | b'@' => Token::Kept(1 + run(&sql[1..], is_word)),
        _ => Token::Kept(run(sql, is_word).max(sql.chars().next().map_or(0, char::len_utf8))),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the characters at the start that are alike.
fn run(text: &str, alike: impl Fn(char) -> bool) -> usize {
    text.find(|c| !alike(c)).unwrap_or(text.len())
}

/// The length of what is quoted, its quotes included.
fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            _ if byte != quote => at += 1,
            // Twice is once within.
            _ if bytes.get(at + 1) == Some(&quote) => at += 2,
            _ => return at + 1,
        }
    }
    bytes.len()
}

/// `$1`, `$name`, or text between `$tag$` and `$tag$`.
fn dollar(sql: &str) -> Token {
    let tag = 1 + run(&sql[1..], is_word);
    match sql.get(..=tag).filter(|tag| tag.ends_with('$')) {
        Some(tag) => {
            let end = sql[tag.len()..].find(tag).map_or(sql.len(), |end| end + 2 * tag.len());
            Token::Value(end)
        }
        None => Token::Kept(tag),
    }
}

/// The length of a number: `7`, `1.5`, `0x1F`, `1e-9`.
fn number(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        let exponent = matches!(bytes[at - 1], b'e' | b'E') && matches!(byte, b'+' | b'-');
        if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || exponent) {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_open() {
        let rows = [
            (
                "SELECT price FROM cart WHERE id = ?",
                "SELECT price FROM cart WHERE id = ?",
                "nothing to leave out",
            ),
            (
                "SELECT a FROM b WHERE c = $1 AND d = ?2",
                "SELECT a FROM b WHERE c = $1 AND d = ?2",
                "numbered places",
            ),
            ("SELECT :id, @p1, a::text, $name", "SELECT :id, @p1, a::text, $name", "named places, a cast"),
            ("SELECT 'a''b', 7 FROM t1", "SELECT ?, ? FROM t1", "text, a number, a name with a number"),
            (r"SELECT 'it\'s' x", "SELECT ? x", "an escaped quote"),
            ("WHERE a = -1.5e-9 OR b = 0x1F", "WHERE a = -? OR b = ?", "numbers of all kinds"),
            ("\n\n  SELECT a,\n    b -- it's b\n  FROM c\n", "SELECT a, b FROM c", "lines and a comment"),
            ("SELECT /* 'x' */ a", "SELECT a", "a comment within"),
            (r#"SELECT "t"."name" FROM "t""#, r#"SELECT "t"."name" FROM "t""#, "quoted names"),
            (
                r#"SELECT `name` FROM `t` WHERE a = "b""#,
                "SELECT `name` FROM `t` WHERE a = ?",
                "MySQL's quotes",
            ),
            ("SELECT $$it's$$, $x$a $$ b$x$, 2", "SELECT ?, ?, ?", "text in dollars"),
            ("SELECT 'never ends", "SELECT ?", "a quote that is not closed"),
            (r"SELECT 'ends in a backslash\", "SELECT ?", "an escape of nothing"),
            ("SELECT /* never ends", "SELECT", "a comment that is not closed"),
            ("SELECT $", "SELECT $", "a dollar alone"),
            ("WHERE straße = 'ä' AND ü = 1", "WHERE straße = ? AND ü = ?", "letters beyond ASCII"),
            ("SELECT a/b, c-d", "SELECT a/b, c-d", "operators"),
            ("  ", "", "nothing"),
        ];
        for (sql, expected, reason) in rows {
            assert_eq!(parameterised(sql), expected, "{reason}");
        }
    }

    #[test]
    fn every_start_of_a_statement_is_taken() {
        let sql = r#"SELECT 'a''b' "c" `d` $e$f$e$ $1 ?2 :g 1.5e-9 -- h
            /* i */ ß \ ' " ` $ / -"#;
        for (end, _) in sql.char_indices() {
            parameterised(&sql[..end]);
            parameterised(&sql[end..]);
        }
    }
}
