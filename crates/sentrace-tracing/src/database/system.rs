//! Which database a query went to, which sqlx does not tell.

/// How sqlx names the threads of SQLite connections, unless it is told otherwise.
const SQLITE_THREADS: &str = "sqlx-sqlite-worker-";

/// How much of a statement is looked at.
const MAX_LOOK: usize = 4 * 1024;

/// The database of the thread that told of the query.
pub(super) fn of_thread() -> Option<&'static str> {
    std::thread::current().name().is_some_and(|name| name.starts_with(SQLITE_THREADS)).then_some("sqlite")
}

/// The database that speaks like this, if only one does. Good for a name, but not to tell literals from names: what looks
/// like this may be in a literal.
pub(super) fn of_sql(sql: &str) -> Option<&'static str> {
    let sql = &sql.as_bytes()[..sql.len().min(MAX_LOOK)];
    if sql.windows(2).any(|pair| pair[0] == b'$' && pair[1].is_ascii_digit()) {
        return Some("postgresql");
    }
    sql.contains(&b'`').then_some("mysql")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_where_only_one_speaks_so() {
        let rows = [
            ("SELECT a FROM b WHERE c = $1", Some("postgresql"), "numbered places"),
            ("SELECT `a` FROM `b` WHERE c = ?", Some("mysql"), "backticks"),
            ("SELECT a FROM b WHERE c = ?", None, "several databases say so"),
            ("SELECT a FROM b", None, "all databases say so"),
        ];
        for (sql, expected, reason) in rows {
            assert_eq!(of_sql(sql), expected, "{reason}");
        }
    }

    #[test]
    fn a_query_on_a_thread_of_a_sqlite_connection_went_there() {
        let thread = std::thread::Builder::new().name("sqlx-sqlite-worker-0".to_owned());
        let system = thread.spawn(of_thread).unwrap().join().unwrap();
        assert_eq!(system, Some("sqlite"));
    }
}
