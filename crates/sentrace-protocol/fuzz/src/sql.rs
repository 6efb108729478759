//! No literal and no comment of a statement is ever shown, whichever database it is for and however it is set.
//!
//! The input chooses a database with its settings and builds a statement as that database reads it, from names, placeholders,
//! literals and comments. Literals and comments have a marker within, so wherever it is, one is shown. The tests of
//! `sentrace-protocol` include this file and give it random inputs.

use sentrace_protocol::sql::{Dialect, MAX_SQL, parameterise};

/// In each literal and comment that is text, and nowhere else.
const MARKER: &str = "HUSH";
/// In each that is a number.
const DIGITS: &str = "777";

const DIALECTS: [Dialect; 7] = [
    Dialect::Unknown,
    Dialect::PostgreSql,
    Dialect::MySql,
    Dialect::Sqlite,
    Dialect::SqlServer,
    Dialect::Oracle,
    Dialect::NotSql,
];

/// Takes the input for a statement as it is, then for choices of which one is built.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for dialect in DIALECTS {
        check_form(&text, dialect);
    }

    let mut choices = Choices(data);
    let database = &DATABASES[choices.pick(DATABASES.len())];
    let harmless = Builder::new(database, &mut choices, false).statement();
    for dialect in [database.dialect, Dialect::Unknown] {
        let shown = parameterise(&harmless, dialect);
        assert_eq!(shown, harmless, "{dialect:?}: names and placeholders stay");
    }

    let statement = Builder::new(database, &mut choices, true).statement();
    for dialect in [database.dialect, Dialect::Unknown] {
        let shown = check_form(&statement, dialect);
        for secret in [MARKER, DIGITS] {
            assert!(
                !shown.contains(secret),
                "{}, read as {dialect:?}: {statement:?} is shown as {shown:?}",
                database.name
            );
        }
        let first = statement.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        assert!(shown.starts_with(first), "{first} is sure, but {shown} is shown");
    }
    if statement.len() > 1 {
        // Wherever it is cut, what has begun is hidden.
        let cut = (0..choices.pick(statement.len()))
            .rev()
            .find(|at| statement.is_char_boundary(*at))
            .unwrap_or_default();
        let shown = check_form(&statement[..cut], database.dialect);
        assert!(!shown.contains(MARKER), "{:?} is shown as {shown:?}", &statement[..cut]);
    }
}

fn check_form(sql: &str, dialect: Dialect) -> String {
    let shown = parameterise(sql, dialect).into_owned();
    assert!(shown.len() <= MAX_SQL.min(sql.len() + 2), "{} bytes of {}", shown.len(), sql.len());
    assert_eq!(parameterise(&shown, dialect), shown, "{dialect:?}: {sql:?}: it is a fixpoint");
    shown
}

