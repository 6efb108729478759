//! Lists of values, whose length says nothing about the statement.

use std::borrow::Cow;

use super::MAX_SQL;

/// Room for the end of a list.
const LIMIT: usize = MAX_SQL - 2;

/// Words that a list of values may follow.
const LISTS: [&str; 3] = ["IN", "ARRAY", "FIELD"];
const ROWS: &str = "VALUES";
const ROW: &str = "ROW";

/// Shortens lists of values in a statement without literals, and the statement to [`MAX_SQL`] bytes. A list at the end of a
/// statement that was cut is closed, as in the whole one.
pub(super) fn shorten(sql: &str, is_cut: bool) -> Cow<'_, str> {
    if sql.len() <= LIMIT && !has_list(sql) {
        return Cow::Borrowed(sql);
    }
    let mut lists =
        Lists { sql, at: 0, out: String::with_capacity(sql.len().min(MAX_SQL)), renumbered: false, is_cut };
    lists.copy();
    let mut out = lists.out;
    out.truncate(out.trim_end_matches(' ').len());
    if out == sql { Cow::Borrowed(sql) } else { Cow::Owned(out) }
}

fn has_list(sql: &str) -> bool {
    let mut word = "";
    let mut at = 0;
    while let Some(token) = token(sql, at) {
        match token {
            "(" | "[" if is_list(word) => return true,
            " " => {}
            _ => word = token,
        }
        at += token.len();
    }
    false
}

fn is_list(word: &str) -> bool {
    [ROWS, ROW].iter().chain(&LISTS).any(|list| word.eq_ignore_ascii_case(list))
}

struct Lists<'a> {
    sql: &'a str,
    at: usize,
    out: String,
    /// Whether the numbers of further placeholders depend on the length of a list.
    renumbered: bool,
    is_cut: bool,
}

impl<'a> Lists<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let token = token(self.sql, self.at)?;
        self.at += token.len();
        Some(token)
    }

    /// The token behind blanks, and where it ends.
    fn peek(&self, mut at: usize) -> Option<(&'a str, usize)> {
        loop {
            let token = token(self.sql, at)?;
            at += token.len();
            if token != " " {
                return Some((token, at));
            }
        }
    }

    /// Whether there is room for the token, which then is appended.
    fn push(&mut self, token: &str) -> bool {
        let fits = self.out.len() + token.len() <= LIMIT;
        if fits {
            self.out.push_str(token);
        }
        fits
    }

    fn copy(&mut self) {
        let mut word = "";
        while let Some(token) = self.next() {
            let shown = if self.renumbered && is_numbered(token) { "?" } else { token };
            if !self.push(shown) {
                return;
            }
            let goes_on = match token {
                "(" if word.eq_ignore_ascii_case(ROWS) => self.rows(),
                "(" | "[" if LISTS.iter().any(|list| word.eq_ignore_ascii_case(list)) => self.list(),
                _ => true,
            };
            if !goes_on {
                return;
            }
            // `VALUES ROW(1, 2)` is MySQL's.
            if token != " " && !(token.eq_ignore_ascii_case(ROW) && word.eq_ignore_ascii_case(ROWS)) {
                word = token;
            }
        }
    }

    /// The elements of a list up to its end, each form once in a row.
    fn list(&mut self) -> bool {
        if let Some((first, _)) = self.peek(self.at)
            && ["SELECT", "WITH", "VALUES", "TABLE", "FROM"]
                .iter()
                .any(|query| first.eq_ignore_ascii_case(query))
        {
            return true;
        }
        let (mut previous, mut element) = (String::new(), String::new());
        let mut depth = 0_usize;
        let mut first = true;
        loop {
            let token = self.next();
            let ends = token.is_none() || (depth == 0 && matches!(token, Some(")" | "]")));
            if !ends && (depth > 0 || token != Some(",")) {
                self.renumbered |= token.is_some_and(is_numbered);
                append(&mut element, token.unwrap_or_default());
                match token {
                    Some("(" | "[") => depth += 1,
                    Some(")" | "]") => depth -= 1,
                    _ => {}
                }
                continue;
            }
            element.truncate(element.trim_end_matches(' ').len());
            // An element that was cut within its own parentheses is left out.
            let is_whole = token.is_some() || depth == 0;
            let is_new = is_whole && element != previous && !element.is_empty();
            let fits = !is_new || {
                let separator = if first { "" } else { ", " };
                self.push(separator) && self.push(&element)
            };
            first &= !is_new;
            if token.is_none() && (first || !self.is_cut) {
                return true;
            }
            if ends || !fits {
                self.out.push_str(if token == Some("]") { "]" } else { ")" });
                return fits;
            }
            if is_new {
                previous.clear();
                previous.push_str(&element);
            }
            element.clear();
        }
    }

    /// The first row behind `VALUES`; further rows are left out.
    fn rows(&mut self) -> bool {
        let mut depth = 1_usize;
        let mut numbered = false;
        while depth > 0 {
            let Some(token) = self.next() else { return true };
            numbered |= is_numbered(token);
            let shown = if self.renumbered && is_numbered(token) { "?" } else { token };
            if !self.push(shown) {
                return false;
            }
            depth = deeper(depth, token);
        }
        loop {
            let Some((",", behind)) = self.peek(self.at) else { return true };
            let mut open = self.peek(behind);
            if open.is_none() {
                // Cut between two rows.
                self.at = self.sql.len();
            }
            if let Some((row, behind)) = open
                && row.eq_ignore_ascii_case(ROW)
            {
                open = self.peek(behind);
            }
            let Some(("(", behind)) = open else { return true };
            self.at = behind;
            self.renumbered |= numbered;
            depth = 1;
            while depth > 0 {
                let Some(token) = self.next() else { return true };
                depth = deeper(depth, token);
            }
        }
    }
}

fn deeper(depth: usize, token: &str) -> usize {
    match token {
        "(" | "[" => depth + 1,
        ")" | "]" => depth - 1,
        _ => depth,
    }
}

/// Appends a token to an element, values as `?` and without signs.
fn append(element: &mut String, token: &str) {
    let is_value =
        is_placeholder(token) || token.eq_ignore_ascii_case("NULL") || token.eq_ignore_ascii_case("DEFAULT");
    match token {
        " " | "-" | "+" if element.is_empty() => {}
        _ if is_value => element.push('?'),
        _ => element.push_str(token),
    }
}

fn is_placeholder(token: &str) -> bool {
    token.starts_with(['?', '$', ':', '@']) && token != "::" && (token.len() > 1 || token == "?")
}

/// Whether it is a placeholder whose number depends on those before it.
fn is_numbered(token: &str) -> bool {
    is_placeholder(token) && token.ends_with(|c: char| c.is_ascii_digit())
}

/// The token that begins at `at`. Blanks are single, and what is in quotes is one token.
fn token(sql: &str, at: usize) -> Option<&str> {
    let rest = sql.get(at..)?;
    let first = rest.chars().next()?;
    let length = match first {
        '"' | '`' => quoted(rest, first as u8),
        ':' if rest.starts_with("::") => 2,
        '?' | '$' | ':' | '@' => 1 + word(&rest[1..]),
        first if is_word(first) => word(rest),
        first => first.len_utf8(),
    };
    rest.get(..length)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '#') || !c.is_ascii()
}

fn word(rest: &str) -> usize {
    rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

fn quoted(rest: &str, quote: u8) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte == quote {
            if bytes.get(at) != Some(&quote) {
                return at;
            }
            at += 1;
        }
    }
    at
}
