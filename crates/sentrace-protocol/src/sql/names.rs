//! Where text in double quotes can only be a name, though some databases also write strings so.

use super::token::{Token, is_blank};
use crate::sensitive::is_sensitive_field;

/// Parentheses that are nested deeper are not told apart.
const MAX_DEPTH: usize = 24;

/// What came before, as far as it tells names from strings.
pub(super) struct Names<'a> {
    sql: &'a str,
    /// The last token that is not blank.
    last: Last<'a>,
    /// The word before the last one.
    word_before: &'a str,
    /// The target of an `INSERT`.
    target: Target,
    /// Whether the statement sets something up, as `PRAGMA key = hush` does.
    settings: bool,
    pragma: bool,
    /// Whether words are a password, until the end of the statement.
    secret: bool,
    groups: [Group; MAX_DEPTH],
    depth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last<'a> {
    Start,
    Word(&'a str),
    Name,
    Dot,
    Comma,
    Open,
    Other,
}

/// A pair of parentheses, or the statement itself.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    /// Whether its first word has been seen.
    begun: bool,
    /// Whether that word begins a query: then its `FROM` is followed by a table.
    query: bool,
    /// Whether so far it is a list of columns.
    columns: bool,
    /// Whether the targets of a `SET` are listed.
    assignments: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    No,
    /// Behind `INTO`.
    Expected,
    /// Behind the name.
    Named,
}

impl<'a> Names<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            last: Last::Start,
            word_before: "",
            target: Target::No,
            settings: false,
            pragma: false,
            secret: false,
            groups: [Group::default(); MAX_DEPTH],
            depth: 0,
        }
    }

    /// Whether the last token is the `.` behind a name.
    pub(super) fn is_behind_dot(&self) -> bool {
        self.last == Last::Dot
    }

    /// Whether the last token is this word.
    pub(super) fn is_behind(&self, word: &str) -> bool {
        matches!(self.last, Last::Word(last) if last.eq_ignore_ascii_case(word))
    }

    /// Whether a word or a name here is a password: some databases take it without quotes, or in double ones.
    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether a dot and what looks like a name follow.
    pub(super) fn is_before_name(&self, end: usize) -> bool {
        let behind = self.sql.get(end..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        behind.starts_with(|c: char| c.is_alphabetic() || matches!(c, '"' | '`' | '[' | '*' | '_'))
    }

    /// Whether what comes before the text in double quotes from `start` to `end` says that it is a name.
    pub(super) fn is_name(&self, start: usize, end: usize) -> bool {
        let rest = self.sql.get(end..).unwrap_or_default();
        let next = rest.trim_start_matches(is_blank).chars().next();
        let group = self.group();
        match self.last {
            // With a blank before it, it would be a name as well; but so nobody writes it.
            Last::Dot => self.sql.get(..start).is_some_and(|before| before.ends_with('.')),
            Last::Word(word) if is_any(word, &["INTO", "JOIN", "UPDATE", "TABLE"]) => true,
            Last::Word(word) if is_any(word, &["FROM"]) => {
                group.query && !is_any(self.word_before, &["DISTINCT"])
            }
            Last::Word(word) if is_any(word, &["AS"]) => group.query,
            Last::Word(word) if is_any(word, &["SET"]) => group.query && next == Some('='),
            Last::Comma if group.assignments => next == Some('='),
            Last::Open | Last::Comma => group.columns && matches!(next, Some(',' | ')')),
            _ => false,
        }
    }

    fn group(&self) -> Group {
        self.groups.get(self.depth).copied().unwrap_or_default()
    }

    /// Notes the token between `start` and `end`.
    pub(super) fn pass(&mut self, token: Token, start: usize, end: usize) {
        let text = self.sql.get(start..end).unwrap_or_default();
        match token {
            Token::Blank => return,
            Token::Word => self.word(text),
            Token::Name | Token::NameOrText => {
                self.column();
                self.named();
                self.last = Last::Name;
            }
            Token::Operator => self.operator(text),
            Token::Literal | Token::Placeholder => {
                self.other();
                self.last = Last::Other;
            }
        }
        if let Some(group) = self.groups.get_mut(self.depth)
            && !matches!(self.last, Last::Open | Last::Start)
        {
            group.begun = true;
        }
    }

    fn word(&mut self, word: &'a str) {
        self.column();
        if is_any(word, &["INTO"]) {
            self.target = Target::Expected;
        } else {
            self.named();
        }
        if let Some(group) = self.groups.get_mut(self.depth) {
            if !group.begun {
                group.query = is_any(word, &["SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "REPLACE"]);
            }
            if is_any(word, &["SET"]) {
                group.assignments = group.query;
            } else if is_any(
                word,
                &["WHERE", "FROM", "ORDER", "LIMIT", "RETURNING", "SELECT", "VALUES", "ON", "USING"],
            ) {
                group.assignments = false;
            }
        }
        if self.depth == 0 && self.last == Last::Start {
            self.pragma = is_any(word, &["PRAGMA"]);
            self.settings = is_any(word, &["PRAGMA", "SET", "ALTER", "CREATE", "ATTACH"]);
        }
        self.secret |= is_any(word, &["BY"]) && self.is_behind("IDENTIFIED");
        // `SET app.token TO hush`, but not `RENAME COLUMN token TO ..`.
        self.secret |= self.settings
            && is_any(word, &["TO"])
            && is_any(self.word_before, &["", "SET", "LOCAL", "SESSION"])
            && matches!(self.last, Last::Word(name) if is_sensitive_field(name));
        if let Last::Word(last) = self.last {
            self.word_before = last;
        } else {
            self.word_before = "";
        }
        self.last = Last::Word(word);
    }

    /// A name or a word: in a list of columns each is alone.
    fn column(&mut self) {
        if !matches!(self.last, Last::Open | Last::Comma | Last::Dot)
            && let Some(group) = self.groups.get_mut(self.depth)
        {
            group.columns = false;
        }
    }

    fn named(&mut self) {
        self.target = match (self.target, self.last) {
            (Target::Expected, _) => Target::Named,
            (Target::Named, Last::Dot) => Target::Named,
            _ => Target::No,
        };
    }

    fn operator(&mut self, text: &str) {
        if self.settings
            && (text == "=" || (text == "(" && self.pragma))
            && matches!(self.last, Last::Word(word) if is_sensitive_field(word))
        {
            self.secret = true;
        }
        match text {
            "." => self.last = Last::Dot,
            "," => {
                self.target = Target::No;
                self.last = Last::Comma;
            }
            "(" => {
                if let Some(group) = self.groups.get_mut(self.depth) {
                    group.begun = true;
                }
                self.depth += 1;
                let columns = self.target == Target::Named;
                self.target = Target::No;
                if let Some(group) = self.groups.get_mut(self.depth) {
                    *group = Group { columns, ..Group::default() };
                }
                self.last = Last::Open;
            }
            ")" => {
                self.depth = self.depth.saturating_sub(1);
                self.other();
                self.last = Last::Other;
            }
            ";" => {
                self.settings = false;
                self.secret = false;
                self.target = Target::No;
                if let Some(group) = self.groups.get_mut(self.depth) {
                    *group = Group::default();
                }
                self.last = Last::Start;
            }
            _ => {
                self.other();
                self.last = Last::Other;
            }
        }
    }

    /// What is no part of a list of names.
    fn other(&mut self) {
        self.target = Target::No;
        if let Some(group) = self.groups.get_mut(self.depth) {
            group.columns = false;
        }
    }
}

fn is_any(word: &str, words: &[&str]) -> bool {
    words.iter().any(|other| word.eq_ignore_ascii_case(other))
}