/// A database and how it is set.
struct Database {
    name: &'static str,
    dialect: Dialect,
    /// A backslash escapes within strings.
    backslash: bool,
    double_quotes: DoubleQuotes,
    literals: &'static [Literal],
    names: &'static [Name],
    comments: &'static [Comment],
    placeholders: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DoubleQuotes {
    Names,
    Text,
    /// In which a backslash escapes.
    EscapedText,
}

#[derive(Clone, Copy)]
enum Literal {
    /// `'text'`, with something before it.
    Text(&'static str),
    /// `E'text'`, and perhaps more of it in the next line.
    Escaped,
    /// `"text"`
    DoubleQuoted,
    /// `$tag$text$tag$`
    Dollars(&'static str),
    /// `q'[text]'`, with what is before the quote.
    Oracle(&'static str),
    /// Three quotes.
    Triple(&'static str),
    /// As it stands, with `#` for digits.
    Number(&'static str),
}

#[derive(Clone, Copy)]
enum Name {
    Plain(&'static str),
    /// `"any text"`
    DoubleQuoted,
    /// `` `any text` ``
    Backticks,
    /// `[any text]`; whether two brackets stand for one.
    Brackets(bool),
}

#[derive(Clone, Copy)]
enum Comment {
    /// Up to the end of the line, behind this.
    Line(&'static str),
    /// The same, and a carriage return ends it, too.
    LineOrReturn(&'static str),
    Block,
    Nested,
    /// MySQL's code in a comment, and the version that it is for.
    Code(&'static str),
}

use Comment::{Block, Code, Line, LineOrReturn, Nested};
use DoubleQuotes::{EscapedText, Names, Text as TextInDoubleQuotes};
use Literal::{Dollars, DoubleQuoted, Escaped, Number, Oracle, Text, Triple};
use Name::{Backticks, Brackets, Plain};

const PLAIN: [Name; 6] =
    [Plain("a"), Plain("cart_1"), Plain("Übung"), Plain("t.price"), Plain("e"), Plain("q")];
const POSTGRES_NAMES: &[Name] =
    &[PLAIN[0], PLAIN[1], PLAIN[2], PLAIN[3], PLAIN[4], PLAIN[5], Plain("a$b$c"), Name::DoubleQuoted];
const ORACLE_NAMES: &[Name] =
    &[PLAIN[0], PLAIN[1], PLAIN[3], PLAIN[4], PLAIN[5], Plain("v$x"), Name::DoubleQuoted];
const MYSQL_NAMES: &[Name] = &[PLAIN[0], PLAIN[1], PLAIN[2], PLAIN[3], Plain("a$b"), Backticks];
const MYSQL_ANSI_NAMES: &[Name] = &[PLAIN[0], PLAIN[1], PLAIN[2], PLAIN[3], Backticks, Name::DoubleQuoted];
const SQLITE_NAMES: &[Name] = &[PLAIN[0], PLAIN[1], PLAIN[2], PLAIN[3], Backticks, Brackets(false)];
const SQL_SERVER_NAMES: &[Name] =
    &[PLAIN[0], PLAIN[1], PLAIN[2], PLAIN[3], Plain("dbo.cart"), Brackets(true)];
const OTHER_NAMES: &[Name] = &PLAIN;

const NUMBERS: [Literal; 8] = [
    Number("#"),
    Number("-#.5"),
    Number(".#"),
    Number("#e-#"),
    Number("0x#"),
    Number("#_#"),
    Number("x'#'"),
    Number("B'#'"),
];
const POSTGRES_LITERALS: &[Literal] = &[
    Text(""),
    Text("U&"),
    Escaped,
    Dollars("$$"),
    Dollars("$t$"),
    Dollars("$ü_1$"),
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
    NUMBERS[3],
    NUMBERS[4],
    NUMBERS[5],
    NUMBERS[6],
    NUMBERS[7],
];
const MYSQL_LITERALS: &[Literal] = &[
    Text(""),
    Text("N"),
    Text("_utf8mb4"),
    Text("_latin1 "),
    DoubleQuoted,
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
    NUMBERS[3],
    NUMBERS[4],
    NUMBERS[6],
];
const MYSQL_ANSI_LITERALS: &[Literal] =
    &[Text(""), Text("n"), NUMBERS[0], NUMBERS[1], NUMBERS[4], NUMBERS[7]];
const SQLITE_LITERALS: &[Literal] = &[
    Text(""),
    DoubleQuoted,
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
    NUMBERS[3],
    NUMBERS[4],
    NUMBERS[5],
    NUMBERS[6],
];
const SQL_SERVER_LITERALS: &[Literal] = &[
    Text(""),
    Text("N"),
    DoubleQuoted,
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
    NUMBERS[3],
    NUMBERS[4],
    Number("$#.#"),
    Number("$####"),
    Number("£#"),
    Number("-€#.5"),
];
const ORACLE_LITERALS: &[Literal] = &[
    Text(""),
    Text("N"),
    Oracle("q"),
    Oracle("Q"),
    Oracle("nq"),
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
    Number("#f"),
    Number("#d"),
];

const DATABASES: [Database; 14] = [
    Database {
        name: "PostgreSQL",
        dialect: Dialect::PostgreSql,
        backslash: false,
        double_quotes: Names,
        literals: POSTGRES_LITERALS,
        names: POSTGRES_NAMES,
        comments: &[LineOrReturn("--"), Nested],
        placeholders: &["$1", "$2::text", "$23"],
    },
    Database {
        name: "PostgreSQL without standard_conforming_strings",
        dialect: Dialect::PostgreSql,
        backslash: true,
        double_quotes: Names,
        literals: &[Text(""), Escaped, Dollars("$$"), Dollars("$t$"), NUMBERS[0], NUMBERS[3]],
        names: POSTGRES_NAMES,
        comments: &[LineOrReturn("--"), Nested],
        placeholders: &["$1", "$2::text"],
    },
    Database {
        name: "MySQL",
        dialect: Dialect::MySql,
        backslash: true,
        double_quotes: EscapedText,
        literals: MYSQL_LITERALS,
        names: MYSQL_NAMES,
        comments: &[Line("-- "), Line("#"), Block, Code(""), Code("50701"), Code("99999")],
        placeholders: &["?", "@var"],
    },
    Database {
        name: "MySQL with NO_BACKSLASH_ESCAPES",
        dialect: Dialect::MySql,
        backslash: false,
        double_quotes: TextInDoubleQuotes,
        literals: MYSQL_LITERALS,
        names: MYSQL_NAMES,
        comments: &[Line("-- "), Line("--\t"), Line("#"), Block, Code("")],
        placeholders: &["?", "@@global"],
    },
    Database {
        name: "MySQL with ANSI_QUOTES",
        dialect: Dialect::MySql,
        backslash: true,
        double_quotes: Names,
        literals: MYSQL_ANSI_LITERALS,
        names: MYSQL_ANSI_NAMES,
        comments: &[Line("-- "), Line("#"), Block, Code("50701")],
        placeholders: &["?"],
    },
    Database {
        name: "SQLite",
        dialect: Dialect::Sqlite,
        backslash: false,
        double_quotes: TextInDoubleQuotes,
        literals: SQLITE_LITERALS,
        names: SQLITE_NAMES,
        comments: &[Line("--"), Block],
        placeholders: &["?", "?1", "$2", ":name", "@name", "$name"],
    },
    Database {
        name: "SQL Server",
        dialect: Dialect::SqlServer,
        backslash: false,
        double_quotes: TextInDoubleQuotes,
        literals: SQL_SERVER_LITERALS,
        names: SQL_SERVER_NAMES,
        comments: &[Line("--"), Nested],
        placeholders: &["@p1", "@name", "@@rowcount"],
    },
    Database {
        name: "Oracle",
        dialect: Dialect::Oracle,
        backslash: false,
        double_quotes: Names,
        literals: ORACLE_LITERALS,
        names: ORACLE_NAMES,
        comments: &[Line("--"), Block],
        placeholders: &[":1", ":name"],
    },
    Database {
        name: "ClickHouse",
        dialect: Dialect::Unknown,
        backslash: true,
        double_quotes: Names,
        literals: &[Text(""), Dollars("$t$"), NUMBERS[0], NUMBERS[4]],
        names: OTHER_NAMES,
        comments: &[Line("--"), Line("# "), Block],
        placeholders: &["?"],
    },
    Database {
        name: "Snowflake",
        dialect: Dialect::Unknown,
        backslash: true,
        double_quotes: Names,
        literals: &[Text(""), Dollars("$$"), NUMBERS[0]],
        names: OTHER_NAMES,
        comments: &[Line("--"), Line("//"), Block],
        placeholders: &["?", ":name"],
    },
    Database {
        name: "Cassandra",
        dialect: Dialect::Unknown,
        backslash: false,
        double_quotes: Names,
        literals: &[Text(""), Dollars("$$"), NUMBERS[0]],
        names: OTHER_NAMES,
        comments: &[Line("--"), Line("//"), Block],
        placeholders: &["?", ":name"],
    },
    Database {
        name: "BigQuery",
        dialect: Dialect::Unknown,
        backslash: true,
        double_quotes: EscapedText,
        literals: &[Text(""), Text("b"), DoubleQuoted, Triple("'''"), Triple("\"\"\""), NUMBERS[0]],
        names: OTHER_NAMES,
        comments: &[Line("--"), Line("#"), Block],
        placeholders: &["?", "@name"],
    },
    Database {
        name: "Spark",
        dialect: Dialect::Unknown,
        backslash: true,
        double_quotes: EscapedText,
        literals: &[Text(""), DoubleQuoted, NUMBERS[0]],
        names: OTHER_NAMES,
        comments: &[Line("--"), Nested],
        placeholders: &["?"],
    },
    Database {
        name: "SQLite, read without knowing",
        dialect: Dialect::Unknown,
        backslash: false,
        double_quotes: TextInDoubleQuotes,
        literals: SQLITE_LITERALS,
        names: SQLITE_NAMES,
        comments: &[Line("--"), Block],
        placeholders: &["?", "?1", "$2", ":name", "@name", "$name"],
    },
];

/// What ends strings and comments somewhere, and what looks as if it did.
const ODD: [&str; 34] = [
    "'",
    "\"",
    "`",
    "\\",
    "''",
    "\\'",
    "\\\\",
    "$",
    "$$",
    "$t$",
    "--",
    "-- ",
    "/*",
    "*/",
    "/*!",
    "#",
    "//",
    "[",
    "]",
    "(",
    ")",
    ",",
    ";",
    "\n",
    "\r",
    " ",
    "a",
    "é",
    "q'[",
    "E'",
    "'''",
    " ESCAPE '\\' ",
    "FROM",
    ".",
];

struct Builder<'a, 'd> {
    database: &'static Database,
    choices: &'a mut Choices<'d>,
    /// Whether there are literals and comments.
    secrets: bool,
    sql: String,
}

impl<'a, 'd> Builder<'a, 'd> {
    fn new(database: &'static Database, choices: &'a mut Choices<'d>, secrets: bool) -> Self {
        Self { database, choices, secrets, sql: String::new() }
    }

    /// In a statement, `n` is a name, `v` a value, and a blank may be a comment.
    fn statement(mut self) -> String {
        const FORMS: [&str; 7] = [
            "SELECT n, v FROM n WHERE n = v AND f(v, n) > v ORDER BY n",
            "SELECT n FROM n JOIN n ON n = n WHERE n LIKE v OR n BETWEEN v AND v LIMIT v",
            "INSERT INTO t (n, n) VALUES (v, v)",
            "UPDATE t SET n = v, n = v WHERE n = v",
            "DELETE FROM n WHERE n = v OR (n, n) = (v, v)",
            "WITH n AS (SELECT v) SELECT CASE WHEN n = v THEN v ELSE v END FROM n",
            "SELECT v FROM n WHERE n IN (v, v, v) AND n = v",
        ];
        // Lists have a form of their own.
        let forms = if self.secrets { &FORMS[..] } else { &FORMS[..6] };
        let form = forms[self.choices.pick(forms.len())];
        let mut word = String::new();
        for c in form.chars().chain([' ']) {
            if c.is_ascii_alphabetic() {
                word.push(c);
                continue;
            }
            match word.as_str() {
                "n" => self.name(),
                "v" => self.value(),
                other => self.sql.push_str(other),
            }
            word.clear();
            match c {
                ' ' => self.gap(),
                other => self.sql.push(other),
            }
        }
        self.sql.truncate(self.sql.trim_end().len());
        self.sql
    }

    fn name(&mut self) {
        let name = self.database.names[self.choices.pick(self.database.names.len())];
        match name {
            Plain(name) => self.sql.push_str(name),
            // A name that says something to other readers may be hidden.
            _ if !self.secrets => self.sql.push_str("plain"),
            Name::DoubleQuoted => {
                let name = self.odd("").replace('"', "\"\"");
                self.sql.push_str(&format!("\"n{name}\""));
            }
            Backticks => {
                let name = self.odd("").replace('`', "``");
                self.sql.push_str(&format!("`n{name}`"));
            }
            Brackets(true) => {
                let name = self.odd("").replace(']', "]]");
                self.sql.push_str(&format!("[n{name}]"));
            }
            Brackets(false) => {
                let name = self.odd("").replace(']', "");
                self.sql.push_str(&format!("[n{name}]"));
            }
        }
    }

    fn value(&mut self) {
        let placeholders = self.database.placeholders;
        if !self.secrets || self.choices.pick(4) == 0 {
            let placeholder = placeholders[self.choices.pick(placeholders.len())];
            self.sql.push_str(placeholder);
            return;
        }
        let literal = self.database.literals[self.choices.pick(self.database.literals.len())];
        match literal {
            Text(before) => {
                let text = self.odd(MARKER);
                let text = if before == "U&" {
                    doubled(&text, '\'')
                } else {
                    self.escaped(&text, '\'', self.database.backslash)
                };
                self.sql.push_str(&format!("{before}'{text}'"));
            }
            Escaped => {
                let (text, more) = (self.odd(MARKER), self.odd(MARKER));
                let (text, more) = (self.escaped(&text, '\'', true), self.escaped(&more, '\'', true));
                self.sql.push_str(&format!("E'{text}'"));
                if self.choices.pick(3) == 0 {
                    self.sql.push_str(&format!(" \n '{more}'"));
                }
            }
            DoubleQuoted => {
                let text = self.odd(MARKER);
                let text = self.escaped(&text, '"', self.database.double_quotes == EscapedText);
                self.sql.push_str(&format!("\"{text}\""));
            }
            Dollars(tag) => {
                let text = self.odd(MARKER).replace('$', "");
                self.sql.push_str(&format!("{tag}{text}{tag}"));
            }
            Oracle(before) => {
                let (open, close) =
                    [("[", "]"), ("(", ")"), ("{", "}"), ("<", ">"), ("!", "!"), ("é", "é"), ("'", "'")]
                        [self.choices.pick(7)];
                let text = self.odd(MARKER).replace(close, "");
                self.sql.push_str(&format!("{before}'{open}{text}{close}'"));
            }
            Triple(quotes) => {
                let text = self
                    .odd(MARKER)
                    .replace('\\', "\\\\")
                    .replace(&quotes[..1], &format!("\\{}", &quotes[..1]));
                self.sql.push_str(&format!("{quotes}{text}{quotes}"));
            }
            Number(number) => self.sql.push_str(&number.replace('#', DIGITS)),
        }
    }

    /// A blank, a line break or a comment.
    fn gap(&mut self) {
        if !self.secrets {
            self.sql.push(' ');
            return;
        }
        match self.choices.pick(8) {
            0 => self.comment(),
            1 => self.sql.push('\n'),
            2 => self.sql.push_str("\t \u{c}"),
            _ => self.sql.push(' '),
        }
    }

    fn comment(&mut self) {
        let comment = self.database.comments[self.choices.pick(self.database.comments.len())];
        // What comes before must not become a part of what starts the comment.
        self.sql.push(' ');
        let text = self.odd(MARKER);
        match comment {
            Line(start) => self.sql.push_str(&format!("{start}{}\n", text.replace('\n', ""))),
            LineOrReturn(start) => {
                let end = ["\n", "\r", "\r\n"][self.choices.pick(3)];
                self.sql.push_str(&format!("{start}{}{end}", text.replace(['\n', '\r'], "")));
            }
            Block => self.sql.push_str(&format!("/* {} */", text.replace(['*', '!'], ""))),
            Nested => {
                let text = text.replace(['*', '/'], "");
                self.sql.push_str(&format!("/* {text} /* {text} */ {text} */"));
            }
            Code(version) => {
                // No string follows `FROM`, whatever the gap is behind.
                self.sql.push_str(&format!("/*!{version} + "));
                self.value();
                self.sql.push_str(" */");
            }
        }
        self.sql.push(' ');
    }

    /// A few odd pieces around `middle`.
    fn odd(&mut self, middle: &str) -> String {
        let mut text = String::new();
        for _ in 0..self.choices.pick(4) {
            text.push_str(ODD[self.choices.pick(ODD.len())]);
        }
        text.push_str(middle);
        for _ in 0..self.choices.pick(4) {
            text.push_str(ODD[self.choices.pick(ODD.len())]);
        }
        text
    }

    fn escaped(&mut self, text: &str, quote: char, backslash: bool) -> String {
        if !backslash {
            return doubled(text, quote);
        }
        let text = text.replace('\\', "\\\\");
        if self.choices.pick(2) == 0 {
            doubled(&text, quote)
        } else {
            text.replace(quote, &format!("\\{quote}"))
        }
    }
}

fn doubled(text: &str, quote: char) -> String {
    text.replace(quote, &format!("{quote}{quote}"))
}

/// Choices by the bytes of the input; the first one of each kind when they run out.
struct Choices<'d>(&'d [u8]);

impl Choices<'_> {
    fn pick(&mut self, among: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % among.max(1)
    }
}
