//! The summary of a statement: its operations and the tables they name, as `db.query.summary` has them.

use super::{MAX_SUMMARY, bounded};

/// Returns the operations and tables of a statement that [`parameterise`](super::parameterise) returned, for
/// `db.query.summary`: at most [`MAX_SUMMARY`] bytes, cut between words.
///
/// Keywords and names keep their case and their quotes. Values never appear, because a parameterised statement has none.
///
/// ```
/// use sentrace_protocol::sql::summary;
///
/// assert_eq!(summary("select name from users u join orders o on u.id = o.uid"), "select users orders");
/// assert_eq!(summary("INSERT INTO archive SELECT * FROM cart WHERE id = ?"), "INSERT archive SELECT cart");
/// assert_eq!(summary("CREATE TABLE IF NOT EXISTS foo (id int)"), "CREATE TABLE foo");
/// ```
///
/// OpenTelemetry's semantic conventions, *Generating a summary of the query*.
pub fn summary(statement: &str) -> String {
    let mut summary = Summary::default();
    let mut words = Words::new(statement);
    let Some(first) = words.find(|word| !word.is("(")) else { return String::new() };
    if first.is_any(&["CREATE", "DROP", "ALTER", "TRUNCATE"]) {
        summary.push(first.text);
        definition(&mut words, &mut summary);
    } else if first.is("PRAGMA") {
        summary.push(first.text);
        words.next().filter(Word::is_name).into_iter().for_each(|name| summary.push(name.text));
    } else if first.is_any(STATEMENTS) {
        Query::default().read(first, words, &mut summary);
    } else if first.is_name() {
        summary.push(first.text);
    }
    summary.text
}

/// Returns the operation of a statement, for `db.operation.name`: its first keyword, or the one behind the common table
/// expressions of `WITH`.
///
/// ```
/// use sentrace_protocol::sql::operation;
///
/// assert_eq!(operation("select * from users"), Some("select"));
/// assert_eq!(operation("WITH t AS (SELECT 1) DELETE FROM u"), Some("DELETE"));
/// ```
pub fn operation(statement: &str) -> Option<&str> {
    let mut words = Words::new(statement).skip_while(|word| word.is("("));
    let first = words.next().filter(Word::is_name)?;
    if !first.is("WITH") {
        return Some(bounded(first.text, MAX_SUMMARY));
    }
    let mut depth = 0_usize;
    for word in words {
        match word.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 0 && word.is_any(STATEMENTS) => return Some(word.text),
            _ => {}
        }
    }
    Some(first.text)
}

/// Statements whose tables are named by [`TABLE_FOLLOWS`].
const STATEMENTS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE"];

const TABLE_FOLLOWS: &[&str] = &["FROM", "JOIN", "INTO", "UPDATE"];

/// Words between a keyword and the table that it announces.
const BEFORE_TABLE: &[&str] = &["ONLY", "LATERAL", "OR", "IGNORE", "LOW_PRIORITY", "QUICK", "TABLE"];

/// What ends a list of tables. Whatever else follows a table is its alias.
const AFTER_TABLES: &[&str] = &[
    "WHERE",
    "SET",
    "ON",
    "USING",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "FOR",
    "VALUES",
    "DEFAULT",
    "RETURNING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "WHEN",
    "LEFT",
    "RIGHT",
    "INNER",
    "OUTER",
    "FULL",
    "CROSS",
    "NATURAL",
    "STRAIGHT_JOIN",
];

/// `UPDATE` as a part of another clause: `FOR UPDATE`, `DO UPDATE`, `ON DUPLICATE KEY UPDATE`, `THEN UPDATE`.
const BEFORE_NO_STATEMENT: &[&str] = &["FOR", "DO", "KEY", "THEN", "NO", "ON"];

/// Words of a definition between its kind and the name.
const BEFORE_DEFINED: &[&str] = &["IF", "NOT", "EXISTS", "CONCURRENTLY", "ONLY"];

