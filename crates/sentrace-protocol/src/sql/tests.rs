use super::Dialect::{MySql, NotSql, Oracle, PostgreSql, SqlServer, Sqlite, Unknown};
use super::*;

const DIALECTS: [Dialect; 7] = [Unknown, PostgreSql, MySql, Sqlite, SqlServer, Oracle, NotSql];

#[track_caller]
fn shows(dialect: Dialect, sql: &str, expected: &str, reason: &str) {
    let shown = parameterise(sql, dialect);
    assert_eq!(shown, expected, "{dialect:?}: {reason}: {}", tail(sql));
    assert_eq!(parameterise(&shown, dialect), shown, "{dialect:?}: again: {reason}");
}

#[test]
fn literals_become_question_marks_in_every_dialect() {
    let rows = [
        (
            "SELECT price FROM cart WHERE id = ?",
            "SELECT price FROM cart WHERE id = ?",
            "nothing to leave out",
        ),
        (
            "SELECT a FROM b WHERE c = ?1 AND d = ?2",
            "SELECT a FROM b WHERE c = ?1 AND d = ?2",
            "numbered places",
        ),
        (
            "SELECT :id, @p1, @@version, a::text, $name",
            "SELECT :id, @p1, @@version, a::text, $name",
            "named places, a cast",
        ),
        ("SELECT 'a''b', 7 FROM t1", "SELECT ?, ? FROM t1", "text, a number, a name with a number"),
        ("WHERE a = -1.5e-9 OR b = 0x1F", "WHERE a = -? OR b = ?", "numbers of all kinds"),
        (
            "WHERE a = .5 OR b = 1. OR c = 1_000 OR d = 1e+5 OR e = 0x1E-f",
            "WHERE a = ? OR b = ? OR c = ? OR d = ? OR e = ?-f",
            "more of them",
        ),
        ("SELECT 7a, 5d, 0b01, 0o17", "SELECT ?, ?, ?, ?", "numbers with letters"),
        ("WHERE a = TRUE AND b = false AND c IS NULL", "WHERE a = ? AND b = ? AND c IS NULL", "booleans"),
        (
            "SELECT true_name, t.true FROM falsehood",
            "SELECT true_name, t.true FROM falsehood",
            "names that begin so",
        ),
        (
            "WHERE a > DATE '2026-11-30' AND b < {ts '2026-11-30 19:00:00'}",
            "WHERE a > DATE ? AND b < {ts ?}",
            "dates",
        ),
        ("SELECT N'x', X'4D', b'01', _utf8'x'", "SELECT ?, ?, ?, _utf8?", "prefixes"),
        ("SELECT U&'d\\0061t' FROM t", "SELECT U&? FROM t", "Unicode escapes"),
        ("SELECT'x',AND'y'", "SELECT?,AND?", "no blanks"),
        ("\n\n  SELECT a,\n\tb -- it's b\n  FROM c\n", "SELECT a, b FROM c", "lines and a comment"),
        ("SELECT /* 'x' */ a", "SELECT a", "a comment within"),
        ("SELECT /*/ 'x' */ a", "SELECT a", "a slash is not the end of the comment that it begins"),
        (
            "SELECT a /*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/",
            "SELECT a",
            "sqlcommenter",
        ),
        ("SELECT 'never ends", "SELECT ?", "a quote that is not closed"),
        ("SELECT \"never ends", "SELECT ?", "another"),
        ("SELECT /* never ends", "SELECT", "a comment that is not closed"),
        ("SELECT 'a' 'b'", "SELECT ?", "one string in two parts"),
        ("WHERE straße = 'ä' AND ü = 1", "WHERE straße = ? AND ü = ?", "letters beyond ASCII"),
        ("SELECT\u{a0}5\u{3000}'x'", "SELECT ?", "blanks beyond ASCII"),
        ("SELECT a/b, c-d, e || f", "SELECT a/b, c-d, e || f", "operators"),
        ("  ", "", "nothing"),
        ("'x'", "?", "nothing but a literal"),
    ];
    for (sql, expected, reason) in rows {
        for dialect in [Unknown, PostgreSql, MySql, Sqlite, SqlServer, Oracle] {
            shows(dialect, sql, expected, reason);
        }
    }
}

