//! SQL without its literals.
//!
//! Literals tell about customers and make every statement look different, so a statement is only reported with `?` in
//! their place. What counts as a literal differs between databases, and partly by their settings, which a client cannot
//! see: a backslash may escape a quote, `"text"` may be a name, `#` may start a comment. [`parameterise`] therefore reads a
//! statement in every way in which its database could read it, and hides whatever is a literal or a comment in *any* of them.
//! If the database is not known, these are the ways of all of them.
//!
//! OpenTelemetry's semantic conventions, *Sanitization of `db.query.text`*.

use std::borrow::Cow;

use self::scan::{BLANK, HIDDEN, SHOWN, Scan};
use self::token::is_blank;

mod dialect;
mod lists;
mod names;
mod reading;
mod scan;
mod summary;
mod token;

pub use self::dialect::Dialect;
pub use self::summary::{operation, summary};

/// The longest text that [`parameterise`] returns, in bytes. A longer statement is cut.
pub const MAX_SQL: usize = 8 * 1024;

/// The longest summary that [`summary`] returns, in bytes.
pub const MAX_SUMMARY: usize = 255;

/// The bytes of a statement that are read. More than [`MAX_SQL`], because long lists become short ones.
const MAX_INPUT: usize = 64 * 1024;

/// The same if a statement has to be read in several ways.
const MAX_AMBIGUOUS_INPUT: usize = 16 * 1024;

/// How often a statement is read until it stays as it is. Few rounds are needed, as each hides more.
const MAX_ROUNDS: usize = 4;

/// The longest name of a command that is not SQL.
const MAX_WORD: usize = 32;

/// Returns the statement as one line, with `?` in place of each literal and without comments.
///
/// - Strings, numbers, booleans, and binary and dollar-quoted text are literals. If the databases of this
///   [`Dialect`] disagree about a character, whatever could be a literal for one of them is hidden, if need be up to the end.
/// - Placeholders (`?`, `$1`, `:name`, `@name`) and names stay. Text in double quotes stays only if it is surely a
///   name: always for PostgreSQL and Oracle, otherwise in places where no string can be, as in `"cart"."id"`.
/// - Lists have one form, whatever their length: `IN (1, 2, 3)` becomes `IN (?)`, and of the rows behind `VALUES` only the first
///   stays. Numbered placeholders become `?` in such lists and behind them, where their numbers depend on the length.
/// - At most the first 64 KiB are read, and at most [`MAX_SQL`] bytes are returned.
///
/// Applied to its own result, it changes nothing.
///
/// ```
/// use sentrace_protocol::sql::{Dialect, parameterise};
///
/// let sql = "SELECT name FROM users -- all\nWHERE mail = 'eve@example.com' AND plan IN (1, 2)";
/// let shown = "SELECT name FROM users WHERE mail = ? AND plan IN (?)";
/// assert_eq!(parameterise(sql, Dialect::PostgreSql), shown);
///
/// // Without escapes by backslash this is `'C:\'` and something behind it; with them the literal goes on.
/// assert_eq!(parameterise(r"SELECT * FROM files WHERE dir = 'C:\' AND a = 'b'", Dialect::Unknown), "SELECT * FROM files WHERE dir = ?");
/// ```
pub fn parameterise(sql: &str, dialect: Dialect) -> Cow<'_, str> {
    if dialect == Dialect::NotSql {
        return Cow::Borrowed(leading_word(sql));
    }
    let read_part = bounded(sql, MAX_INPUT);
    let is_cut = read_part.len() < sql.len();
    match read(read_part.trim_matches(is_blank), is_cut, dialect) {
        Ok(Cow::Borrowed(shown)) => Cow::Borrowed(shown),
        Ok(Cow::Owned(shown)) | Err(shown) => Cow::Owned(settled(shown, dialect)),
    }
}