const DEFINED_KINDS: &[&str] = &[
    "TABLE",
    "INDEX",
    "VIEW",
    "SCHEMA",
    "DATABASE",
    "SEQUENCE",
    "FUNCTION",
    "PROCEDURE",
    "TRIGGER",
    "TYPE",
    "EXTENSION",
    "ROLE",
    "USER",
    "DOMAIN",
];

#[derive(Default)]
struct Summary {
    text: String,
    is_full: bool,
}

impl Summary {
    fn push(&mut self, word: &str) {
        let separator = usize::from(!self.text.is_empty());
        self.is_full |= self.text.len() + separator + word.len() > MAX_SUMMARY;
        if self.is_full {
            return;
        }
        if separator > 0 {
            self.text.push(' ');
        }
        self.text.push_str(word);
    }
}

/// `CREATE [OR REPLACE] [UNIQUE ..] TABLE [IF NOT EXISTS] name ..`, behind its first word.
fn definition(words: &mut Words<'_>, summary: &mut Summary) {
    let mut words = words.peekable();
    let kind = words.by_ref().take_while(Word::is_name).find(|word| word.is_any(DEFINED_KINDS));
    let Some(kind) = kind else { return };
    summary.push(kind.text);
    let name = words.find(|word| !word.is_any(BEFORE_DEFINED));
    name.filter(Word::is_name).into_iter().for_each(|name| summary.push(name.text));
}

/// Where a query stands.
#[derive(Default)]
struct Query<'a> {
    previous: Option<Word<'a>>,
    nested: Vec<Nested>,
    expects: Expects,
}

/// An open parenthesis.
#[derive(Default)]
struct Nested {
    holds_query: bool,
    /// Whether it stands among tables.
    in_tables: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Expects {
    #[default]
    Nothing,
    Table,
    /// A comma, before the next table.
    MoreTables,
}

impl<'a> Query<'a> {
    fn read(mut self, first: Word<'a>, words: Words<'a>, summary: &mut Summary) {
        self.word(first, summary, false);
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let is_call = words.peek().is_some_and(|next| next.is("(")) && !self.announces_columns();
            self.word(word, summary, is_call);
            if summary.is_full {
                return;
            }
        }
    }

    /// `INSERT INTO users (id)` lists columns; `FROM series(1, 2)` calls a function.
    fn announces_columns(&self) -> bool {
        self.previous.is_some_and(|previous| previous.is("INTO"))
    }

    fn word(&mut self, word: Word<'a>, summary: &mut Summary, is_call: bool) {
        match word.text {
            "(" => {
                self.nested.push(Nested { holds_query: false, in_tables: self.expects != Expects::Nothing });
                self.expects = Expects::Nothing;
            }
            ")" => {
                let in_tables = self.nested.pop().is_some_and(|nested| nested.in_tables);
                self.expects = if in_tables { Expects::MoreTables } else { Expects::Nothing };
            }
            "," if self.expects == Expects::MoreTables => self.expects = Expects::Table,
            _ if word.is_any(STATEMENTS) && self.begins_statement(word, is_call) => {
                summary.push(word.text);
                self.nested.last_mut().into_iter().for_each(|nested| nested.holds_query = true);
                self.expects = if word.is("UPDATE") { Expects::Table } else { Expects::Nothing };
            }
            _ if word.is_any(TABLE_FOLLOWS) => {
                self.expects = if self.announces_table(word) { Expects::Table } else { Expects::Nothing };
            }
            _ if word.is_any(AFTER_TABLES) => self.expects = Expects::Nothing,
            _ if self.expects == Expects::Table && word.is_any(BEFORE_TABLE) => {}
            _ if self.expects == Expects::Table => {
                if word.is_name() && !is_call {
                    summary.push(word.text);
                }
                self.expects = Expects::MoreTables;
            }
            ";" => self.expects = Expects::Nothing,
            _ => {}
        }
        self.previous = Some(word);
    }