#[test]
fn what_databases_read_differently_is_hidden_unless_the_database_is_known() {
    let rows: [(&str, &[Dialect], &str, &str); _] = [
        (
            r"SELECT 'it\'s', a, 'b'",
            &[Unknown, PostgreSql, MySql],
            "SELECT ?",
            "an escape by backslash, if it is one",
        ),
        (r"SELECT 'C:\', a, 'b'", &[Unknown, PostgreSql, MySql], "SELECT ?", "the same at the end"),
        (r"SELECT 'C:\', a, 'b'", &[Sqlite, SqlServer, Oracle], "SELECT ?, a, ?", "a backslash, for sure"),
        (r"SELECT 'C:\dir', a, 'b'", &DIALECTS[..6], "SELECT ?, a, ?", "a backslash that is no danger"),
        (r"SELECT E'it\'s', a, 'b'", &[PostgreSql], "SELECT ?, a, ?", "escapes that are asked for"),
        ("SELECT E'a'\n  'it\\'s', b, 'c'", &[PostgreSql], "SELECT ?, b, ?", "and go on in the next line"),
        (
            r"WHERE a LIKE '%x%' ESCAPE '\' AND b = 'c'",
            &DIALECTS[..6],
            "WHERE a LIKE ? ESCAPE ? AND b = ?",
            "who escapes so does not escape otherwise",
        ),
        (
            r"SELECT regexp_replace(a, '\d+\', 'S') FROM b",
            &[Unknown, PostgreSql, MySql],
            "SELECT regexp_replace(a, ?",
            "a regular expression",
        ),
        (
            "SELECT a # it's a comment\nFROM b WHERE c = 'd'",
            &[MySql],
            "SELECT a FROM b WHERE c = ?",
            "MySQL's comments",
        ),
        (
            "SELECT a # it's a comment\nFROM b WHERE c = 'd'",
            &[Unknown],
            "SELECT a ?",
            "which others do not know",
        ),
        ("SELECT a #> b FROM #temp", &[SqlServer], "SELECT a #> b FROM #temp", "operators and names"),
        ("SELECT a--1\n, 'b'", &[MySql], "SELECT a--? , ?", "MySQL subtracts twice"),
        ("SELECT a--1\n, 'b'", &[Unknown], "SELECT a? , ?", "if it is MySQL"),
        ("SELECT a--1\n, 'b'", &[PostgreSql, Sqlite, SqlServer, Oracle], "SELECT a , ?", "others do not"),
        ("SELECT a -- it's\r, 'b'\n, c", &[PostgreSql], "SELECT a , ? , c", "a carriage return ends a line"),
        ("SELECT a -- it's\r, 'b'\n, c", &[MySql, Sqlite], "SELECT a , c", "or does not"),
        ("SELECT /* a /* b */ 'c' */ d", &[PostgreSql, SqlServer], "SELECT d", "comments in comments"),
        ("SELECT /* a /* b */ 'c' */ d", &[Sqlite], "SELECT ? */ d", "which end with the first"),
        ("SELECT /*!50000 'a', */ b", &[MySql, Unknown], "SELECT ? b", "code in comments"),
        ("SELECT $$it's$$, $x$a $$ b$x$, c", &[PostgreSql], "SELECT ?, ?, c", "text in dollars"),
        ("SELECT $$it's$$, c", &[Unknown], "SELECT ?", "which others take for names"),
        ("SELECT a$b$c, 'd'", &DIALECTS[..6], "SELECT a$b$c, ?", "dollars in names"),
        ("SELECT $1, $2", &[Unknown, PostgreSql, Sqlite], "SELECT $1, $2", "numbered places"),
        ("SELECT $1, $2.50", &[SqlServer], "SELECT ?, ?", "sums of money"),
        ("SELECT $2.50, £3", &[Unknown], "SELECT ?, £?", "sums that are no places"),
        ("SELECT q'[it's]', nq'!it's!', a, 'b'", &[Oracle], "SELECT ?, ?, a, ?", "Oracle's quotes"),
        ("SELECT '''it's''', a, 'b'", &[Unknown], "SELECT ?", "three quotes"),
        ("SELECT a // it's\n, 'b', c", &[Unknown], "SELECT a /", "comments of Snowflake and Cassandra"),
        (
            "SELECT a[1], a[2:3], :id, ARRAY['x']",
            &[Unknown, PostgreSql],
            "SELECT a[?], a[?:?], :id, ARRAY[?]",
            "indices",
        ),
        ("SELECT :1, :2", &[Oracle, Unknown], "SELECT :1, :2", "places by number"),
        ("SELECT [it's], 'x' FROM [a]]b]", &[SqlServer], "SELECT [it's], ? FROM [a]]b]", "names in brackets"),
        (
            "SELECT [id] FROM [users] WHERE a = 'x'",
            &[Unknown, Sqlite, SqlServer],
            "SELECT [id] FROM [users] WHERE a = ?",
            "plain ones",
        ),
        (
            "SELECT `it's`, 'x' FROM `a``b`",
            &[MySql, Sqlite],
            "SELECT `it's`, ? FROM `a``b`",
            "names in backticks",
        ),
        ("SELECT `a`.`b` FROM `a`", &[Unknown, MySql, Sqlite], "SELECT `a`.`b` FROM `a`", "plain ones"),
    ];
    for (sql, dialects, expected, reason) in rows {
        for dialect in dialects {
            if expected == "SELECT a /" {
                assert!(!parameterise(sql, *dialect).contains('b'), "{reason}");
                continue;
            }
            shows(*dialect, sql, expected, reason);
        }
    }
}