/// The statement without what is hidden; an `Err` if that should be read again.
fn read(mut sql: &str, mut is_cut: bool, dialect: Dialect) -> Result<Cow<'_, str>, String> {
    let (first, others) = dialect.readings();
    // Most statements are short: what is known of their bytes then needs no allocation.
    let mut short = [0; 512];
    let mut long = Vec::new();
    let mut marks = match short.get_mut(..sql.len()) {
        Some(short) => short,
        None => {
            long.resize(sql.len(), 0);
            &mut long[..]
        }
    };
    let noticed = Scan::new(sql, first, marks).run();
    let ambiguous = noticed.ambiguous && !others.is_empty();
    if ambiguous {
        let read_part = bounded(sql, MAX_AMBIGUOUS_INPUT);
        is_cut |= read_part.len() < sql.len();
        sql = read_part.trim_end_matches(is_blank);
        marks = &mut marks[..sql.len()];
        marks.fill(0);
        for reading in std::iter::once(first).chain(others.iter().copied()) {
            Scan::new(sql, reading, marks).run();
        }
    }
    let shown = match render(sql, marks) {
        Cow::Borrowed(shown) => lists::shorten(shown, is_cut),
        Cow::Owned(shown) => match lists::shorten(&shown, is_cut) {
            Cow::Owned(shorter) => Cow::Owned(shorter),
            Cow::Borrowed(_) => Cow::Owned(shown),
        },
    };
    if ambiguous || noticed.unsettled { Err(shown.into_owned()) } else { Ok(shown) }
}

/// Reads what is left until it stays as it is: what is hidden may have been the end of a name for another reading, or of a
/// list.
fn settled(mut shown: String, dialect: Dialect) -> String {
    for _ in 0..MAX_ROUNDS {
        let again = match read(&shown, false, dialect) {
            Ok(again) => again.into_owned(),
            Err(again) => again,
        };
        if again == shown {
            return shown;
        }
        shown = again;
    }
    leading_word(&shown).to_owned()
}

/// Returns `true` if there is nothing to execute, only blanks, comments and semicolons, as pools of connections send to
/// see whether one is alive.
///
/// ```
/// use sentrace_protocol::sql::is_empty;
///
/// assert!(is_empty("/* SQLx ping */") && !is_empty("/* cart */ SELECT 1"));
/// ```
pub fn is_empty(sql: &str) -> bool {
    let mut rest = bounded(sql, MAX_INPUT);
    loop {
        rest = rest.trim_start_matches(|c| is_blank(c) || c == ';');
        if rest.starts_with("/*!") || rest.starts_with("/*M!") {
            return false;
        }
        rest = if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, behind)| behind)
        } else if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, behind)| behind)
        } else {
            return rest.is_empty();
        };
    }
}

/// The statement, or a beginning of it that ends with a whole word.
fn bounded(sql: &str, max: usize) -> &str {
    if sql.len() <= max {
        return sql;
    }
    let end = (0..=max).rev().find(|end| sql.is_char_boundary(*end)).unwrap_or_default();
    // Half a number or half of `FALSE` could be taken for something else.
    sql[..end]
        .trim_end_matches(|c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "_$.:@?&#+-\\".contains(c))
}

/// All that is sure of a command that is not SQL, such as `SET key value`.
fn leading_word(command: &str) -> &str {
    let command = command.trim_start_matches(is_blank);
    let end = command
        .bytes()
        .take(MAX_WORD + 1)
        .take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        .count();
    let is_word = end <= MAX_WORD && command[end..].chars().next().is_none_or(is_blank);
    if is_word { &command[..end] } else { "" }
}

/// The text of what all readings show; `?` for each run of what one of them hides.
fn render<'a>(sql: &'a str, marks: &[u8]) -> Cow<'a, str> {
    let bytes = sql.as_bytes();
    let is_shown = |at: usize| {
        marks[at] == SHOWN || (marks[at] == BLANK && bytes[at] == b' ' && bytes.get(at + 1) != Some(&b' '))
    };
    if (0..sql.len()).all(is_shown) {
        return Cow::Borrowed(sql);
    }
    let mut out = String::with_capacity(sql.len());
    let mut after_hidden = false;
    let mut at = 0;
    while at < marks.len() {
        let mark = kind(marks[at]);
        let end = at + marks[at..].iter().position(|other| kind(*other) != mark).unwrap_or(marks.len() - at);
        match mark {
            BLANK => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            SHOWN => {
                out.push_str(sql.get(at..end).unwrap_or_default());
                after_hidden = false;
            }
            // Several in a row are shown as one: where readings differ, so does where one ends.
            _ if after_hidden => out.truncate(out.trim_end_matches(' ').len()),
            _ => {
                out.push('?');
                after_hidden = true;
            }
        }
        at = end;
    }
    out.truncate(out.trim_end_matches(' ').len());
    Cow::Owned(out)
}

/// What is blank for some and shown by others is a comment for some.
fn kind(mark: u8) -> u8 {
    match mark {
        SHOWN | BLANK => mark,
        _ => HIDDEN,
    }
}

#[cfg(test)]
mod tests;