    fn begins_statement(&self, word: Word<'_>, is_call: bool) -> bool {
        self.previous.is_none_or(|previous| !previous.is_any(BEFORE_NO_STATEMENT) && !previous.is("OR"))
            // `REPLACE(text, ..)` and `INSERT(text, ..)` are functions.
            && !(is_call && word.is_any(&["REPLACE", "INSERT"]))
    }

    /// `EXTRACT(YEAR FROM t)`, `a IS DISTINCT FROM b` and `FOR UPDATE` announce none.
    fn announces_table(&self, word: Word<'_>) -> bool {
        let in_query = self.nested.last().is_none_or(|nested| nested.holds_query);
        let follows = |words: &[&str]| self.previous.is_some_and(|previous| previous.is_any(words));
        !follows(BEFORE_NO_STATEMENT)
            && (in_query || word.is("JOIN"))
            && !(word.is("FROM") && follows(&["DISTINCT"]))
    }
}

#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
}

impl Word<'_> {
    fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }

    fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// A keyword, or a name with or without quotes.
    fn is_name(&self) -> bool {
        self.text.starts_with(|first: char| {
            first.is_alphabetic() || matches!(first, '_' | '"' | '`' | '[' | '#' | '@')
        })
    }
}

/// Names with their qualifiers, and single characters.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn new(statement: &'a str) -> Self {
        Self { rest: statement }
    }

    /// The length of one part of a name at the start of `text`.
    fn part(text: &str) -> usize {
        let close = match text.as_bytes().first() {
            Some(b'"') => '"',
            Some(b'`') => '`',
            Some(b'[') => ']',
            _ => return text.find(|c: char| !is_word(c)).unwrap_or(text.len()),
        };
        text[1..].find(close).map_or(text.len(), |end| 1 + end + close.len_utf8())
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        let mut length = Self::part(rest);
        while length > 0 && rest[length..].starts_with('.') {
            let part = Self::part(&rest[length + 1..]);
            length += 1 + part;
            if part == 0 {
                break;
            }
        }
        let (text, rest) = rest.split_at(if length == 0 { first.len_utf8() } else { length });
        self.rest = rest;
        Some(Word { text })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_and_tables_are_summarised() {
        // statement, summary, operation, reason
        let rows = [
            (r#"SELECT * FROM "User" WHERE id = $1"#, r#"SELECT "User""#, "SELECT", "21: quotes stay"),
            ("SELECT * FROM users WHERE id = ?", "SELECT users", "SELECT", "22"),
            (
                "select name from users u join orders o on u.id=o.uid",
                "select users orders",
                "select",
                "23: case stays, joins count",
            ),
            ("SELECT NOW()", "SELECT", "SELECT", "24: a function is no table"),
            ("INSERT INTO users (id, name) VALUES (?, ?)", "INSERT users", "INSERT", "25"),
            ("INSERT INTO a SELECT * FROM b", "INSERT a SELECT b", "INSERT", "26"),
            ("DELETE FROM public.users WHERE id IN (?)", "DELETE public.users", "DELETE", "27"),
            ("CREATE TABLE IF NOT EXISTS foo (id int)", "CREATE TABLE foo", "CREATE", "28"),
            ("WITH t AS (SELECT * FROM a) SELECT * FROM t", "WITH", "SELECT", "29"),
            ("SELECT * FROM (SELECT id FROM c) x", "SELECT SELECT c", "SELECT", "30"),
            ("SELECT * FROM a, b WHERE a.id=b.id", "SELECT a b", "SELECT", "31"),
            ("PRAGMA table_info(users)", "PRAGMA table_info", "PRAGMA", "32"),
            ("BEGIN", "BEGIN", "BEGIN", "32"),
            ("CALL p(?)", "CALL", "CALL", "32"),
            ("SELECT * FROM t WHERE x=? AND y=?", "SELECT t", "SELECT", "34"),
            ("(SELECT a FROM t1) UNION (SELECT b FROM t2)", "SELECT t1 SELECT t2", "SELECT", "86"),
            ("EXPLAIN SELECT * FROM t", "EXPLAIN", "EXPLAIN", "86"),
            ("DROP INDEX IF EXISTS i1", "DROP INDEX i1", "DROP", "86"),
            ("INSERT OR REPLACE INTO t VALUES (?)", "INSERT t", "INSERT", "86"),
            ("SELECT ? FROM t", "SELECT t", "SELECT", "86"),
            ("UPDATE users SET a = ? WHERE id = ?", "UPDATE users", "UPDATE", "the table follows at once"),
            ("UPDATE ONLY users SET a = ?", "UPDATE users", "UPDATE", "PostgreSQL's ONLY is no table"),
            ("SELECT a FROM t FOR UPDATE", "SELECT t", "SELECT", "FOR UPDATE is a clause"),
            (
                "INSERT INTO t (a) VALUES (?) ON CONFLICT (a) DO UPDATE SET a = ?",
                "INSERT t",
                "INSERT",
                "DO UPDATE is a clause",
            ),
            (
                "INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = ?",
                "INSERT t",
                "INSERT",
                "so is KEY UPDATE",
            ),
            (
                "SELECT EXTRACT(YEAR FROM born) FROM people",
                "SELECT people",
                "SELECT",
                "FROM inside a function",
            ),
            ("SELECT a FROM t WHERE b IS DISTINCT FROM c", "SELECT t", "SELECT", "FROM as a comparison"),
            ("SELECT * FROM generate_series(?, ?) g", "SELECT", "SELECT", "a function in place of a table"),
            ("SELECT REPLACE(a, ?, ?) FROM t", "SELECT t", "SELECT", "REPLACE as a function"),
            ("REPLACE INTO t VALUES (?)", "REPLACE t", "REPLACE", "and as a statement"),
            (
                r#"SELECT * FROM "a"."b" AS x, `c`.`d`, [e].[f]"#,
                r#"SELECT "a"."b" `c`.`d` [e].[f]"#,
                "SELECT",
                "qualified names in each kind of quotes",
            ),
            (
                "SELECT * FROM a LEFT JOIN b USING (id), c",
                "SELECT a b",
                "SELECT",
                "columns of USING are no tables",
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
                "CREATE INDEX i",
                "CREATE",
                "words before the kind",
            ),
            ("CREATE OR REPLACE VIEW v AS SELECT ?", "CREATE VIEW v", "CREATE", "the same"),
            ("TRUNCATE TABLE t", "TRUNCATE TABLE t", "TRUNCATE", "a definition by its form"),
            (
                "SELECT a FROM t WHERE b IN (SELECT c FROM d)",
                "SELECT t SELECT d",
                "SELECT",
                "a query in a condition",
            ),
            ("COMMIT", "COMMIT", "COMMIT", "a lone keyword"),
        ];
        for (statement, expected, expected_operation, reason) in rows {
            assert_eq!(summary(statement), expected, "{reason}: {statement}");
            assert_eq!(operation(statement), Some(expected_operation), "{reason}: {statement}");
        }
        for empty in ["", "  ", "?", "((", ";"] {
            assert_eq!((summary(empty).as_str(), operation(empty)), ("", None), "{empty:?}");
        }
    }

    #[test]
    fn a_long_summary_is_cut_between_words() {
        let tables: Vec<_> = (0..100).map(|n| format!("table_{n}")).collect();
        let long = summary(&format!("SELECT * FROM {}", tables.join(", ")));
        assert!(long.len() <= MAX_SUMMARY && long.len() > MAX_SUMMARY - 10, "{}", long.len());
        assert!(long.split(' ').skip(1).all(|table| tables.iter().any(|known| known == table)), "{long}");
        assert_eq!(summary(&format!("SELECT * FROM {}", "x".repeat(1_000))), "SELECT");
    }
}