#[test]
fn double_quotes_stay_where_only_a_name_can_be() {
    let names = [
        r#"SELECT "t"."name", "t".* FROM "t" AS "x" JOIN "u" ON "u"."id" = "t"."id" WHERE "t"."id" = ?"#,
        r#"INSERT INTO "cart" ("id", "price") VALUES (?, ?)"#,
        r#"UPDATE "cart" SET "price" = ?, "plan" = ? WHERE "cart"."id" = ?"#,
        r#"DELETE FROM "public"."cart" WHERE "cart"."id" = ?"#,
        r#"SELECT * FROM (SELECT "a"."b" FROM "a") AS "c""#,
    ];
    for sql in names {
        for dialect in [Unknown, PostgreSql, MySql, Sqlite, SqlServer, Oracle] {
            shows(dialect, sql, sql, "names");
        }
    }
    let either = [
        (r#"SELECT "x" FROM t"#, "SELECT ? FROM t"),
        (r#"WHERE mail = "x" AND a = ?"#, "WHERE mail = ? AND a = ?"),
        (r#"WHERE a IN ("x", "y")"#, "WHERE a IN (?)"),
        (r#"INSERT INTO t VALUES ("x", "y")"#, "INSERT INTO t VALUES (?, ?)"),
        (r#"INSERT INTO t (SELECT a, "x")"#, "INSERT INTO t (SELECT a, ?)"),
        (
            r#"UPDATE t SET a = "x", b = "y" WHERE c = 1, "z" = d"#,
            "UPDATE t SET a = ?, b = ? WHERE c = ?, ? = d",
        ),
        (r#"SELECT a, "x" = b"#, "SELECT a, ? = b"),
        (r#"PREPARE s FROM "SELECT x""#, "PREPARE s FROM ?"),
        (r#"SELECT trim(BOTH "x" FROM "y")"#, "SELECT trim(BOTH ? FROM ?)"),
        (r#"SELECT a IS DISTINCT FROM "x""#, "SELECT a IS DISTINCT FROM ?"),
        (r#"SELECT CAST("x" AS "y")"#, "SELECT CAST(? AS ?)"),
        (r#"SELECT a FROM t; PREPARE s FROM "x""#, "SELECT a FROM t; PREPARE s FROM ?"),
        (r#"SET a = "x""#, "SET a = ?"),
        (r#"SELECT "x" .5"#, "SELECT ?"),
    ];
    for (sql, expected) in either {
        for dialect in [Unknown, MySql, Sqlite, SqlServer] {
            shows(dialect, sql, expected, "what may be text");
        }
    }
    shows(PostgreSql, r#"SELECT "it's", 'x' FROM "t""#, r#"SELECT "it's", ? FROM "t""#, "always names");
}

#[test]
fn passwords_without_quotes_are_hidden() {
    let rows = [
        ("PRAGMA key = hush; PRAGMA foreign_keys = on", "PRAGMA key = ?; PRAGMA foreign_keys = ?"),
        ("PRAGMA key = hush-hush; PRAGMA journal_mode = WAL", "PRAGMA key = ?-?; PRAGMA journal_mode = WAL"),
        ("PRAGMA rekey(hush)", "PRAGMA rekey(?)"),
        ("PRAGMA table_info(users)", "PRAGMA table_info(users)"),
        ("ALTER USER eve IDENTIFIED BY hush", "ALTER USER eve IDENTIFIED BY ?"),
        ("CREATE USER eve IDENTIFIED BY \"hush\"", "CREATE USER eve IDENTIFIED BY ?"),
        ("SET encryption_password = hush", "SET encryption_password = ?"),
        ("SET LOCAL app.token TO hush", "SET LOCAL app.token TO ?"),
        ("SET token TO hush", "SET token TO ?"),
        ("ALTER TABLE a RENAME COLUMN token TO key", "ALTER TABLE a RENAME COLUMN token TO key"),
        ("ALTER TABLE a RENAME token TO key", "ALTER TABLE a RENAME token TO key"),
        ("CREATE TABLE token (id INT)", "CREATE TABLE token (id INT)"),
        ("SELECT a FROM b WHERE token = c.token", "SELECT a FROM b WHERE token = c.token"),
        ("UPDATE a SET token = b.token", "UPDATE a SET token = b.token"),
    ];
    for (sql, expected) in rows {
        for dialect in [Unknown, PostgreSql, MySql, Sqlite, SqlServer, Oracle] {
            shows(dialect, sql, expected, "a password");
        }
    }
}

#[test]
fn lists_of_any_length_are_shown_alike() {
    let rows = [
        ("a IN (1)", "a IN (?)", "one"),
        ("a IN (1, 2,3 , -4, 'x', NULL)", "a IN (?)", "several kinds"),
        ("a in(?,?,?) AND b = ?", "a in(?) AND b = ?", "places"),
        (
            "a NOT IN ($1, $2, $3) AND b = $4",
            "a NOT IN (?) AND b = ?",
            "numbers behind it depend on the length",
        ),
        ("b = $1 AND a IN ($2)", "b = $1 AND a IN (?)", "those before it do not"),
        (
            "a IN (@p0, @p1) AND b = @p2 AND c = @plan",
            "a IN (?) AND b = ? AND c = @plan",
            "names with numbers",
        ),
        ("a IN (:id_0, :id_1)", "a IN (?)", "more of them"),
        ("(a, b) IN ((1, 2), (3, 4), (5, 6))", "(a, b) IN ((?, ?))", "rows"),
        ("a IN (lower('x'), lower('y'))", "a IN (lower(?))", "calls"),
        ("a IN ($1::uuid, $2::uuid)", "a IN (?::uuid)", "casts"),
        ("a IN (b, c, 1, 2)", "a IN (b, c, ?)", "columns stay"),
        (
            "a IN (SELECT b FROM c WHERE d IN (1, 2))",
            "a IN (SELECT b FROM c WHERE d IN (?))",
            "a query stays",
        ),
        ("a = ANY(ARRAY[1, 2, 3])", "a = ANY(ARRAY[?])", "an array"),
        ("ORDER BY FIELD(a, 1, 2, 3)", "ORDER BY FIELD(a, ?)", "MySQL's order by a list"),
        ("a IN ()", "a IN ()", "none"),
        (
            "INSERT INTO t (a, b) VALUES (1, 2), (3, 4), (5, NULL) RETURNING a",
            "INSERT INTO t (a, b) VALUES (?, ?) RETURNING a",
            "rows of values",
        ),
        (
            "VALUES ($1, $2), ($3, $4) ON CONFLICT DO UPDATE SET x = $5",
            "VALUES ($1, $2) ON CONFLICT DO UPDATE SET x = ?",
            "and what is behind them",
        ),
        (
            "VALUES ($1, $2) ON CONFLICT DO UPDATE SET x = $2",
            "VALUES ($1, $2) ON CONFLICT DO UPDATE SET x = $2",
            "one row",
        ),
        ("VALUES ROW(1, 2), ROW(3, 4)", "VALUES ROW(?, ?)", "MySQL's rows"),
        ("UPDATE a = VALUES(a), b = VALUES(b)", "UPDATE a = VALUES(a), b = VALUES(b)", "a function of MySQL"),
        ("VALUES (f(1, (2))), (3)", "VALUES (f(?, (?)))", "what is in a row stays"),
        ("f(1, 2), LIMIT 3, 4", "f(?, ?), LIMIT ?, ?", "what is no list of any length"),
        ("a IN (1, 2", "a IN (?", "a list without an end stays open"),
    ];
    for (sql, expected, reason) in rows {
        shows(Unknown, sql, expected, reason);
    }
}

#[test]
fn a_list_beyond_what_is_read_is_shown_as_a_short_one() {
    for length in [1, 50, 5_000, 500_000] {
        let values = (0..length).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        assert_eq!(
            parameterise(&format!("SELECT a FROM b WHERE c IN ({values})"), Unknown),
            "SELECT a FROM b WHERE c IN (?)"
        );
        let rows = (0..length).map(|n| format!("({n}, 'x')")).collect::<Vec<_>>().join(", ");
        assert_eq!(
            parameterise(&format!("INSERT INTO b VALUES {rows}"), MySql),
            "INSERT INTO b VALUES (?, ?)"
        );
        let places = (1..=length).map(|n| format!("${n}")).collect::<Vec<_>>().join(",");
        assert_eq!(
            parameterise(&format!("SELECT a FROM b WHERE c IN ({places})"), PostgreSql),
            "SELECT a FROM b WHERE c IN (?)"
        );
    }
}

#[test]
fn a_list_that_is_cut_anywhere_stays_as_it_is_shown() {
    let statements = [
        "SELECT a IN (1, 2), (b, c) IN (($1,  x IN (?, f(2), (3))), (4, [5, 6]))",
        "SELECT a FROM b WHERE (c, d) IN ((1, f(2)), (3, g(h(4)))) AND e = ARRAY[[1, 2], [3, 4]]",
    ];
    for statement in statements {
        for end in 0..=statement.len() {
            let shown = parameterise(&statement[..end], Unknown);
            assert_eq!(parameterise(&shown, Unknown), shown, "{}", &statement[..end]);
        }
    }
}

/// More than is read: what a statement costs must not depend on the rest, nor on pairs of its parts.
#[test]
fn a_long_statement_is_cut_at_once_and_shows_no_half_of_a_literal() {
    let pieces = [
        "hush ",
        "'",
        "\"",
        "`",
        "[",
        "]",
        "$",
        "$a",
        "$$",
        "\\",
        "\\'",
        "-",
        "--",
        "--\n",
        "/",
        "/*",
        "*/",
        "#",
        "(",
        ")",
        "IN (",
        "IN (SELECT ",
        "VALUES (",
        "VALUES (a), ",
        "E'' ",
        "E''\n--\n",
        "q'[",
        "1",
        "1e-",
        ".",
        "?",
        ":",
        "@",
        " ",
        "\n",
        "é",
        "\"a\".",
        "FROM \"a\" ",
        ",",
        "'x', ",
        "x\\'x', ",
    ];
    for piece in pieces {
        let filler = piece.repeat(2 * MAX_INPUT / piece.len());
        let quoted = format!("SELECT a FROM b WHERE c = 'x{}'", filler.replace('\'', "''"));
        for dialect in DIALECTS {
            let began = std::time::Instant::now();
            assert!(!parameterise(&quoted, dialect).contains("hush"), "{dialect:?}: {piece}");
            let shown = parameterise(&filler, dialect);
            assert!(shown.len() <= MAX_SQL, "{dialect:?}: {piece}: {}", shown.len());
            let again = parameterise(&shown, dialect);
            assert!(
                again == shown,
                "{dialect:?}: {piece} ends with {:?}, then with {:?}",
                tail(&shown),
                tail(&again)
            );
            assert!(began.elapsed().as_secs() < 5, "{dialect:?}: {piece} took {:?}", began.elapsed());
        }
    }
    let long = format!("SELECT '{}'", "x".repeat(10 * 1024 * 1024));
    let began = std::time::Instant::now();
    shows(Unknown, &long, "SELECT ?", "ten megabytes");
    assert!(began.elapsed().as_millis() < 500, "ten megabytes took {:?}", began.elapsed());
}

#[test]
fn what_executes_nothing_is_empty() {
    for sql in ["", " ;\n", "/* SQLx ping */", "-- ping", "-- ping\n;/* and */ --", "/* never ends"] {
        assert!(is_empty(sql), "{sql}");
        assert!(parameterise(sql, Unknown).chars().all(|c| c == ';'), "{sql}");
    }
    for sql in
        ["SELECT 1", "/* cart */ SELECT 1", "-- a\nSELECT 1", "/*!40101 SET NAMES utf8 */", "'x'", "(a)"]
    {
        assert!(!is_empty(sql), "{sql}");
    }
}

#[test]
fn commands_that_are_not_sql_are_shown_by_name() {
    let rows = [
        ("SET session:7 hush", "SET"),
        (" get user", "get"),
        ("PING", "PING"),
        (r#"{"find": "users", "filter": {"mail": "hush"}}"#, ""),
        ("db.users.find({mail: 'hush'})", ""),
        ("hush@example.com", ""),
        ("", ""),
    ];
    for (command, expected) in rows {
        shows(NotSql, command, expected, "a command");
    }
}

#[test]
fn every_part_of_a_statement_is_taken() {
    let sql = r#"SELECT 'a''b' "c" `d` $e$f$e$ $1 ?2 :g 1.5e-9 -- h
            /* i */ ß \ ' " ` $ / - [j] # q'[k]' '''l''' // m"#;
    for (end, _) in sql.char_indices() {
        for dialect in DIALECTS {
            for part in [&sql[..end], &sql[end..]] {
                let shown = parameterise(part, dialect);
                assert_eq!(parameterise(&shown, dialect), shown, "{dialect:?}: {part}");
            }
        }
    }
}

fn tail(text: &str) -> &str {
    let start = (0..=text.len().saturating_sub(60)).rev().find(|start| text.is_char_boundary(*start));
    &text[start.unwrap_or_default()..]
}
