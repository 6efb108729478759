//! One way to read SQL: that of a database in one of its settings.

/// What a reader makes of the characters that databases disagree about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// `'it\'s'` is one string.
    pub(super) backslash: bool,
    /// `E'it\'s'` is one string, whatever `backslash` says.
    pub(super) e_strings: bool,
    /// `q'[it's]'` is one string.
    pub(super) q_strings: bool,
    /// `'''it's'''` is one string.
    pub(super) triple_quotes: bool,
    /// `$$it's$$` and `$tag$it's$tag$` are strings.
    pub(super) dollar_quotes: bool,
    /// `$5` is a sum of money and no placeholder.
    pub(super) money: bool,
    /// `"a"` is always a name; otherwise it may be a string.
    pub(super) double_quoted_names: bool,
    /// Within double quotes a backslash escapes, too.
    pub(super) double_quote_backslash: bool,
    pub(super) backticks: Quoted,
    pub(super) brackets: Quoted,
    pub(super) hash: Hash,
    /// `//` starts a comment.
    pub(super) slash_comments: bool,
    /// `--` only starts a comment if a blank follows.
    pub(super) dash_needs_blank: bool,
    /// A carriage return ends a comment of one line.
    pub(super) return_ends_comment: bool,
    /// `/* /* */ */` is one comment.
    pub(super) nested_comments: bool,
    /// What is in `/*! */` is executed.
    pub(super) conditional_code: bool,
}

/// What may stand between backticks or brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoted {
    /// Nothing: they are operators.
    No,
    /// A name up to the next one.
    Name,
    /// A name in which two stand for one.
    Doubled,
    /// The same, and a backslash escapes.
    Backslash,
}

/// What `#` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Operator,
    Comment,
    /// A part of names, as `@` then is, too.
    Word,
}

/// What standard SQL says.
const STANDARD: Reading = Reading {
    backslash: false,
    e_strings: false,
    q_strings: false,
    triple_quotes: false,
    dollar_quotes: false,
    money: false,
    double_quoted_names: false,
    double_quote_backslash: false,
    backticks: Quoted::No,
    brackets: Quoted::No,
    hash: Hash::Operator,
    slash_comments: false,
    dash_needs_blank: false,
    return_ends_comment: false,
    nested_comments: false,
    conditional_code: false,
};

/// Reads what nobody reads differently, and notices the rest.
pub(super) const ANY: Reading =
    Reading { e_strings: true, dollar_quotes: true, backticks: Quoted::Doubled, ..STANDARD };

pub(super) const POSTGRESQL: Reading = Reading {
    e_strings: true,
    dollar_quotes: true,
    double_quoted_names: true,
    return_ends_comment: true,
    nested_comments: true,
    ..STANDARD
};

/// With `standard_conforming_strings` off.
const POSTGRESQL_BACKSLASH: Reading = Reading { backslash: true, ..POSTGRESQL };

pub(super) const MYSQL: Reading = Reading {
    backslash: true,
    double_quote_backslash: true,
    backticks: Quoted::Doubled,
    hash: Hash::Comment,
    dash_needs_blank: true,
    ..STANDARD
};

/// With `NO_BACKSLASH_ESCAPES`.
const MYSQL_NO_BACKSLASH: Reading = Reading { backslash: false, double_quote_backslash: false, ..MYSQL };

/// With `ANSI_QUOTES`.
const MYSQL_ANSI: Reading = Reading { double_quote_backslash: false, double_quoted_names: true, ..MYSQL };

pub(super) const SQLITE: Reading = Reading { backticks: Quoted::Doubled, brackets: Quoted::Name, ..STANDARD };

pub(super) const SQL_SERVER: Reading =
    Reading { money: true, brackets: Quoted::Doubled, hash: Hash::Word, nested_comments: true, ..STANDARD };

const SQL_SERVER_RETURN: Reading = Reading { return_ends_comment: true, ..SQL_SERVER };

pub(super) const ORACLE: Reading =
    Reading { q_strings: true, double_quoted_names: true, hash: Hash::Word, ..STANDARD };

const ORACLE_RETURN: Reading = Reading { return_ends_comment: true, ..ORACLE };

/// As ClickHouse reads.
const CLICKHOUSE: Reading = Reading {
    backslash: true,
    dollar_quotes: true,
    double_quote_backslash: true,
    backticks: Quoted::Backslash,
    hash: Hash::Comment,
    ..STANDARD
};

/// As Snowflake and Cassandra read, whose comments may start with `//`.
const SNOWFLAKE: Reading = Reading { backslash: true, dollar_quotes: true, slash_comments: true, ..STANDARD };

const CASSANDRA: Reading = Reading { backslash: false, ..SNOWFLAKE };

const BIGQUERY: Reading = Reading {
    backslash: true,
    triple_quotes: true,
    double_quote_backslash: true,
    backticks: Quoted::Backslash,
    hash: Hash::Comment,
    ..STANDARD
};

const SPARK: Reading = Reading {
    backslash: true,
    double_quote_backslash: true,
    backticks: Quoted::Doubled,
    nested_comments: true,
    ..STANDARD
};

pub(super) const OF_POSTGRESQL: [Reading; 1] = [POSTGRESQL_BACKSLASH];

/// Which code in comments is executed depends on the version of the server.
pub(super) const OF_MYSQL: [Reading; 6] = [
    MYSQL_NO_BACKSLASH,
    MYSQL_ANSI,
    Reading { conditional_code: true, ..MYSQL },
    Reading { conditional_code: true, ..MYSQL_NO_BACKSLASH },
    Reading { conditional_code: true, ..MYSQL_ANSI },
    Reading { nested_comments: true, ..MYSQL },
];

pub(super) const OF_SQL_SERVER: [Reading; 1] = [SQL_SERVER_RETURN];

pub(super) const OF_ORACLE: [Reading; 1] = [ORACLE_RETURN];

pub(super) const ALL: [Reading; 19] = [
    POSTGRESQL,
    POSTGRESQL_BACKSLASH,
    MYSQL,
    OF_MYSQL[0],
    OF_MYSQL[1],
    OF_MYSQL[2],
    OF_MYSQL[3],
    OF_MYSQL[4],
    OF_MYSQL[5],
    SQLITE,
    // Whether `$1` is money or a placeholder is not asked of statements that could be of others.
    Reading { money: false, ..SQL_SERVER },
    Reading { money: false, ..SQL_SERVER_RETURN },
    ORACLE,
    ORACLE_RETURN,
    CLICKHOUSE,
    SNOWFLAKE,
    CASSANDRA,
    BIGQUERY,
    SPARK,
];
